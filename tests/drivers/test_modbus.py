"""The driver against our own server in every mood: what it yields, what it never yields, and what it says."""

from __future__ import annotations

import asyncio
import math
import os
from array import array
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from drivers import modbus
from drivers.modbus import bus as modbus_bus
from edge.contracts import Driver
from edge.errors import DeviceFault, DeviceUnavailable
from edge.model import Item, Notice, NoticeCode, Readings
from edge.simulate.modbus import ClimateModel, ModbusSimulator, Mood, PressModel, SimulatedUnit

PATIENCE_S = 30.0
FAST = {"timeout_s": 0.25, "quiet_ms": 150, "inter_request_ms": 1}
LINES = ["tcp", "rtu", "rtu_over_tcp"]


def word(address: int, **more: object) -> dict[str, object]:
    return {"holding": address, "type": "uint16", "every_s": 0.02, **more}


class Line:
    """One simulated line of a kind, and the options that lead to it."""

    def __init__(self, kind: str, directory: Path) -> None:
        self.kind = kind
        self.path = directory / "bus-1"
        self.port = 0
        self.units = {1: SimulatedUnit()}
        self.device = ModbusSimulator(self.units)
        self._serving = AsyncExitStack()

    @property
    def unit(self) -> SimulatedUnit:
        return self.units[1]

    @property
    def name(self) -> str:
        return str(self.path) if self.kind == "rtu" else f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Line:
        if self.kind == "rtu":
            await self._serving.enter_async_context(self.device.rtu(self.path))
        else:
            serve = self.device.tcp if self.kind == "tcp" else self.device.rtu_over_tcp
            self.port = await self._serving.enter_async_context(serve(self.port))
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._serving.aclose()

    def options(self, **given: object) -> modbus.Options:
        where = {"port": str(self.path)} if self.kind == "rtu" else {"host": "127.0.0.1", "port": self.port}
        return modbus.Options.model_validate({"transport": self.kind, **where, **FAST, **given})

    def driver(self, **given: object) -> Driver:
        return modbus.build("plc-1", self.options(**given))


@pytest.fixture(params=LINES)
async def line(request, tmp_path) -> AsyncIterator[Line]:
    async with Line(request.param, tmp_path) as made:
        yield made


@pytest.fixture
async def tcp(tmp_path) -> AsyncIterator[Line]:
    async with Line("tcp", tmp_path) as made:
        yield made


@pytest.fixture
async def rtu(tmp_path) -> AsyncIterator[Line]:
    async with Line("rtu", tmp_path) as made:
        yield made


@asynccontextmanager
async def reading(driver: Driver) -> AsyncIterator[AsyncGenerator[Item, None]]:
    async with asyncio.timeout(PATIENCE_S), driver.session() as items:
        yield items


def shown(item: Item) -> dict[str, float]:
    assert isinstance(item, Readings)
    return {tag.name: number for tag, number in zip(item.layout.tags, item.values, strict=True)}


async def take(items: AsyncGenerator[Item, None], count: int) -> list[Item]:
    return [await anext(items) for _ in range(count)]


async def frames_until_loss(driver: Driver) -> tuple[list[Item], DeviceUnavailable | DeviceFault]:
    came: list[Item] = []
    try:
        async with reading(driver) as items:
            async for item in items:
                came.append(item)
    except (DeviceUnavailable, DeviceFault) as exc:
        return came, exc
    raise AssertionError("the session ended without a reason")


# -- what it yields -----------------------------------------------------------------------------------------------


