"""A wall clock that jumps two hours back under the running line."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from edge.log.readingsfile import day_path, days, read_samples, to_us
from edge.log.verify import verify
from edge.model import Kind
from edge.simulate.erp import ErpSimulator
from tests.system.rig import (
    BAD,
    BADGE,
    GOOD,
    KEY,
    Daemon,
    Person,
    assemble,
    bearing,
    document,
    events,
    eventually,
    last_code,
    pump,
    records,
    scans,
    shaft,
    to_http,
    write,
)
from tests.system.test_machine import MEANWHILE, Machine, is_

STEP_S = 7200
READINGS = 20  # two seconds of ten a second, on either side of the step
SOURCE = Path(__file__).with_name("wallclock.c")


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed: the wall clock of one process cannot be moved")
    library = tmp_path_factory.mktemp("clock") / "wallclock.so"
    subprocess.run(["gcc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
    return library


class Wall:
    """The daemon's wall clock."""

    def __init__(self, shim: Path, folder: Path) -> None:
        self._file = folder / "offset"
        self.step(0)
        self.environment = {"LD_PRELOAD": str(shim), "LOTLINE_TEST_CLOCK": str(self._file)}

    def step(self, seconds: int) -> None:
        self._file.write_text(f"{seconds}\n")


@pytest_asyncio.fixture
async def machine() -> AsyncIterator[Machine]:
    machine = Machine()
    await machine.plug("press-2")
    await machine.plug("climate-1")
    try:
        yield machine
    finally:
        await machine.unplug("press-2")
        await machine.unplug("climate-1")


async def test_clock_two_hours_back_is_recorded_and_changes_no_order_and_no_decision(
    tmp_path: Path, person: Person, machine: Machine, shim: Path
) -> None:
    wall = Wall(shim, tmp_path)
    async with ErpSimulator(key=KEY) as erp:
        line = document(
            tmp_path,
            devices=machine.devices(tmp_path),
            procedures={"assemble": assemble(air=MEANWHILE)},
            destinations=to_http(erp.url),
        )
        line["stations"]["ST10"]["repeat_s"] = 30
        yesterday = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
        line["masters"]["lots"].append({"material": "BRG-6204", "lot": "OLD", "expiry": yesterday, "quantity": 5})
        daemon = Daemon(write(tmp_path, line), tmp_path / "state", environment=wall.environment)
        try:
            daemon.start()
            await daemon.ready()
            await is_("online", daemon, "climate-1")
            await person.good(BADGE, "WO-1001", bearing("L77"), shaft("S1"), pump("SN1"), shaft("S2"))
            await asyncio.sleep(2.5)  # readings of three seconds are on disk
            wall.step(-STEP_S)
            ((_, step),) = await eventually(lambda: _steps(daemon), "the step is recorded")
            assert step["stepS"] == pytest.approx(-STEP_S, abs=2)
            assert await person.silent(shaft("S2"), 1.0) == b""  # a bouncing trigger is one before and after the step
            assert last_code(daemon.state) == ("repeated", "repeated")
            await person.good(pump("SN2"))  # the climate is as fresh as before
            assert await person.scan(bearing("OLD")) == BAD
            assert last_code(daemon.state) == ("refused", "lot_expired")
            assert await person.scan(pump("SN1")) == BAD
            await person.good(shaft("S3"))
            assert await person.scan(pump("SN1")) == BAD
            assert last_code(daemon.state) == ("refused", "duplicate_serial")
            await person.good(pump("SN3"))
            await asyncio.sleep(2.5)
            before = (await daemon.ask("status"))["log"]["readings"]
            await daemon.delivered()
            daemon.kill()
            daemon.start()  # and a start under the wrong clock
            await daemon.ready()
            await is_("online", daemon, "climate-1")
            assert await person.silent(shaft("S4"), 5.0) == GOOD
            assert (await daemon.ask("status"))["log"]["readings"] >= before
            wall.step(0)
            await eventually(lambda: _twice(daemon), "the step forward is recorded")
            await eventually(lambda: _completes(person), "the unit completes")
            await daemon.delivered()
            assert erp.effect_count.keys() == {event["eventID"] for event in events(daemon.state)}
            assert set(erp.effect_count.values()) == {1}
            assert erp.effects().disorder == 0
            assert await daemon.stop() == 0
        finally:
            daemon.kill()
    everything = records(daemon.state)
    assert [seq for seq, _ in everything] == list(range(1, len(everything) + 1))
    assert verify(daemon.state, lambda done, of: None).fault is None
    folder = daemon.state / "readings"
    samples = [
        sample
        for day in days(folder)
        for sample in read_samples(day_path(folder, day), "climate-1.temperature", 0, 2**62)
    ]
    middle_us = to_us(datetime.now(UTC) - timedelta(seconds=STEP_S / 2))
    assert sum(sample.time_us < middle_us for sample in samples) >= READINGS  # of the two hours that came twice
    assert sum(sample.time_us > middle_us for sample in samples) >= READINGS
    numbers = [scan["capturedMonotonicNs"] for scan in scans(daemon.state)]
    assert numbers == sorted(numbers)
    made = [event for event in events(daemon.state) if event["lotline:act"] == "make"]
    assert [item["serial"] for event in made for item in event["lotline:items"] if item["role"] == "output"] == [
        "SN1", "SN2", "SN3", "SN4",
    ]  # fmt: skip
    times = [datetime.fromisoformat(event["eventTime"]) for event in made]
    assert times[0] > times[1] < times[3]  # what the clock said is kept as it said it


async def _steps(daemon: Daemon) -> list:
    return [(seq, record) for seq, record in records(daemon.state, Kind.AUDIT) if record["act"] == "clock_step"]


async def _twice(daemon: Daemon) -> bool:
    steps = [record["stepS"] for _, record in await _steps(daemon)]
    return sum(step > STEP_S / 2 for step in steps) == 1


async def _completes(person: Person) -> bool:
    return await person.scan(pump("SN4")) == GOOD
