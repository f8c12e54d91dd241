"""A press and a climate sensor that go away, freeze, answer late or short while a unit is being made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from edge.model import Kind
from edge.simulate.modbus import ClimateModel, ModbusSimulator, Mood, PressModel, SimulatedUnit
from tests.system.rig import (
    BAD,
    BADGE,
    GOOD,
    Daemon,
    Person,
    assemble,
    bearing,
    document,
    events,
    eventually,
    hand,
    last_code,
    pump,
    records,
    running,
    shaft,
    write,
)

FORCE = {"holding": 0, "type": "float32", "unit": "N", "digits": 0, "every_s": 0.1}
WHILE_PRESSED = {
    "while": "press-2.cycle",
    "measure": {"force": {"tag": "press-2.force", "keep": ["max"], "within": {"low": 9500, "high": 11200}}},
}
MEANWHILE = {
    "measure": {
        "room": {"tag": "climate-1.temperature", "keep": ["mean"], "within": {"low": 15, "high": 35}, "fresh_s": 0.5}
    }
}


class Machine:
    """A press and a climate sensor on the network; either can be switched off."""

    def __init__(self) -> None:
        self.press_unit, self.climate_unit = SimulatedUnit(), SimulatedUnit()
        self.press, self.climate = PressModel(self.press_unit), ClimateModel(self.climate_unit)
        self.ports: dict[str, int] = {}
        self._sides = {
            "press-2": ModbusSimulator({1: self.press_unit}),
            "climate-1": ModbusSimulator({1: self.climate_unit}),
        }
        self._plugged: dict[str, AsyncExitStack] = {}

    async def plug(self, name: str) -> None:
        stack = AsyncExitStack()
        self.ports[name] = await stack.enter_async_context(self._sides[name].tcp(self.ports.get(name, 0)))
        self._plugged[name] = stack

    async def unplug(self, name: str) -> None:
        if name in self._plugged:
            await self._plugged.pop(name).aclose()

    def devices(self, folder: Path) -> dict:
        temperature = {"input": 4, "type": "int16", "scale": 0.01, "digits": 2, "unit": "°C", "every_s": 0.1}
        return {
            "hand-1": hand(folder / "hand-1"),
            "press-2": {
                "driver": "modbus", "host": "127.0.0.1", "port": self.ports["press-2"], "timeout_s": 1.0,
                "tags": {"force": FORCE, "cycle": {"discrete": 3, "every_s": 0.05}},
            },
            "climate-1": {
                "driver": "modbus", "host": "127.0.0.1", "port": self.ports["climate-1"], "timeout_s": 1.0,
                "tags": {"temperature": temperature},
            },
        }  # fmt: skip


@asynccontextmanager
async def pressing(folder: Path, person: Person, **steps: dict) -> AsyncIterator[tuple[Daemon, Machine]]:
    """A line with ``steps`` on which one unit has been made already."""
    machine = Machine()
    await machine.plug("press-2")
    await machine.plug("climate-1")
    try:
        line = document(folder, devices=machine.devices(folder), procedures={"assemble": assemble(**steps)})
        async with running(write(folder, line), folder / "state") as daemon:
            await is_("online", daemon, "press-2")
            await is_("online", daemon, "climate-1")
            await person.good(BADGE, "WO-1001", bearing("L77"), shaft("S0"))
            await pressed(daemon, machine)
            await person.good(pump("SN0"))
            yield daemon, machine
            await person.good(shaft("S9"))
            await pressed(daemon, machine)
            await person.good(pump("SN9"))  # whatever had happened, the next unit is made as ever
            assert await daemon.stop() == 0
    finally:
        await machine.unplug("press-2")
        await machine.unplug("climate-1")


async def pressed(daemon: Daemon, machine: Machine) -> None:
    """A stroke that the daemon has seen; on a busy machine the poll may miss one, as it may on a busy line."""

    async def seen() -> bool:
        await machine.press.cycle()
        return all(step["done"] for step in (await daemon.view())["steps"] if step["name"] == "press")

    await eventually(seen, "the stroke is seen")


async def is_(state: str, daemon: Daemon, device: str) -> None:
    async def now() -> bool:
        devices = {row["id"]: row["state"] for row in (await daemon.view())["devices"]}
        return devices[device] == state

    await eventually(now, f"{device} is {state}", 60)


def makes(state: Path) -> list[dict]:
    return [event for event in events(state) if event["lotline:act"] == "make"]


def sensors(event: dict) -> list[dict]:
    return [report for element in event["sensorElementList"] for report in element["sensorReport"]]


async def test_stroke_that_was_not_seen_because_the_press_was_gone_is_missing(tmp_path: Path, person: Person) -> None:
    async with pressing(tmp_path, person, press=WHILE_PRESSED) as (daemon, machine):
        await person.good(shaft("S1"))
        await machine.unplug("press-2")
        await is_("waiting", daemon, "press-2")
        await machine.press.cycle()
        assert await person.scan(pump("SN1")) == BAD
        assert last_code(daemon.state) == ("refused", "step_missing")
        view = await daemon.view()
        assert view["state"] == "blocked"
        assert view["verdict"]["level"] == "stop"
        await machine.plug("press-2")
        await is_("online", daemon, "press-2")
        assert await person.scan(pump("SN1")) == BAD  # being back is not having pressed
        await pressed(daemon, machine)
        await person.good(pump("SN1"))
    assert len(makes(tmp_path / "state")) == 3


async def test_frozen_press_does_not_complete_a_unit(tmp_path: Path, person: Person) -> None:
    async with pressing(tmp_path, person, press=WHILE_PRESSED) as (daemon, machine):
        await person.good(shaft("S1"))
        machine.press_unit.freeze()
        await machine.press.cycle()
        assert await person.scan(pump("SN1")) == BAD
        assert last_code(daemon.state) == ("refused", "step_missing")
        machine.press_unit.thaw()
        await pressed(daemon, machine)
        await person.good(pump("SN1"))


async def test_press_that_answers_too_late_does_not_complete_a_unit(tmp_path: Path, person: Person) -> None:
    async with pressing(tmp_path, person, press=WHILE_PRESSED) as (daemon, machine):
        await person.good(shaft("S1"))
        machine.press_unit.late_s = 2.5
        machine.press_unit.behave(Mood.LATE)
        await machine.press.cycle()
        assert await person.scan(pump("SN1")) == BAD
        assert last_code(daemon.state) == ("refused", "step_missing")
        await is_("waiting", daemon, "press-2")
        machine.press_unit.behave(Mood.WELL)
        await is_("online", daemon, "press-2")
        await asyncio.sleep(0.3)  # what was late is still being answered
        await pressed(daemon, machine)
        await person.good(pump("SN1"))


async def test_press_that_answers_short_gives_no_value_at_all(tmp_path: Path, person: Person) -> None:
    async with pressing(tmp_path, person, press=WHILE_PRESSED) as (daemon, machine):
        await person.good(shaft("S1"))
        machine.press_unit.behave(Mood.SHORT)
        await machine.press.cycle()
        assert await person.scan(pump("SN1")) == BAD
        verdict, code = last_code(daemon.state)
        assert (verdict, code) in {
            ("refused", "step_missing"),  # the session ended before the stroke did
            ("refused", "parameter_stale"),  # or the stroke ended without a force of its own
        }
        machine.press_unit.behave(Mood.WELL)
        await is_("online", daemon, "press-2")
        await asyncio.sleep(0.3)
        await pressed(daemon, machine)
        await person.good(pump("SN1"))
    for event in makes(tmp_path / "state"):
        (force,) = sensors(event)
        assert 9500 <= force["maxValue"] <= 11200


async def test_climate_that_is_away_is_stale_and_the_unit_completes_after_it_is_back(
    tmp_path: Path, person: Person
) -> None:
    async with pressing(tmp_path, person, air=MEANWHILE) as (daemon, machine):
        await person.good(shaft("S1"))
        await machine.unplug("climate-1")
        await is_("waiting", daemon, "climate-1")
        await asyncio.sleep(0.6)  # longer than fresh_s
        assert await person.scan(pump("SN1")) == BAD
        assert last_code(daemon.state) == ("refused", "parameter_stale")
        said = (await daemon.view())["verdict"]["say"]["en"]
        assert said.startswith("The last room from climate-1.temperature is ")
        assert said.endswith(" s old. The unit cannot be completed. Mend it, do the step again, then scan again.")
        await machine.plug("climate-1")
        await is_("online", daemon, "climate-1")
        await eventually(lambda: _completes(person), "the unit completes")


async def _completes(person: Person) -> bool:
    return await person.scan(pump("SN1")) == GOOD


async def test_parameter_that_was_never_seen_is_not_known(tmp_path: Path, person: Person) -> None:
    machine = Machine()
    await machine.plug("press-2")
    await machine.plug("climate-1")
    await machine.unplug("climate-1")
    line = document(tmp_path, devices=machine.devices(tmp_path), procedures={"assemble": assemble(air=MEANWHILE)})
    try:
        async with running(write(tmp_path, line), tmp_path / "state") as daemon:
            await person.good(BADGE, "WO-1001", bearing("L77"), shaft("S1"))
            assert await person.scan(pump("SN1")) == BAD
            assert last_code(daemon.state) == ("cannot_know", "parameter_unknown")
            await machine.plug("climate-1")
            await is_("online", daemon, "climate-1")
            await eventually(lambda: _completes(person), "the unit completes")
            assert await daemon.stop() == 0
    finally:
        await machine.unplug("press-2")
        await machine.unplug("climate-1")


async def test_stroke_before_a_restart_is_not_known_and_is_done_again(tmp_path: Path, person: Person) -> None:
    async with pressing(tmp_path, person, press=WHILE_PRESSED) as (daemon, machine):
        await person.good(shaft("S1"))
        await machine.press.cycle()
        daemon.kill()
        daemon.start()
        await daemon.ready()
        await is_("online", daemon, "press-2")
        assert await person.scan(pump("SN1")) == BAD
        assert last_code(daemon.state) == ("cannot_know", "parameter_unknown")
        await pressed(daemon, machine)
        await person.good(pump("SN1"))
    assert records(tmp_path / "state", Kind.READINGS)


async def test_reading_that_comes_while_an_event_is_made_durable_is_not_part_of_it(
    tmp_path: Path, person: Person
) -> None:
    machine = Machine()
    await machine.plug("press-2")
    await machine.plug("climate-1")
    devices = machine.devices(tmp_path)
    devices["climate-1"]["tags"]["temperature"]["every_s"] = 0.01
    line = document(tmp_path, devices=devices, procedures={"assemble": assemble(air=MEANWHILE)})
    try:
        async with running(write(tmp_path, line), tmp_path / "state") as daemon:
            await is_("online", daemon, "climate-1")
            await person.good(BADGE, "WO-1001", bearing("L77"))
            for number in range(30):
                await person.good(shaft(f"S{number}"))
                await asyncio.sleep(0.02)
                await person.good(pump(f"SN{number}"))
            assert await daemon.stop() == 0
    finally:
        await machine.unplug("press-2")
        await machine.unplug("climate-1")
    for event in makes(tmp_path / "state"):
        (element,) = event["sensorElementList"]
        span = element["sensorMetadata"]
        assert span.get("endTime", span.get("time")) <= event["eventTime"]