async def test_raw_numbers_of_every_table_arrive_in_one_frame_per_array_type(line: Line):
    line.unit.put("holding", 0, 412.5, "float32")
    line.unit.put("holding", 2, -7, "int32", word_order="little")
    line.unit.put("input", 9, 0b1000, "uint16")
    line.unit.put("coil", 3, 1)
    line.unit.put("discrete", 11, 1)
    tags = {
        "force": {"holding": 0, "type": "float32", "unit": "N", "scale": 2.0, "digits": 1},
        "stroke": {"holding": 2, "type": "int32", "word_order": "little", "unit": "mm", "scale": 0.01},
        "ready": {"input": 9, "type": "bool", "bit": 3},
        "valve": {"coil": 3},
        "cycle": {"discrete": 11},
    }
    async with reading(line.driver(tags=tags)) as items:
        whole, real = await take(items, 2)
        again, _ = await take(items, 2)
    assert shown(whole) == {"plc-1.stroke": -7, "plc-1.ready": 1, "plc-1.valve": 1, "plc-1.cycle": 1}
    assert shown(real) == {"plc-1.force": 412.5}
    assert (whole.values.typecode, real.values) == ("q", array("d", [412.5]))
    assert again.layout is whole.layout
    force = real.layout.tags[0]
    assert (force.unit, force.value(412.5), force.every_s) == ("NEW", 825.0, 1.0)
    assert whole.captured_at.tzinfo is not None
    assert whole.monotonic_ns < again.monotonic_ns


async def test_tags_with_different_rates_come_in_frames_of_their_own(tcp: Line):
    tcp.unit.put("holding", 0, 1)
    tcp.unit.put("holding", 1, 2)
    async with reading(tcp.driver(tags={"fast": word(0, every_s=0.01), "slow": word(1, every_s=5.0)})) as items:
        came = [shown(item) for item in await take(items, 12)]
    assert came.count({"plc-1.slow": 2}) == 1
    assert came.count({"plc-1.fast": 1}) == 11


async def test_a_profile_reads_the_sensor_it_describes(line: Line):
    ClimateModel(line.unit, celsius=22.4, humidity=45.0)
    async with reading(line.driver(profile="wirenboard-msw")) as items:
        frame = await anext(items)
    assert {t.name: t.value(v) for t, v in zip(frame.layout.tags, frame.values, strict=True)} == {
        "plc-1.temperature": 22.4,
        "plc-1.humidity": 45.0,
    }
    assert line.unit.asked[0] == (4, 4, 2)  # one request for both


async def test_a_stroke_of_the_press_is_seen_with_its_highest_force(tcp: Line):
    press = PressModel(tcp.unit)
    tags = {
        "force": {"holding": 0, "type": "float32", "unit": "N", "every_s": 0.02},
        "cycle": {"discrete": 3, "every_s": 0.02},
    }
    cycle, force = [], []
    async with reading(tcp.driver(tags=tags)) as items:
        stroke = asyncio.create_task(press.cycle())
        async for item in items:
            values = shown(item)
            cycle += [v for name, v in values.items() if name == "plc-1.cycle"]
            force += [v for name, v in values.items() if name == "plc-1.force"]
            if stroke.done():
                break
    assert 10_300 < stroke.result() < 10_500
    assert max(force) == pytest.approx(stroke.result(), rel=1e-6)
    assert (0 in cycle, 1 in cycle, cycle[-1]) == (True, True, 0)


async def test_a_deadband_holds_back_what_has_not_moved_and_tells_it_again_in_time(tcp: Line, monkeypatch):
    monkeypatch.setattr(modbus_bus, "KEEPALIVE_S", 0.4)
    tcp.unit.put("input", 0, 200, "int16")
    tag = {"input": 0, "type": "int16", "scale": 0.1, "every_s": 0.02, "deadband": 0.5}
    async with reading(tcp.driver(tags={"oil": tag})) as items:
        first = await anext(items)
        tcp.unit.put("input", 0, 205, "int16")  # 0.5 further: not beyond the deadband
        kept = await anext(items)
        tcp.unit.put("input", 0, 206, "int16")
        moved = await anext(items)
    assert [list(item.values) for item in (first, kept, moved)] == [[200], [205], [206]]
    assert (kept.monotonic_ns - first.monotonic_ns) / 1e9 > 0.3
    assert first.layout.tags[0].every_s == 0.4  # what a reader may take for fresh


async def test_one_tag_without_a_deadband_brings_the_whole_frame_each_time(tcp: Line):
    tcp.unit.put("holding", 0, 1)
    tcp.unit.put("holding", 1, 2)
    async with reading(tcp.driver(tags={"quiet": word(0, deadband=5), "live": word(1)})) as items:
        came = await take(items, 5)
    assert [shown(item) for item in came] == [{"plc-1.quiet": 1, "plc-1.live": 2}] * 5
    assert {item.layout.tags[0].every_s for item in came} == {0.02}


