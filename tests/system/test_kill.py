"""kill -9 at any instant: what was beeped is on disk, once, and everything goes on from there."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from edge.simulate.erp import ErpSimulator
from edge.simulate.faultproxy import FaultProxy, Loss
from tests.system.rig import (
    BADGE,
    GOOD,
    KEY,
    LOT_SIZE,
    Daemon,
    Person,
    bearing,
    document,
    events,
    eventually,
    pump,
    records,
    scans,
    shaft,
    to_http,
    write,
)

KILLS = 50
WORKS_S = 0.35  # longest life after the first beep
SEED = 20261122


class Diligent:
    """Builds unit after unit; whatever was not answered is scanned again after the line is back."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.heard_good: Counter[str] = Counter()
        self.started: list[str] = []  #: every part and unit that was ever scanned
        self.answers = 0
        self.deaths = 0  #: of the daemon: whoever waits for an answer need not wait on

    async def build(self, enough: asyncio.Event) -> None:
        """Units until ``enough``; the last one is completed."""
        number = 0
        while not enough.is_set():
            number += 1
            for code in (shaft(f"S{number}"), pump(f"SN{number}")):
                self.started.append(code)
                await self.until_answered(code)

    async def answered(self, before: int, building: asyncio.Task[None]) -> None:
        """More than ``before``; whatever ended ``building`` is raised."""

        def more() -> bool:
            if building.done():
                building.result()
            return self.answers > before

        await eventually(more, "a scan is answered", 60)

    async def until_answered(self, code: str) -> None:
        """GOOD, or BAD because it had been taken before the answer was lost."""
        heard = self.person.scanner.heard
        while True:
            before, deaths = heard.count, self.deaths
            try:
                await self.person.scanner.scan(code.encode())
            except OSError:  # the port closed in the middle of it, as a kill does
                await asyncio.sleep(0.01)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(3):
                    while heard.count == before and self.deaths == deaths:
                        await asyncio.sleep(0.001)
            if heard.count > before:
                self.answers += 1
                self.heard_good[code] += heard.tail[-1:] == GOOD
                return


@pytest.mark.alone
@pytest.mark.timeout(300)
async def test_every_beeped_scan_survives_fifty_kills(
    tmp_path: Path, person: Person, measured: Callable[[str], None]
) -> None:
    chance = random.Random(SEED)
    lossy = {Loss.NONE: 0.85, Loss.SWALLOW: 0.05, Loss.CUT: 0.05, Loss.DROP: 0.05}
    async with ErpSimulator(key=KEY) as erp, FaultProxy(erp.port, weights=lossy, seed=SEED) as network:
        line = document(tmp_path, destinations=to_http(f"http://127.0.0.1:{network.port}/events"))
        daemon = Daemon(write(tmp_path, line), tmp_path / "state")
        worker = Diligent(person)
        enough = asyncio.Event()
        starts: list[float] = []
        try:
            daemon.start()
            await person.good(BADGE, "WO-1001", bearing("L77"))
            building = asyncio.create_task(worker.build(enough))
            for number in range(KILLS):
                at_work = number % 5 != 0
                if at_work:
                    answers = worker.answers
                    await worker.answered(answers, building)
                await asyncio.sleep(chance.uniform(0, WORKS_S if at_work else 1.0))  # every fifth dies while it starts
                daemon.kill()
                await asyncio.sleep(0.02)  # what it still said is heard, and the line is seen to be closed
                worker.deaths += 1
                began, answers = time.monotonic(), worker.answers
                daemon.start()
                if at_work:
                    await worker.answered(answers, building)
                    starts.append(time.monotonic() - began)
            enough.set()
            async with asyncio.timeout(60):
                await building
            await daemon.ready()
            view = await daemon.view()
            head = (await daemon.ask("status"))["log"]["records"]
            assert (await daemon.delivered(60))["parked"] == 0
            assert await daemon.stop() == 0
        finally:
            daemon.kill()
    state = daemon.state
    everything = records(state)
    assert [seq for seq, _ in everything[:head]] == list(range(1, head + 1))
    accepted = Counter(
        base64.b64decode(scan["raw"]).decode()
        for scan in scans(state)
        if scan["verdict"] == "accepted" and "raw" in scan
    )
    parts = {code: count for code, count in accepted.items() if code in set(worker.started)}
    assert {code for code, count in worker.heard_good.items() if count} <= parts.keys()
    assert parts == dict.fromkeys(worker.started, 1)
    assert max(worker.heard_good.values()) == 1

    bound = events(state)
    ids = [event["eventID"] for event in bound]
    assert len(ids) == len(set(ids))
    units = len(worker.started) // 2
    made = Counter(item["id"] for event in bound if event["lotline:act"] == "make" for item in _role(event, "output"))
    joined = Counter(
        item["id"] for event in bound if event["lotline:act"] == "join" for item in _role(event, "component")
    )
    assert len(made) == len(joined) == units
    assert set(made.values()) == set(joined.values()) == {1}
    consumed = sum(Decimal(item["quantity"]) for event in bound for item in _role(event, "input"))
    assert consumed == 2 * units
    assert Decimal(view["loaded"][0]["left"]) == LOT_SIZE - consumed
    assert Decimal(view["order"]["made"]) == units
    assert erp.effect_count == Counter(ids)
    middle, longest = sorted(starts)[len(starts) // 2], max(starts)
    measured(
        f"{KILLS} kills, {worker.answers} answers, {units} units, {len(everything)} records; from start to first answer "
        f"{middle:.2f} s in the median, {longest:.2f} s at most"
    )


def _role(event: dict, role: str) -> list[dict]:
    return [item for item in event["lotline:items"] if item["role"] == role]
