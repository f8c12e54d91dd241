"""A wall clock that jumps is put on record: by how much, and when. Order in the log never depended on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from msgspec import Struct

from edge.clock import Clock
from edge.errors import StorageStop
from edge.log.envelope import Provenance, entry, time_text
from edge.log.writer import Log
from edge.model import Entry, Kind, Moment

EVERY_S: Final = 1.0
STEP_S: Final = 0.5  # the kernel slews 0.5 ms in a second; anything near this is a jump


class ClockWatch:
    """A follower of the clock. ``run`` looks once a second, and at its start at the time of the last record."""

    def __init__(self, log: Log, clock: Clock, provenance: Callable[[], Provenance]) -> None:
        self._log = log
        self._clock = clock
        self._provenance = provenance
        self._before: Moment | None = None
        self._owed: list[Entry] = []

    async def run(self) -> None:
        """Until cancelled. A storage stop only delays the record."""
        self._look_back(self._clock.now())
        while True:
            self.look(self._clock.now())
            await self._settle()
            await asyncio.sleep(EVERY_S)

    def look(self, now: Moment) -> None:
        """Compare how far the wall and the monotonic clock went; over a boot there is nothing to compare."""
        before, self._before = self._before, now
        if before is None or before.boot_id != now.boot_id:
            return
        passed = timedelta(microseconds=(now.monotonic_ns - before.monotonic_ns) / 1000)
        step_s = (now.utc - before.utc - passed).total_seconds()
        if abs(step_s) >= STEP_S:
            body = {"act": "clock_step", "stepS": round(step_s, 3), "before": time_text(before.utc + passed)}
            self._owed.append(entry(Kind.AUDIT, now, "", self._provenance(), body))

    def _look_back(self, now: Moment) -> None:
        """A clock that starts before the last record went back while nobody looked."""
        reader = self._log.reader()
        try:
            last = reader.get(self._log.head)
        finally:
            reader.close()
        if last is None:
            return
        times = msgspec.json.decode(last.data, type=_Times)
        text = times.time or times.event_time
        if not text:
            return
        then = datetime.fromisoformat(text).astimezone(UTC)
        step_s = (now.utc - then).total_seconds()
        if step_s <= -STEP_S:
            body = {"act": "clock_step", "stepS": round(step_s, 3), "before": time_text(then)}
            self._owed.append(entry(Kind.AUDIT, now, "", self._provenance(), body))

    async def _settle(self) -> None:
        if self._owed:
            owed = tuple(self._owed)
            try:
                await self._log.append(owed)
            except StorageStop:
                return
            del self._owed[: len(owed)]


class _Times(Struct):
    time: str = ""
    event_time: str = msgspec.field(name="eventTime", default="")
