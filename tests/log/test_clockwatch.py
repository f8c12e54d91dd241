"""A clock that jumps is on record."""

from __future__ import annotations

import asyncio
from pathlib import Path

from edge.log import ClockWatch, Provenance, entry
from edge.model import Kind
from tests.log.conftest import ManualClock, all_records, body_of, until


async def watched(log, clock: ManualClock, *looks: float) -> list[dict[str, object]]:
    watch = ClockWatch(log, clock, Provenance)
    watch.look(clock.now())
    for step_s in looks:
        clock.pass_time(1)
        clock.step_wall(step_s)
        watch.look(clock.now())
    await watch._settle()
    return [dict(body_of(record)) for record in all_records(log, Kind.AUDIT)]


async def test_two_hours_back_are_on_record(log, clock: ManualClock) -> None:
    (step,) = await watched(log, clock, 0, -7200, 0)
    assert step["act"] == "clock_step"
    assert step["stepS"] == -7200.0
    assert step["before"] == "2026-11-22T12:00:02.000Z"
    assert step["time"] == "2026-11-22T10:00:02.000Z"


async def test_slewing_and_a_new_boot_are_no_steps(log, clock: ManualClock) -> None:
    assert await watched(log, clock, 0.0005, -0.0005, 0.4) == []
    watch = ClockWatch(log, clock, Provenance)
    watch.look(clock.now())
    clock.boot_id, clock.monotonic_ns = "boot-2", 5
    watch.look(clock.now())
    await watch._settle()
    assert all_records(log, Kind.AUDIT) == []


async def test_a_clock_that_went_back_while_nobody_looked_is_on_record(
    opened, tmp_path: Path, clock: ManualClock
) -> None:
    async with opened() as log:
        await log.append([entry(Kind.SCAN, clock.now(), "ST10", Provenance(), {})])
    clock.step_wall(-7200)
    async with opened() as log:
        watching = asyncio.ensure_future(ClockWatch(log, clock, Provenance).run())
        await until(lambda: log.counts[Kind.AUDIT])
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        (step,) = [body_of(record) for record in all_records(log, Kind.AUDIT)]
        assert step["stepS"] == -7200.0
        assert step["before"] == "2026-11-22T12:00:00.000Z"
