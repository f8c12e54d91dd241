"""Which shift it is. A night shift belongs to the day it began; where shifts overlap, the later begun one counts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from edge.config.site import Shift


def shift_at(shifts: Mapping[str, Shift], local: datetime) -> str:
    """``2026-11-22/night``: the day on which the running shift began, and its name; "" between shifts."""
    running = []
    for name, shift in shifts.items():
        for day in (local.date(), local.date() - timedelta(days=1)):
            start = datetime.combine(day, shift.start, local.tzinfo)
            end = datetime.combine(day + timedelta(days=shift.end <= shift.start), shift.end, local.tzinfo)
            if start <= local < end:
                running.append((start, name))
    if not running:
        return ""
    start, name = max(running)
    return f"{start.date().isoformat()}/{name}"