# -- what it never yields -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["rtu", "rtu_over_tcp"])
@pytest.mark.parametrize(
    "late_s",
    [
        pytest.param(0.3, id="while quiet"),
        pytest.param(0.5, id="as the next answer"),
        pytest.param(0.7, id="after two time-outs"),
        pytest.param(1.0, id="in the next session"),
    ],
)
async def test_a_late_answer_is_never_taken_for_the_next_one(kind: str, late_s: float, tmp_path: Path):
    """Asked for 200 it must never be 100: each register holds its own address, and the tags take turns."""
    async with Line(kind, tmp_path) as line:
        for address in (100, 200, 1300):
            line.unit.put("holding", address, address)
        line.unit.late_s = late_s
        driver = line.driver(tags={"a": word(100), "b": word(200, every_s=0.021), "c": word(1300, every_s=0.022)})
        came: list[dict[str, float]] = []
        lates = 0
        while len(came) < 36:
            try:
                async with reading(driver) as items:
                    async for item in items:
                        came.append(shown(item))
                        if len(came) // 9 > lates:
                            lates += 1
                            line.unit.behave(Mood.LATE, times=1)
                        if len(came) == 36:
                            break
            except DeviceUnavailable:
                continue  # as the supervisor would
    assert {next(iter(values.items())) for values in came} == {("plc-1.a", 100), ("plc-1.b", 200), ("plc-1.c", 1300)}


async def test_without_the_defence_the_late_answer_would_be_believed(rtu: Line):
    """What the defence is for: pymodbus alone, asked for 200, says 100."""
    from pymodbus.client import AsyncModbusSerialClient
    from pymodbus.exceptions import ModbusIOException

    rtu.unit.put("holding", 100, 100)
    rtu.unit.put("holding", 200, 200)
    rtu.unit.late_s = 0.3
    client = AsyncModbusSerialClient(str(rtu.path), timeout=0.2, retries=0, reconnect_delay=0)
    assert await client.connect()
    try:
        rtu.unit.behave(Mood.LATE, times=1)
        with pytest.raises(ModbusIOException):
            await client.read_holding_registers(100, count=1)
        assert (await client.read_holding_registers(200, count=1)).registers == [100]
    finally:
        client.close()


async def test_an_answer_to_the_session_before_is_not_taken_for_ours(rtu: Line):
    rtu.unit.put("holding", 100, 100)
    rtu.unit.put("holding", 200, 200)
    rtu.unit.late_s = 0.1
    rtu.unit.behave(Mood.LATE, times=1)

    async def ask_once() -> None:
        async with rtu.driver(tags={"a": word(100)}).session() as items:
            await anext(items)

    asking = asyncio.create_task(ask_once())
    while not rtu.device.questions:
        await asyncio.sleep(0.01)
    asking.cancel()
    await asyncio.wait({asking})
    async with reading(rtu.driver(tags={"b": word(200)})) as items:
        assert shown(await anext(items)) == {"plc-1.b": 200}


@pytest.mark.parametrize(
    ("mood", "why"),
    [
        (Mood.SILENT, "no answer within 0.25 s"),
        (Mood.SHORT, "1 values instead of 4"),
        (Mood.OTHER_FUNCTION, "an answer to something else (unit 1, function 4)"),
        (Mood.EXCEPTION, "exception 4 (device failure)"),
    ],
)
async def test_an_answer_that_is_none_yields_nothing_and_the_second_ends_the_session(line: Line, mood: Mood, why: str):
    for address in range(4):
        line.unit.put("holding", address, address)
    line.unit.behave(mood)
    came, error = await frames_until_loss(line.driver(tags={"a": word(0), "b": word(3)}))
    assert came == []
    assert error.say.zh.endswith("请检查设备电源、接线、站号和串口参数。")
    assert str(error) == (
        f"Unit 1 at {line.name} gave no usable answer 2 times in a row, last: {why}. "
        "Check the device's power and cable, its unit id and line settings."
    )


