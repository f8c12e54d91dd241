"""The last configuration that ran, kept in the state directory, so that a bad file never stops a line.

``applied.yaml`` is the effective configuration as one ordinary file: it can be read by a person and is read by the same loader.
It holds no secret, only their names.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct, structs

from edge.config.dump import to_yaml
from edge.config.loader import Loaded, load
from edge.errors import ConfigError

FILE: Final = "applied.yaml"
_HEAD: Final = """\
# The configuration that this line ran last, put together from all its files. Written by lotline; edit the line's own file.
"""


class Start(Struct, frozen=True, kw_only=True):
    """What the line starts with. ``refused`` is what is wrong with its file, when ``loaded`` is the last applied one instead."""

    loaded: Loaded
    refused: ConfigError | None


def remember(state_dir: Path, loaded: Loaded) -> None:
    """``loaded`` runs: keep it. On disk when this returns; after a crash either the old one is there or the new one, whole.

    Raises OSError where the disk does not take it.
    """
    target = state_dir / FILE
    new = target.with_suffix(".new")
    with open(new, "w", encoding="utf-8", opener=_owner_only) as file:
        file.write(_HEAD + to_yaml(loaded.effective))
        file.flush()
        os.fsync(file.fileno())
    new.replace(target)
    folder = os.open(state_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def last_applied(state_dir: Path, *, drivers: Mapping[str, str], sinks: Mapping[str, str]) -> Loaded | None:
    """What ``remember`` kept; None when nothing ever ran here. Raises ConfigError where this version refuses it."""
    path = state_dir / FILE
    return load(path, drivers=drivers, sinks=sinks) if path.exists() else None


def start_with(path: Path, state_dir: Path, *, drivers: Mapping[str, str], sinks: Mapping[str, str]) -> Start:
    """The file at ``path``, or, when it is refused, what ran last. Raises the file's ConfigError when there is neither."""
    try:
        return Start(loaded=load(path, drivers=drivers, sinks=sinks), refused=None)
    except ConfigError as refused:
        try:
            last = last_applied(state_dir, drivers=drivers, sinks=sinks)
        except ConfigError:
            last = None  # of two refused files the technician's own is the one to mend
        if last is None:
            raise
        folders = tuple(dict.fromkeys((path.resolve().parent, *last.folders)))  # the secrets stayed beside the file
        return Start(loaded=structs.replace(last, folders=folders), refused=refused)


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
