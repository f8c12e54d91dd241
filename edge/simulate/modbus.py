"""Modbus devices: registers that Python sets, served over TCP, over RTU on a pseudo terminal, and over RTU in TCP.

The framing is written from the Modbus Application Protocol V1.1b3 and Modbus over Serial Line V1.02, apart from what
the driver uses, so that the two can disagree. A server answers one question after another, as a real device does: while
it is late with one, the next waits. On demand it misbehaves (``Mood``).
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import struct
import tty
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal, Protocol

Space = Literal["coil", "discrete", "input", "holding"]
Shape = Literal["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
_SHAPES: Final = {
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "float32": "f",
    "float64": "d",
}
_SPACES: Final[Mapping[int, Space]] = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
_QUESTION: Final = 8  # bytes of an RTU read request, and of a single write
_ILLEGAL_FUNCTION, _ILLEGAL_ADDRESS, _ILLEGAL_VALUE, _NO_TARGET = 1, 2, 3, 11


class Mood(StrEnum):
    """How a unit answers."""

    WELL = "well"
    SILENT = "silent"  #: not at all
    LATE = "late"  #: rightly, after ``late_s``
    SHORT = "short"  #: with the first value only
    EXCEPTION = "exception"  #: with ``exception``
    OTHER_TRANSACTION = "other_transaction"  #: rightly, with a transaction id that nobody used (TCP)
    NO_TRANSACTION = "no_transaction"  #: rightly, with transaction id 0 (TCP)
    OTHER_FUNCTION = "other_function"  #: as if another table had been asked
    DAMAGED = "damaged"  #: a checksum that is wrong (RTU), a length that is (TCP)
    CUT = "cut"  #: half of it, then the connection closes


class SimulatedUnit:
    """One device: what stands in its tables, and its mood. Reading where nothing stands is exception 2."""

    def __init__(self) -> None:
        self.spaces: dict[Space, dict[int, int]] = {"coil": {}, "discrete": {}, "input": {}, "holding": {}}
        self.late_s = 0.5
        self.exception = 4
        self.asked: deque[tuple[int, int, int]] = deque(maxlen=1000)  #: (function, address, count)
        self._mood = Mood.WELL
        self._times: int | None = None
        self._frozen: dict[Space, dict[int, int]] | None = None

    def put(
        self,
        space: Space,
        address: int,
        value: float,
        shape: Shape = "uint16",
        *,
        word_order: Literal["big", "little"] = "big",
    ) -> None:
        """``value`` into ``space`` at ``address``, zero-based."""
        if space in ("coil", "discrete"):
            self.spaces[space][address] = int(bool(value))
            return
        number = value if shape.startswith("float") else int(value)
        raw = struct.pack(f">{_SHAPES[shape]}", number)
        words = list(struct.unpack(f">{len(raw) // 2}H", raw))
        for offset, word in enumerate(words if word_order == "big" else reversed(words)):
            self.spaces[space][address + offset] = word

    def behave(self, mood: Mood, times: int | None = None) -> None:
        """From the next question on; after ``times`` of them well again."""
        self._mood, self._times = mood, times

    def freeze(self) -> None:
        """Answers go on, with the values of this moment."""
        self._frozen = {space: dict(values) for space, values in self.spaces.items()}

    def thaw(self) -> None:
        """Live values again."""
        self._frozen = None

    def take_mood(self) -> Mood:
        """The mood of this question."""
        mood = self._mood
        if self._times is not None:
            self._times -= 1
            if self._times <= 0:
                self._mood, self._times = Mood.WELL, None
        return mood

    def answer(self, question: bytes, mood: Mood) -> bytes:
        """The PDU that answers the PDU ``question``."""
        function = question[0]
        if mood is Mood.EXCEPTION:
            return bytes((function | 0x80, self.exception))
        if function not in _SPACES or len(question) != 5:
            return bytes((function | 0x80, _ILLEGAL_FUNCTION))
        address, count = struct.unpack(">HH", question[1:])
        self.asked.append((function, address, count))
        space = _SPACES[function]
        if not 1 <= count <= (2000 if space in ("coil", "discrete") else 125):
            return bytes((function | 0x80, _ILLEGAL_VALUE))
        stored = (self._frozen or self.spaces)[space]
        if any(place not in stored for place in range(address, address + count)):
            return bytes((function | 0x80, _ILLEGAL_ADDRESS))
        values = [stored[place] for place in range(address, address + (1 if mood is Mood.SHORT else count))]
        body = _bits(values) if space in ("coil", "discrete") else struct.pack(f">{len(values)}H", *values)
        told = {1: 2, 2: 1, 3: 4, 4: 3}[function] if mood is Mood.OTHER_FUNCTION else function
        return bytes((told, len(body))) + body


class ModbusSimulator:
    """Units behind one line. ``questions`` counts what was understood, whoever it was for."""

    def __init__(self, units: Mapping[int, SimulatedUnit]) -> None:
        self.units = dict(units)
        self.questions = 0
        self._lines: set[_Line] = set()

    async def blurt(self, data: bytes) -> None:
        """Say ``data`` on every open line, asked or not."""
        for line in tuple(self._lines):
            await line.blurt(data)

    @asynccontextmanager
    async def tcp(self, port: int = 0) -> AsyncGenerator[int, None]:
        """Modbus TCP on loopback; gives the port. A unit that is not there is exception 11, as gateways do it."""
        async with self._listen(port, self._serve_tcp) as taken:
            yield taken

    @asynccontextmanager
    async def rtu_over_tcp(self, port: int = 0) -> AsyncGenerator[int, None]:
        """RTU frames in a TCP stream, as a serial-to-Ethernet box passes them on; gives the port."""
        async with self._listen(port, self._serve_rtu) as taken:
            yield taken

    @asynccontextmanager
    async def rtu(self, path: Path) -> AsyncGenerator[None, None]:
        """A pseudo terminal; ``path`` becomes a symlink to it. Leaving unplugs it."""
        with _pseudo_terminal(path) as master:
            loop = asyncio.get_running_loop()
            reader = asyncio.StreamReader()
            loop.add_reader(master, lambda: reader.feed_data(os.read(master, 4096)))
            line = _Terminal(master)
            self._lines.add(line)
            task = asyncio.create_task(self._serve_rtu(reader, line))
            try:
                yield
            finally:
                self._lines.discard(line)
                loop.remove_reader(master)
                await _stop({task})

    @asynccontextmanager
    async def _listen(self, port: int, serve: Serve) -> AsyncGenerator[int, None]:
        tasks: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            line = _Stream(writer)
            self._lines.add(line)
            task = asyncio.create_task(serve(reader, line))
            tasks.add(task)
            task.add_done_callback(lambda _: self._lines.discard(line))
            task.add_done_callback(lambda _: writer.transport.abort())

        server = await asyncio.start_server(connected, "127.0.0.1", port)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            await _stop(tasks)
            await server.wait_closed()

    async def _serve_tcp(self, reader: asyncio.StreamReader, line: _Line) -> None:
        while head := await _exactly(reader, 7):
            transaction, _, length, unit_id = struct.unpack(">HHHB", head)
            question = await _exactly(reader, length - 1)
            if not question:
                return
            self.questions += 1
            unit = self.units.get(unit_id)
            mood = unit.take_mood() if unit else Mood.WELL
            if mood is Mood.SILENT:
                continue
            if unit is not None and mood is Mood.LATE:
                await asyncio.sleep(unit.late_s)
            body = unit.answer(question, mood) if unit else bytes((question[0] | 0x80, _NO_TARGET))
            transaction = {Mood.OTHER_TRANSACTION: transaction ^ 0x4000, Mood.NO_TRANSACTION: 0}.get(mood, transaction)
            size = len(body) + 1 + (64 if mood is Mood.DAMAGED else 0)
            frame = struct.pack(">HHHB", transaction, 0, size, unit_id) + body
            if not line.send(frame, mood):
                return

    async def _serve_rtu(self, reader: asyncio.StreamReader, line: _Line) -> None:
        heard = b""
        while data := await reader.read(256):
            heard += data
            while len(heard) >= _QUESTION:
                frame = heard[:_QUESTION]
                if crc(frame[:-2]) != frame[-2:]:
                    heard = heard[1:]  # out of step: look for the next start
                    continue
                heard = heard[_QUESTION:]
                self.questions += 1
                if not await self._answer_rtu(frame, line):
                    return

    async def _answer_rtu(self, frame: bytes, line: _Line) -> bool:
        unit = self.units.get(frame[0])
        if unit is None or (mood := unit.take_mood()) is Mood.SILENT:
            return True  # on a bus nobody speaks for an absent device
        if mood is Mood.LATE:
            await asyncio.sleep(unit.late_s)
        answer = frame[:1] + unit.answer(frame[1:-2], mood)
        check = crc(answer)
        return line.send(answer + (bytes((check[0] ^ 0xFF, check[1])) if mood is Mood.DAMAGED else check), mood)


class PressModel:
    """A press: ``force`` (holding 0, float32, N) and ``cycle`` (discrete 3), as in the demo's file.

    One stroke lasts about 0.6 s: the bit rises, the force climbs to about 10,400 N, is held, falls; the bit drops.
    """

    PEAK_N: Final = 10_400.0
    _STEPS: Final = 30
    _STEP_S: Final = 0.02
    _REST_S: Final = 0.2  # long enough for a poll every 50 ms to see the bit down between two strokes

    def __init__(self, unit: SimulatedUnit, *, seed: int = 1) -> None:
        self._unit = unit
        self._random = random.Random(seed)
        self._force(0.0)
        unit.put("discrete", 3, 0)

    async def cycle(self, peak_n: float | None = None) -> float:
        """One stroke; returns its highest force."""
        peak = peak_n if peak_n is not None else self.PEAK_N + self._random.uniform(-60, 60)
        self._unit.put("discrete", 3, 1)
        try:
            for step in range(self._STEPS):
                self._force(peak * _stroke(step / (self._STEPS - 1)))
                await asyncio.sleep(self._STEP_S)
        finally:
            self._unit.put("discrete", 3, 0)
            self._force(0.0)
        await asyncio.sleep(self._REST_S)
        return peak

    def _force(self, newton: float) -> None:
        self._unit.put("holding", 0, newton, "float32")


class ClimateModel:
    """A room sensor as the profile ``wirenboard-msw`` reads it: input 4 = °C × 100, input 5 = %RH × 100."""

    def __init__(self, unit: SimulatedUnit, *, celsius: float = 22.4, humidity: float = 45.0, seed: int = 2) -> None:
        self._unit = unit
        self._middle = celsius, humidity
        self._random = random.Random(seed)
        self.show(celsius, humidity)

    def show(self, celsius: float, humidity: float) -> None:
        """These values from now on."""
        self.celsius, self.humidity = celsius, humidity
        self._unit.put("input", 4, round(celsius * 100), "int16")
        self._unit.put("input", 5, round(humidity * 100), "int16")

    async def drift(self, every_s: float = 1.0) -> None:
        """For ever: small steps around where it began."""
        while True:
            await asyncio.sleep(every_s)
            celsius = self.celsius + self._random.gauss(0, 0.03) + (self._middle[0] - self.celsius) * 0.05
            humidity = self.humidity + self._random.gauss(0, 0.1) + (self._middle[1] - self.humidity) * 0.05
            self.show(celsius, min(100.0, max(0.0, humidity)))


def crc(data: bytes) -> bytes:
    """CRC-16 of an RTU frame, low byte first: Modbus over Serial Line V1.02 §6.2.2."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


