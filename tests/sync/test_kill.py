"""kill -9 at any instant, again and again: every event of the log has one effect in the ERP and one receipt."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from pathlib import Path

import pytest

from edge.log import Log
from edge.model import Kind
from edge.simulate.erp import Closing, ErpSimulator
from sync.http import Options, build
from sync.keys import keys_of
from tests.sync.conftest import Bench, settled, until
from tests.sync.events import StillClock
from tests.sync.test_http import no_secret

KILLS = 24
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("closing", list(Closing))
async def test_kill_at_any_instant_leaves_one_effect_and_one_receipt_each(tmp_path: Path, closing: Closing) -> None:
    chance = random.Random(closing.value)
    async with ErpSimulator(closing=closing) as erp:
        for _ in range(KILLS // 2):
            await _live_a_while(tmp_path, erp.url, chance.uniform(0.0, 0.15))
        log = Log.open(tmp_path, clock=StillClock(), reserve_bytes=1, ballast_bytes=4096)
        bench = Bench(tmp_path, log, StillClock())
        options = Options(url=erp.url)
        async with bench.running(lambda shelf: build("erp", options, shelf, no_secret)) as courier:
            await until(settled(courier), courier.status)
            status = courier.status()
        reader = log.reader()
        events = [keys_of(record.data).id for record in reader.read(0, 1_000_000, Kind.EVENT)]
        reader.close()
        covered = bench.covered()
        await log.close()
    effects = erp.effects()
    assert len(events) > KILLS
    assert status.parked == 0
    assert status.delivered + status.gathered == len(events)
    assert effects.events == len(events)
    assert set(erp.effect_count.values()) == {1}
    assert effects.applied + effects.gathered == len(events)
    assert effects.gathered == status.gathered
    assert effects.disorder == 0
    assert set(covered.values()) == {1}
    assert len(covered) == status.delivered


async def _live_a_while(state_dir: Path, url: str, seconds: float) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.sync.courier_child",
        str(state_dir),
        url,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"ready\n"
    await asyncio.sleep(seconds)
    child.send_signal(signal.SIGKILL)
    await child.wait()
