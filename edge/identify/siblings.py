"""What the other symbols of a label still have to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from edge.identify.elements import unmet

#: identifier -> the property it would bring
_BRINGS: Final = {
    "01": "gtin",
    "02": "gtin",
    "03": "gtin",
    "8006": "gtin",
    "8026": "gtin",
    "21": "serial",
    "10": "lot",
    "00": "sscc",
    "30": "count",
    "37": "count",
}


def sibling(pattern: str) -> str:
    """The property that ``pattern`` of a requirement stands for; the identifier itself where there is none."""
    return _BRINGS.get(pattern, pattern)


def missing(present: Mapping[str, str]) -> tuple[str, ...]:
    """What the elements ``present`` need beside them, in the order of asking, each once."""
    return tuple(dict.fromkeys(sibling(pattern) for _, pattern in unmet(present)))