class _Line(Protocol):
    def send(self, frame: bytes, mood: Mood) -> bool:
        """False when the connection is over."""

    async def blurt(self, data: bytes) -> None:
        """Say it all, as fast as the line takes it."""


Serve = Callable[[asyncio.StreamReader, _Line], Coroutine[None, None, None]]


class _Stream:
    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def send(self, frame: bytes, mood: Mood) -> bool:
        if self._writer.is_closing():
            return False
        if mood is Mood.CUT:
            self._writer.write(frame[: len(frame) // 2])
            self._writer.close()
            return False
        self._writer.write(frame)
        return True

    async def blurt(self, data: bytes) -> None:
        self._writer.write(data)
        with suppress(ConnectionError):
            await self._writer.drain()


class _Terminal:
    def __init__(self, master: int) -> None:
        self._master = master

    def send(self, frame: bytes, mood: Mood) -> bool:
        os.write(self._master, frame[: len(frame) // 2] if mood is Mood.CUT else frame)  # a wire cannot close
        return True

    async def blurt(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:
                await asyncio.sleep(0.001)


@contextmanager
def _pseudo_terminal(path: Path) -> Generator[int, None, None]:
    """The master's descriptor; ``path`` leads to the other end until it is left."""
    master, slave = os.openpty()  # our own hold on the slave lets clients come and go without a hang-up
    try:
        tty.setraw(slave)
        os.set_blocking(master, False)
        path.unlink(missing_ok=True)
        path.symlink_to(os.ttyname(slave))
        yield master
    finally:
        path.unlink(missing_ok=True)
        os.close(slave)
        os.close(master)


def _stroke(part: float) -> float:
    """The share of the highest force after ``part`` of the stroke: approach, rise, hold, release."""
    if part < 0.2:
        return 0.03 * part / 0.2
    if part < 0.55:
        return 0.03 + 0.97 * math.sin((part - 0.2) / 0.35 * math.pi / 2)
    return 1.0 if part < 0.9 else (1.0 - part) / 0.1


def _bits(values: list[int]) -> bytes:
    packed = bytearray(-(-len(values) // 8))
    for place, value in enumerate(values):
        packed[place // 8] |= value << place % 8
    return bytes(packed)


async def _exactly(reader: asyncio.StreamReader, count: int) -> bytes:
    """``count`` bytes, or none when the peer is gone."""
    try:
        return await reader.readexactly(count)
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


async def _stop(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
