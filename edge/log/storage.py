"""How much disk is left, why recording stopped, and the ballast that lets the stop itself be recorded.

::

    free space ──► readings margin ──► reserve ──► 0
                   readings stop       scans stop  the ballast is given back, the stop is recorded

The ballast is a file of real blocks. It is given up when the disk is full to the last byte, and taken back before
anything is acknowledged again. Nothing here decides to go on: the writer does, after it has proved that it can.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import apsw
from msgspec import Struct

from edge.errors import LogDamaged, StorageStop
from edge.wording import Words
from edge.wording.storage import READINGS_STOPPED, STOPPED

RESERVE_BYTES: Final = 256 << 20
BALLAST_BYTES: Final = 16 << 20
READINGS_MARGIN: Final = 1.25  # of the reserve: readings stop while scans still have room for days
RESUME_MARGIN: Final = 1.05  # of the reserve: going on at the very edge would stop again at the next record
RATE_NEEDS_S: Final = 3600.0  # a rate measured over less says nothing about days
DAY_S: Final = 86400.0
MB: Final = 1_000_000


class StorageState(Struct, frozen=True, kw_only=True):
    """Whether records (``ok``) and readings are taken; ``code`` is "" or a key of edge.wording.storage.STOPPED."""

    ok: bool
    readings: bool
    code: str
    reason: Words | None
    free_bytes: int
    days_left: float | None  #: at the rate so far; None until that is known


#: what SQLite says -> why we stop
_CODES: Final[Mapping[type[BaseException], str]] = {
    apsw.FullError: "full",
    apsw.ReadOnlyError: "read_only",
    apsw.PermissionsError: "read_only",
    apsw.BusyError: "busy",
    apsw.LockedError: "busy",
    apsw.CorruptError: "damaged",
    apsw.NotADBError: "damaged",
    apsw.ConstraintError: "damaged",
    LogDamaged: "damaged",
}
_ENOSPC: Final = frozenset({28, 122})  # ENOSPC, EDQUOT
_EROFS: Final = 30


def stop_code(error: BaseException) -> str:
    """Why an error of SQLite or the system stops the log."""
    if isinstance(error, OSError):
        return "full" if error.errno in _ENOSPC else "read_only" if error.errno == _EROFS else "failing"
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), "failing")


class Disk:
    """The file system under ``directory``. Raises OSError."""

    def __init__(self, directory: Path, *, reserve_bytes: int, ballast_bytes: int) -> None:
        self.directory = directory
        self.reserve_bytes = reserve_bytes
        self._ballast = directory / "ballast"
        self._ballast_bytes = ballast_bytes

    def free_bytes(self) -> int:
        """What this user may still write."""
        stat = os.statvfs(self.directory)
        return stat.f_bavail * stat.f_frsize

    def restore_ballast(self) -> None:
        """Take the ballast's blocks; raises OSError when they are not there."""
        descriptor = os.open(self._ballast, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_blocks * 512 < self._ballast_bytes:
                os.posix_fallocate(descriptor, 0, self._ballast_bytes)
        except OSError:
            os.ftruncate(descriptor, 0)
            raise
        finally:
            os.close(descriptor)

    def release_ballast(self) -> None:
        """Give the ballast's blocks back."""
        self._ballast.unlink(missing_ok=True)

    def enough_to_resume(self) -> bool:
        """Whether there is room for the ballast and a margin above the reserve."""
        missing = 0 if self._ballast.exists() else self._ballast_bytes
        return self.free_bytes() >= self.reserve_bytes * RESUME_MARGIN + missing

    def state(self, code: str, detail: str, days_left: float | None) -> StorageState:
        """``code`` "" means that records are taken; readings are as long as there is room for them."""
        try:
            stat = os.statvfs(self.directory)
            free_bytes = stat.f_bavail * stat.f_frsize
            if code == "failing" and stat.f_flag & os.ST_RDONLY:
                code = "read_only"  # the kernel's answer to a failing disk; SQLite tells it as any other error
        except OSError:
            free_bytes = 0
        fields = {
            "directory": self.directory,
            "free_mb": free_bytes // MB,
            "reserve_mb": self.reserve_bytes // MB,
            "detail": detail,
        }
        readings = not code and free_bytes >= self.reserve_bytes * READINGS_MARGIN
        words = STOPPED[code] if code else None if readings else READINGS_STOPPED
        return StorageState(
            ok=not code,
            readings=readings,
            code=code,
            reason=words.fill(fields) if words else None,
            free_bytes=free_bytes,
            days_left=days_left,
        )

    def days_left(self, folders: tuple[Path, ...], since: str, now: datetime) -> float | None:
        """How long the space above the reserve lasts if the line goes on as it did since ``since``."""
        age_s = (now - datetime.fromisoformat(since).astimezone(UTC)).total_seconds()
        used = sum(_folder_bytes(folder) for folder in folders)
        if age_s < RATE_NEEDS_S or not used:
            return None
        return max(0.0, (self.free_bytes() - self.reserve_bytes) / (used / age_s) / DAY_S)


def _folder_bytes(folder: Path) -> int:
    try:
        with os.scandir(folder) as entries:
            return sum(item.stat().st_blocks * 512 for item in entries if item.name.endswith(".db"))
    except OSError:  # a file may go away by retention while we look
        return 0


def storage_stop(state: StorageState) -> StorageStop:
    """The error every append gets while ``state`` lasts."""
    words = state.reason or STOPPED["closed"]
    what, _, hint = words.en.partition(". ")
    return StorageStop(what + "." if hint else what, hint)
