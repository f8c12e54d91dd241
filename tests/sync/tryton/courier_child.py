"""A process for ``test_tryton_kill``: delivers what stands in the log to Tryton until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec

from edge.clock import SystemClock
from edge.config.secrets import Mark
from edge.log import Log, Provenance
from sync.courier import Courier, Pace
from sync.tryton import Options, build


async def main(state_dir: Path) -> None:
    erp = msgspec.json.decode((state_dir / "erp.json").read_bytes())
    options = Options.model_validate({"url": erp["url"], "database": erp["database"], "key": Mark("key")})
    clock = SystemClock("UTC")
    log = Log.open(state_dir, clock=clock, reserve_bytes=1, ballast_bytes=4096)
    courier = Courier(
        "erp",
        lambda shelf: build("erp", options, shelf, {"key": erp["key"]}.__getitem__),
        log=log,
        state_dir=state_dir,
        clock=clock,
        provenance=Provenance,
        pace=Pace(base_s=0.001, cap_s=0.01, first=8, batch=24),
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await courier.run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
