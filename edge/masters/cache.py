"""The masters a line works with: the file's own, merged with the last that a destination gave, kept for days without network.

What a destination gave is one JSON file in the state directory, replaced as a whole and fsynced before it is used. It holds
materials, bills, orders, lots and suppliers; people are only ever in the line's own file.
"""

from __future__ import annotations

import logging
import os
from datetime import datetime
from pathlib import Path

from edge.config.masters import MastersFile
from edge.masters.snapshot import Masters, compile_masters, merged

_log = logging.getLogger(__name__)


class MastersCache:
    """``current`` is the snapshot every check uses; it changes between scans, never within one."""

    def __init__(self, own: MastersFile, path: Path) -> None:
        self._own = own
        self._path = path
        self.current = self._load()

    def take(self, pulled: MastersFile, at: datetime) -> None:
        """Keep and use what a destination gave. Blocks for the disk when it is news: call from a thread of your own."""
        if pulled.people:
            pulled = pulled.model_copy(update={"people": {}})
        masters = compile_masters(merged(self._own, pulled), taken_at=at)
        if masters.version == self.current.version and self._path.exists():
            os.utime(self._path, (at.timestamp(), at.timestamp()))
            self.current = masters
            return
        _replace(self._path, pulled.model_dump_json())
        os.utime(self._path, (at.timestamp(), at.timestamp()))
        self.current = masters

    def _load(self) -> Masters:
        try:
            pulled = MastersFile.model_validate_json(self._path.read_bytes())
            at = datetime.fromtimestamp(self._path.stat().st_mtime).astimezone()
        except FileNotFoundError:
            return compile_masters(self._own)
        except (OSError, ValueError) as exc:  # another version's, or damaged: the next pull replaces it
            _log.warning("%s is not used (%s); the line knows what its file says", self._path, type(exc).__name__)
            return compile_masters(self._own)
        return compile_masters(merged(self._own, pulled), taken_at=at)


def _replace(path: Path, text: str) -> None:
    """``path`` holds the old or the new text, whole, whenever the power goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
