"""A process for ``test_kill``: appends events and delivers them until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from edge.clock import SystemClock
from edge.log import Log, Provenance
from sync.courier import Courier, Pace
from sync.http import Options, build
from tests.sync.events import event
from tests.sync.test_http import no_secret


async def main(state_dir: Path, url: str) -> None:
    clock = SystemClock("UTC")
    log = Log.open(state_dir, clock=clock, reserve_bytes=1, ballast_bytes=4096)
    options = Options(url=url, timeout_s=1)
    courier = Courier(
        "erp",
        lambda shelf: build("erp", options, shelf, no_secret),
        log=log,
        state_dir=state_dir,
        clock=clock,
        provenance=Provenance,
        pace=Pace(base_s=0.001, cap_s=0.01, first=3, batch=8),
    )
    task = asyncio.create_task(courier.run())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for number in range(1_000_000):
        order = f"WO-{number // 7}"
        await log.append([event(("input", "LOT", "1"), ("output", f"S{number % 3}", "1"), order=order)])
        if number % 7 == 6:
            await log.append([event(("made", "PUMP", "7"), act="close", order=order)])
        await asyncio.sleep(0)
    await task


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