@pytest.mark.parametrize("kind", ["rtu", "rtu_over_tcp"])
async def test_a_damaged_answer_yields_nothing(kind: str, tmp_path: Path):
    async with Line(kind, tmp_path) as line:
        line.unit.put("holding", 0, 7)
        line.unit.behave(Mood.DAMAGED, times=1)
        async with reading(line.driver(tags={"a": word(0)})) as items:
            assert shown(await anext(items)) == {"plc-1.a": 7}
        assert line.device.questions == 2


@pytest.mark.parametrize(
    ("mood", "why"),
    [
        (Mood.OTHER_TRANSACTION, "no answer within 0.25 s"),
        (Mood.NO_TRANSACTION, "an answer with transaction 0 instead of 2"),  # pymodbus alone believes it
    ],
)
async def test_an_answer_to_another_transaction_is_not_believed(tcp: Line, mood: Mood, why: str):
    tcp.unit.put("holding", 0, 7)
    tcp.unit.behave(mood)
    came, error = await frames_until_loss(tcp.driver(tags={"a": word(0)}))
    assert came == []
    assert why in str(error)


async def test_a_late_answer_over_tcp_costs_one_poll_and_no_more(tcp: Line):
    tcp.unit.put("holding", 0, 7)
    tcp.unit.late_s = 0.3
    async with reading(tcp.driver(tags={"a": word(0)})) as items:
        tcp.unit.behave(Mood.LATE, times=1)
        assert [shown(item) for item in await take(items, 5)] == [{"plc-1.a": 7}] * 5


async def test_a_tcp_stream_out_of_step_is_given_up(tcp: Line):
    tcp.unit.put("holding", 0, 7)
    tcp.unit.behave(Mood.DAMAGED)
    came, error = await frames_until_loss(tcp.driver(tags={"a": word(0)}))
    assert came == []
    assert error.what == f"{tcp.name} sent what is no Modbus answer."


async def test_a_connection_that_closes_mid_answer_ends_the_session_at_once(tcp: Line):
    tcp.unit.put("holding", 0, 7)
    async with reading(tcp.driver(tags={"a": word(0)}, timeout_s=20)) as items:
        await anext(items)
        tcp.unit.behave(Mood.CUT)
        with pytest.raises(DeviceUnavailable) as caught:
            await anext(items)
    assert str(caught.value) == f"{tcp.name} went away (closed by the other side). Check the device's power and cable."


async def test_a_value_that_is_none_is_left_out_and_told_once(tcp: Line):
    tcp.unit.put("holding", 0, math.nan, "float32")
    tcp.unit.put("holding", 2, 20.5, "float32")
    tcp.unit.put("input", 0, 0x7FFF)
    tags = {
        "broken": {"holding": 0, "type": "float32", "every_s": 0.02},
        "whole": {"holding": 2, "type": "float32", "every_s": 0.02},
        "sensor": {"input": 0, "type": "int16", "every_s": 0.02, "invalid": 0x7FFF},
    }
    async with reading(tcp.driver(tags=tags)) as items:
        notice, *frames = await take(items, 4)
        tcp.unit.put("holding", 0, 20.0, "float32")
        async for item in items:
            if len(shown(item)) == 2:
                break
    assert isinstance(notice, Notice)
    assert (notice.code, notice.text) == (
        NoticeCode.NO_VALUE,
        "the device has no valid value for plc-1.broken, plc-1.sensor",
    )
    assert [shown(frame) for frame in frames] == [{"plc-1.whole": 20.5}] * 3
    assert shown(item) == {"plc-1.broken": 20.0, "plc-1.whole": 20.5}


async def test_a_frozen_value_is_still_a_value(tcp: Line):
    """A device that answers is not stale: whether a value may stay the same is for whoever knows the process."""
    tcp.unit.put("holding", 0, 7)
    tcp.unit.freeze()
    async with reading(tcp.driver(tags={"a": word(0)})) as items:
        tcp.unit.put("holding", 0, 8)
        assert [shown(item) for item in await take(items, 3)] == [{"plc-1.a": 7}] * 3
        tcp.unit.thaw()
        assert shown(await anext(items)) == {"plc-1.a": 8}


# -- what a device refuses ----------------------------------------------------------------------------------------


