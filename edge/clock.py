"""The one clock. Wall time, the site's offset, CLOCK_MONOTONIC, the boot's id, and how far the kernel trusts the wall.

``datetime.now()`` stands here and in drivers only; everything else is handed a ``Moment``. The synchronisation state is
the kernel's own (adjtimex(2): STA_UNSYNC and maxerror), so chrony, ntpd, timesyncd and PTP all show through it.
"""

from __future__ import annotations

import ctypes
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from edge.model import Moment

_STA_UNSYNC: Final = 0x0040
_ASK_EVERY_NS: Final = 10_000_000_000  # the kernel moves maxerror once a second; ten is fresh enough for a record


class Clock(Protocol):
    """Tells the moment. Tests hand in one that stands still or jumps."""

    def now(self) -> Moment:
        """This instant."""


class SystemClock:
    """The PC's clock in the site's time zone."""

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self._boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        self._asked_ns = -_ASK_EVERY_NS
        self._trust = (False, 0.0)

    def now(self) -> Moment:
        monotonic_ns = time.monotonic_ns()
        if monotonic_ns - self._asked_ns >= _ASK_EVERY_NS:
            self._asked_ns, self._trust = monotonic_ns, _kernel_trust()
        utc = datetime.now(UTC)
        offset = utc.astimezone(self._zone).utcoffset()
        return Moment(
            utc=utc,
            offset_s=int(offset.total_seconds()) if offset else 0,
            monotonic_ns=monotonic_ns,
            boot_id=self._boot_id,
            synchronised=self._trust[0],
            bound_s=self._trust[1],
        )


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2); only the first fields are read, the rest is room for the kernel to write."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def _kernel_trust() -> tuple[bool, float]:
    """(synchronised, bound in seconds) as the kernel says; (False, 0) where it does not."""
    timex = _Timex()
    if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex)) < 0:
        return False, 0.0
    return not timex.status & _STA_UNSYNC, round(timex.maxerror / 1e6, 6)
