"""The driver against libmodbus' server, and our server against mbpoll: things that others wrote.

libmodbus (C, libmodbus-dev) and mbpoll come from Debian; where one is missing the test says so and is skipped.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tty
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from drivers import modbus
from edge.errors import DeviceUnavailable
from edge.model import Item, Readings
from edge.simulate.modbus import ModbusSimulator, SimulatedUnit
from tests.contracts.scanners import free_port

PATIENCE_S = 30.0
SOURCE = Path(__file__).with_name("modbus_server.c")
TAGS = {
    "word": {"holding": 7, "type": "uint16", "every_s": 0.02},
    "force": {"holding": 100, "type": "float32", "every_s": 0.02},
    "cold": {"holding": 102, "type": "float32", "word_order": "little", "every_s": 0.02},
    "stroke": {"holding": 104, "type": "int32", "every_s": 0.02},
    "count": {"holding": 106, "type": "int64", "every_s": 0.02},
    "far": {"holding": 299, "type": "uint16", "every_s": 0.02},
    "room": {"input": 4, "type": "int16", "every_s": 0.02},
    "cycle": {"discrete": 3, "every_s": 0.02},
    "valve": {"coil": 9, "every_s": 0.02},
    "shut": {"coil": 8, "every_s": 0.02},
}
EXPECTED = {
    "plc.word": 7,
    "plc.force": 10412.5,
    "plc.cold": -273.25,
    "plc.stroke": -123456,
    "plc.count": -1234567890123,
    "plc.far": 299,
    "plc.room": 2240,
    "plc.cycle": 1,
    "plc.valve": 1,
    "plc.shut": 0,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Path:
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("gcc is not installed: no server to compile")
    binary = tmp_path_factory.mktemp("libmodbus") / "server"
    command = [compiler, "-O1", "-o", str(binary), str(SOURCE), "-I/usr/include/modbus", "-lmodbus"]
    built = subprocess.run(command, capture_output=True, text=True)
    if built.returncode:
        if "modbus.h" in built.stderr or "-lmodbus" in built.stderr:
            pytest.skip("libmodbus-dev is not installed")
        pytest.fail(built.stderr)
    return binary


@asynccontextmanager
async def running(binary: Path, *arguments: object) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        binary, *map(str, arguments), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        process.stdin.close()
        await process.wait()


@contextmanager
def null_modem() -> Iterator[tuple[str, str]]:
    """Two pseudo terminals, each a serial port of its own; socat-like, in this process."""
    ends = [os.openpty() for _ in range(2)]
    loop = asyncio.get_running_loop()
    try:
        for (master, slave), (other, _) in zip(ends, reversed(ends), strict=True):
            tty.setraw(slave)
            loop.add_reader(master, lambda a=master, b=other: os.write(b, os.read(a, 4096)))
        yield os.ttyname(ends[0][1]), os.ttyname(ends[1][1])
    finally:
        for master, slave in ends:
            loop.remove_reader(master)
            os.close(master)
            os.close(slave)


async def values(options: modbus.Options, frames: int = 4) -> dict[str, float]:
    got: dict[str, float] = {}
    async with asyncio.timeout(PATIENCE_S), modbus.build("plc", options).session() as items:
        for _ in range(frames):
            item: Item = await anext(items)
            assert isinstance(item, Readings)
            got |= {tag.name: number for tag, number in zip(item.layout.tags, item.values, strict=True)}
    return got


async def test_libmodbus_over_tcp_is_read_right(server):
    port = free_port()
    async with running(server, "tcp", port):
        for _ in range(2):  # and again, over a new connection
            assert await values(modbus.Options(host="127.0.0.1", port=port, tags=TAGS)) == EXPECTED


async def test_libmodbus_over_a_serial_line_is_read_right(server):
    with null_modem() as (ours, theirs):
        async with running(server, "rtu", theirs, 17):
            options = modbus.Options(port=ours, unit_id=17, quiet_ms=200, tags=TAGS)
            assert await values(options) == EXPECTED


async def test_libmodbus_refuses_a_block_that_runs_off_its_map_and_the_tags_within_are_still_read(server):
    port = free_port()
    tags = {n: {"holding": n, "type": "uint16", "every_s": 0.02} for n in (290, 299, 305)}
    async with running(server, "tcp", port):
        options = modbus.Options(host="127.0.0.1", port=port, tags={f"r{n}": tag for n, tag in tags.items()})
        async with asyncio.timeout(PATIENCE_S), modbus.build("plc", options).session() as items:
            notice, frame = await anext(items), await anext(items)
    assert notice.text == "the device refuses plc.r305 (holding 305): exception 2 (illegal data address)"
    assert list(frame.values) == [290, 299]


async def test_libmodbus_killed_ends_the_session_and_the_next_one_works(server):
    port = free_port()
    options = modbus.Options(host="127.0.0.1", port=port, tags={"word": TAGS["word"]})
    driver = modbus.build("plc", options)
    async with running(server, "tcp", port) as process, driver.session() as items:
        await anext(items)
        process.kill()
        with pytest.raises(DeviceUnavailable):
            await _until_lost(items)
    async with running(server, "tcp", port):
        assert await values(options, 1) == {"plc.word": 7}


async def _until_lost(items: AsyncGenerator[Item, None]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        async for _ in items:
            pass


# -- mbpoll asks our server --------------------------------------------------------------------------------------


async def mbpoll(*arguments: object) -> str:
    program = shutil.which("mbpoll")
    if program is None:
        pytest.skip("mbpoll is not installed")
    process = await asyncio.create_subprocess_exec(
        program, "-1", "-q", "-0", *map(str, arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    async with asyncio.timeout(PATIENCE_S):
        out, _ = await process.communicate()
    return out.decode()


def simulated() -> ModbusSimulator:
    unit = SimulatedUnit()
    unit.put("holding", 0, 10412.5, "float32", word_order="little")
    unit.put("holding", 2, -5, "int32")
    unit.put("input", 4, 2240)
    unit.put("discrete", 3, 1)
    unit.put("discrete", 4, 0)
    unit.put("coil", 9, 1)
    return ModbusSimulator({5: unit})


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (("-t", "4:float", "-r", 0), "[0]: \t10412.5"),
        (("-t", "4:int", "-B", "-r", 2), "[2]: \t-5"),
        (("-t", "3", "-r", 4), "[4]: \t2240"),
        (("-t", "1", "-r", 3, "-c", 2), "[3]: \t1\n[4]: \t0"),
        (("-t", "0", "-r", 9), "[9]: \t1"),
        (("-t", "4", "-r", 77), "Illegal data address"),
    ],
)
async def test_mbpoll_reads_our_server(asked, answered, tmp_path):
    device = simulated()
    async with device.tcp() as port:
        assert answered in await mbpoll("-m", "tcp", "-p", port, "-a", 5, *asked, "127.0.0.1")
    async with device.rtu(tmp_path / "bus"):
        line = ("-m", "rtu", "-b", 9600, "-P", "none", "-a", 5)
        assert answered in await mbpoll(*line, *asked, tmp_path / "bus")