async def test_a_device_that_refuses_holes_is_asked_without_them_from_then_on(line: Line):
    for address in (0, 5, 6, 20):
        line.unit.put("holding", address, address)
    tags = {str(address): word(address) for address in (0, 5, 6, 20)}
    driver = line.driver(tags=tags)
    expected = {f"plc-1.{address}": address for address in (0, 5, 6, 20)}
    async with reading(driver) as items:
        assert [shown(item) for item in await take(items, 2)] == [expected] * 2
    assert list(line.unit.asked)[:7] == [(3, 0, 21), (3, 0, 1), (3, 5, 2), (3, 20, 1), (3, 0, 1), (3, 5, 2), (3, 20, 1)]
    line.unit.asked.clear()
    async with reading(driver) as items:
        assert shown(await anext(items)) == expected
    assert (3, 0, 21) not in line.unit.asked


async def test_a_tag_that_is_refused_is_named_and_the_others_are_read(line: Line):
    for address in (0, 1, 2):
        line.unit.put("holding", address, address)
    tags = {"a": word(0), "b": word(1), "c": word(2), "wrong": word(3)}
    async with reading(line.driver(tags=tags)) as items:
        notice, *frames = await take(items, 3)
    assert (notice.code, notice.text) == (
        NoticeCode.NO_VALUE,
        "the device refuses plc-1.wrong (holding 3): exception 2 (illegal data address)",
    )
    assert [shown(frame) for frame in frames] == [{"plc-1.a": 0, "plc-1.b": 1, "plc-1.c": 2}] * 2
    assert list(line.unit.asked).count((3, 3, 1)) == 1  # not again for a minute


async def test_a_device_that_refuses_everything_is_a_fault_that_says_what_to_do(line: Line):
    came, error = await frames_until_loss(line.driver(tags={"a": word(4000), "b": word(4001)}))
    assert isinstance(error, DeviceFault)
    assert not [item for item in came if isinstance(item, Readings)]
    assert str(error) == (
        f"Unit 1 at {line.name} answers, but refuses every tag: exception 2 (illegal data address). Correct the tags' "
        "tables and addresses (zero-based, unless one_based: true), or unit_id."
    )


async def test_a_wrong_unit_id_behind_a_gateway_is_told_in_the_gateway_s_words(tcp: Line):
    came, error = await frames_until_loss(tcp.driver(tags={"a": word(0)}, unit_id=9))
    assert came == []
    assert error.what == (
        f"Unit 9 at {tcp.name} gave no usable answer 2 times in a row, last: exception 11 "
        "(the device behind the gateway does not answer)."
    )


# -- a bus --------------------------------------------------------------------------------------------------------


def bus(line: Line, *unit_ids: int, **given: object) -> Driver:
    return modbus.build_bus({f"room-{n}": line.options(unit_id=n, tags={"t": word(0)}, **given) for n in unit_ids})


async def test_devices_of_a_bus_are_read_each_under_its_own_name(rtu: Line):
    for n in (1, 2, 3):
        rtu.units[n] = rtu.device.units[n] = SimulatedUnit()
        rtu.units[n].put("holding", 0, n)
    driver = bus(rtu, 1, 2, 3)
    assert driver.device_ids == ("room-1", "room-2", "room-3")
    async with reading(driver) as items:
        came = [shown(item) for item in await take(items, 30)]
    assert {frozenset(values.items()) for values in came} == {frozenset({(f"room-{n}.t", n)}) for n in (1, 2, 3)}


async def test_an_absent_slave_is_told_and_does_not_stall_the_others(rtu: Line):
    rtu.unit.put("holding", 0, 1)
    absent = SimulatedUnit()
    absent.put("holding", 0, 2)
    async with reading(bus(rtu, 1, 2)) as items:
        came = await take(items, 100)
        told = [item for item in came if isinstance(item, Notice)]
        assert rtu.device.questions - len(rtu.unit.asked) <= 8  # twice, then at growing intervals
        rtu.device.units[2] = absent
        back = [item async for item in _until(items, "room-2")]
    assert [(n.device, n.code, n.text) for n in told] == [("room-2", NoticeCode.SILENT, "no answer within 0.25 s")]
    assert [n.code for n in back if isinstance(n, Notice)] == [NoticeCode.ANSWERING]
    assert shown(back[-1]) == {"room-2.t": 2}


