"""kill -9 of the courier at any instant, fifty times: every event of the log has one effect in Tryton and one receipt."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from edge.epcis import Role
from edge.log import Log
from edge.model import Entry, Kind
from edge.simulate.tryton import TrytonSite
from sync.keys import keys_of
from sync.tryton import build
from sync.tryton.rest import Rest
from tests.sync.conftest import Bench, settled
from tests.sync.events import StillClock
from tests.sync.tryton.conftest import options, secrets
from tests.sync.tryton.story import Line, lot
from tests.sync.tryton.test_tryton_order import moves

KILLS = 50
ORDERS = 40
ROOT = Path(__file__).resolve().parents[3]
POLLS = 1200  # of 0.1 s

pytestmark = [pytest.mark.tryton, pytest.mark.timeout(400)]


def story() -> Line:
    """Forty orders of two pumps; the bearings of each come in before."""
    line = Line()
    for number in range(ORDERS):
        order, first = f"WO-{1001 + number}", 1 + 2 * number
        line.receive(lot(Role.RECEIVED, "BRG-6204", f"B-{order}", "4"), purchase="PO-1")
        line.load(order, lot(Role.LOADED, "BRG-6204", f"B-{order}", "4"))
        line.pump(order, f"SN{first}", [(f"B-{order}", "2")], f"S{first}")
        line.pump(order, f"SN{first + 1}", [(f"B-{order}", "2")], f"S{first + 1}")
        line.close(order, 2)
    return line


async def test_kill_at_any_instant_leaves_one_effect_in_tryton_and_one_receipt(
    site: TrytonSite, rest: Rest, tmp_path: Path
) -> None:
    erp = {"url": site.url, "database": site.database, "key": site.access.key}
    (tmp_path / "erp.json").write_bytes(msgspec.json.encode(erp))
    log = Log.open(tmp_path, clock=StillClock(), reserve_bytes=1, ballast_bytes=4096)
    events = story().records
    await log.append([Entry(kind=Kind.EVENT, data=record.data) for record in events])
    await log.close()
    chance = random.Random(50)
    for _ in range(KILLS):
        await live_a_while(tmp_path, chance.uniform(0.0, 0.8))
    log = Log.open(tmp_path, clock=StillClock(), reserve_bytes=1, ballast_bytes=4096)
    bench = Bench(tmp_path, log, StillClock())
    before = Counter(bench.covered())
    make = lambda shelf: build("erp", options(site), shelf, secrets(site.access))  # noqa: E731
    async with bench.running(make) as courier:
        for _ in range(POLLS):
            if settled(courier)():
                break
            await asyncio.sleep(0.1)
        status = courier.status()
    covered = bench.covered()
    await log.close()
    assert before, "the kills came before anything was delivered"
    assert len(before) < len(events), "everything was delivered before the last kill"
    assert (status.parked, status.waiting, status.gathered) == (0, 0, 0)
    assert covered == Counter(keys_of(record.data).id for record in events)
    for number in range(ORDERS):
        order, first = f"WO-{1001 + number}", 1 + 2 * number
        assert await moves(rest, order, "inputs") == Counter(
            [("BRG-6204", f"B-{order}", 4.0), ("SHAFT-9", f"S{first}", 1.0), ("SHAFT-9", f"S{first + 1}", 1.0)]
        )
        assert set(await moves(rest, order, "outputs")) == {("PUMP-100", f"SN{first + n}", 1.0) for n in (0, 1)}
        [production] = await rest.search("production", [["number", "=", order]], ["number"])
        resource = ["resource", "=", f"production,{production['id']}"]
        assert len(await rest.search("ir.attachment", [resource], ["name"])) == 1
    shipments = await rest.search("stock.shipment.in", [], ["state", "reference"])
    assert Counter(row["state"] for row in shipments) == {"done": ORDERS}
    numbers = Counter(row["number"] for row in await rest.search("stock.lot", [], ["number"]))
    assert set(numbers.values()) == {1}


async def live_a_while(state_dir: Path, seconds: float) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.sync.tryton.courier_child",
        str(state_dir),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"ready\n"
    await asyncio.sleep(seconds)
    child.send_signal(signal.SIGKILL)
    await child.wait()
