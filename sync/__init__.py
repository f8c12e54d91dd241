"""Followers that leave the PC: the courier, and one file per destination.

A destination is a row here and a file beside this one. The module begins with its option model ``Options`` and ends
with ``build(name, options, shelf) -> Sink``. Nothing is imported until a line uses it.
"""

from collections.abc import Mapping
from typing import Final

#: name in YAML (``sink:``) -> module
SINKS: Final[Mapping[str, str]] = {
    "spool": "sync.spool",
    "http": "sync.http",
    "tryton": "sync.tryton",
}