async def _until(items: AsyncGenerator[Item, None], device: str) -> AsyncIterator[Item]:
    async for item in items:
        yield item
        if isinstance(item, Readings) and item.layout.device == device:
            return


async def test_a_bus_on_which_nobody_answers_ends_its_session(rtu: Line):
    rtu.device.units.clear()
    driver = bus(rtu, 1, 2)
    came, error = await frames_until_loss(driver)
    assert [item.code for item in came] == [NoticeCode.SILENT, NoticeCode.SILENT]
    assert str(error) == (
        f"None of the 2 devices at {rtu.name} answers, last: no answer within 0.25 s. "
        "Check the power of the bus, its cable and line settings."
    )
    came, _ = await frames_until_loss(driver)
    assert came == []  # told once, until they answer


async def test_a_slave_that_refuses_everything_is_silent_with_the_reason_and_the_others_go_on(rtu: Line):
    rtu.unit.put("holding", 0, 1)
    rtu.device.units[2] = SimulatedUnit()
    async with reading(bus(rtu, 1, 2)) as items:
        came = await take(items, 50)
    (notice,) = [item for item in came if isinstance(item, Notice)]
    assert (notice.device, notice.code, notice.text) == (
        "room-2",
        NoticeCode.SILENT,
        "exception 2 (illegal data address)",
    )


# -- the line itself ----------------------------------------------------------------------------------------------


async def test_a_refused_connection_says_so(tmp_path: Path):
    async with Line("tcp", tmp_path) as line:
        driver = line.driver(tags={"a": word(0)})
    _, error = await frames_until_loss(driver)
    assert str(error) == (
        f"{line.name} refuses the connection. Switch on the device's Modbus server, or correct port in the file."
    )


async def test_a_port_that_is_not_there_says_so(tmp_path: Path):
    path = tmp_path / "nothing"
    driver = modbus.build("d", modbus.Options.model_validate({"port": str(path), "tags": {"a": word(0)}}))
    _, error = await frames_until_loss(driver)
    assert str(error) == f"{path} is not there. Plug the adapter in, or correct its port in the file."


async def test_a_file_is_no_serial_port(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"")
    driver = modbus.build("d", modbus.Options.model_validate({"port": str(path), "tags": {"a": word(0)}}))
    _, error = await frames_until_loss(driver)
    assert isinstance(error, DeviceFault)
    assert error.what == f"{path} is no serial port."


async def test_an_unplugged_adapter_ends_the_session_at_once(tmp_path: Path):
    line = Line("rtu", tmp_path)
    line.unit.put("holding", 0, 7)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(line)
        items = await stack.enter_async_context(reading(line.driver(tags={"a": word(0)}, timeout_s=20)))
        await anext(items)
        await line.__aexit__()
        with pytest.raises(DeviceUnavailable, match="went away"):
            await anext(items)


async def test_a_second_program_on_the_port_is_told(rtu: Line):
    import serial

    with serial.Serial(str(rtu.path), exclusive=True):
        _, error = await frames_until_loss(rtu.driver(tags={"a": word(0)}))
    assert error.what == f"{rtu.path} is in use by another program."


async def test_cancelling_releases_line_and_descriptor_while_a_question_is_open(line: Line):
    line.unit.put("holding", 0, 7)
    line.unit.behave(Mood.SILENT)
    before = set(os.listdir("/proc/self/fd"))

    async def run() -> None:
        async with line.driver(tags={"a": word(0)}, timeout_s=20).session() as items:
            await anext(items)

    task = asyncio.create_task(run())
    while not line.device.questions:
        await asyncio.sleep(0.01)
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=1.0)
    assert done == {task}
    for _ in range(100):
        if set(os.listdir("/proc/self/fd")) == before:
            break
        await asyncio.sleep(0.01)
    assert set(os.listdir("/proc/self/fd")) == before
    line.unit.behave(Mood.WELL)
    async with reading(line.driver(tags={"a": word(0)})) as items:
        assert shown(await anext(items)) == {"plc-1.a": 7}
