"""Start to first acknowledged scan with 1 million records waiting: the real daemon, a scan that is already on its way.

Time runs from the start of the process to the byte with which the scanner's holder hears that the scan is on disk. Before it,
the records have been indexed, as a daemon that recorded them would have left them, and the ERP is away, so that all of them wait.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

from edge.bench.daemon import BADGES, Bench
from edge.bench.filling import fill
from edge.bench.measure import REPETITIONS, clock
from edge.bench.result import Figure, Size, at_most
from edge.log import Identities, Log
from edge.wording import Words

_WAITING: Final = {Size.FULL: 1_000_000, Size.QUICK: 2_000}
_NOBODY: Final = "http://127.0.0.1:9/events"  # the discard port: refused at once


def run(place: Path, size: Size) -> tuple[Figure, ...]:
    """See the module."""
    return asyncio.run(_measure(place, size))


async def _measure(place: Path, size: Size) -> tuple[Figure, ...]:
    bench, state_dir = Bench(place), place / "state"
    await fill(state_dir, _WAITING[size])
    await _index(state_dir)
    took = []
    async with bench.plugged(_NOBODY):
        for repetition in range(1 + (REPETITIONS if size is Size.FULL else 1)):
            began = time.perf_counter()
            async with bench.daemon(state_dir) as process:
                await bench.acknowledged(BADGES[repetition % 2], process)
                took.append(time.perf_counter() - began)
    return (
        Figure(
            what=Words(
                "process start to first acknowledged scan, {records} records waiting",
                "进程启动到首次确认扫码，积压 {records} 条",
            ).fill({"records": f"{_WAITING[size]:,}"}),
            unit="s",
            samples=tuple(took[1:]),  # the first also takes up the new configuration
            target=at_most(2),
        ),
    )


async def _index(state_dir: Path) -> None:
    log = Log.open(state_dir, clock=clock())
    identities = Identities(log, state_dir)
    await asyncio.to_thread(identities.catch_up)
    identities.close()
    await log.close()
