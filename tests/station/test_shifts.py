"""A night shift belongs to the day it began."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from edge.config.site import Shift
from edge.station.shifts import shift_at

SHIFTS = {"early": Shift(start=time(6), end=time(14)), "night": Shift(start=time(22), end=time(6))}


@pytest.mark.parametrize(
    ("at", "shift"),
    [
        ("2026-11-22 06:00", "2026-11-22/early"),
        ("2026-11-22 13:59", "2026-11-22/early"),
        ("2026-11-22 14:00", ""),
        ("2026-11-22 22:00", "2026-11-22/night"),
        ("2026-11-23 00:10", "2026-11-22/night"),
        ("2026-11-23 05:59", "2026-11-22/night"),
    ],
)
def test_the_shift_of_a_moment(at: str, shift: str) -> None:
    local = datetime.strptime(at, "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    assert shift_at(SHIFTS, local) == shift
