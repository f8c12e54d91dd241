"""One Modbus line: a question, and either its answer or the reason why there is none. Never somebody else's answer.

pymodbus frames and decodes; the transport under it is ours, so that the reason of a failure is not lost and nothing
blocks the loop. What pymodbus 3.16 does not check is checked here: the number of values, the function code, the unit,
and a transaction id of 0, which it takes for any. It neither retries nor reconnects (retries=0, reconnect_delay=0).

RTU has no transaction id, so an answer that comes after its time-out looks like the answer to the next question: asked
for 200 one would get 100, and stay one behind for ever. The defence, for RTU on a wire and over TCP alike:

1. After a question without a usable answer, that unit is in doubt: it is not asked for ``quiet_s``, and what arrives
   meanwhile is thrown away. Other units are asked: an answer names its unit.
2. The answer that ends the doubt is on probation. It is believed only if in all, until ``quiet_s`` after it, nothing but
   it was heard: had the late answer come first, the true one would follow. Then both are thrown away, and it starts anew.

Every unit begins in doubt, because nobody knows who asked before us; doubt outlives the session.

One coroutine asks, one question at a time; there is no lock because there is no second.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from drivers.modbus.plan import Request, Table
from drivers.modbus.wire import Wiring, open_socket, open_wire
from edge.errors import DeviceFault, DeviceUnavailable
from edge.wording import Words
from edge.wording.devices import NOT_INSTALLED
from edge.wording.modbus import (
    CLOSED,
    DAMAGED,
    LINE_GONE,
    NO_ANSWER,
    OTHER_ANSWER,
    OTHER_TRANSACTION,
    OUT_OF_STEP,
    SHORT_ANSWER,
    TWO_ANSWERS,
)

if TYPE_CHECKING:
    from pymodbus.client import AsyncModbusTcpClient
    from pymodbus.pdu import ModbusPDU

_FUNCTIONS: Final = {Table.COIL: 1, Table.DISCRETE: 2, Table.HOLDING: 3, Table.INPUT: 4}
_EXCEPTION: Final = 0x80
_FOREVER_S: Final = 3600.0  # pymodbus's own time-out never strikes: every question has ours


class Unit(Struct, frozen=True, kw_only=True):
    """How one device wants to be spoken to."""

    unit_id: int
    timeout_s: float
    quiet_s: float
    pause_s: float  #: between an answer and the next question


class Values(Struct, frozen=True, kw_only=True):
    """The answer: one number per address asked for, in order (a bit is a bool)."""

    values: Sequence[int]
    captured_at: datetime
    monotonic_ns: int


class Refusal(Struct, frozen=True, kw_only=True):
    """The device said no: an exception response, Modbus Application Protocol V1.1b3 §7."""

    code: int


class Silence(Struct, frozen=True, kw_only=True):
    """Nothing that may be believed was heard."""

    why: Words


Answer = Values | Refusal | Silence


class Doubts:
    """Which units of a line may still owe an answer. The owner of the line keeps it from session to session."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self._quiet_s = {unit.unit_id: unit.quiet_s for unit in units}
        self._until: dict[int, float] = dict.fromkeys(self._quiet_s, 0.0)

    def __contains__(self, unit: Unit) -> bool:
        return unit.unit_id in self._until

    def until(self, unit: Unit) -> float:
        """The monotonic instant from which ``unit`` may be asked."""
        return self._until.get(unit.unit_id, 0.0)

    def renew(self) -> None:
        """The line was opened: what is still on its way is heard out first."""
        for unit_id in self._until:
            self._until[unit_id] = time.monotonic() + self._quiet_s[unit_id]

    def add(self, unit: Unit) -> None:
        """``unit`` was asked and gave no usable answer."""
        self._until[unit.unit_id] = time.monotonic() + unit.quiet_s

    def clear(self, unit: Unit) -> None:
        """``unit`` owes nothing."""
        self._until.pop(unit.unit_id, None)


@asynccontextmanager
async def open_link(wiring: Wiring, doubts: Doubts) -> AsyncGenerator[Link, None]:
    """The line, open. Raises DeviceUnavailable or DeviceFault."""
    client = _client(wiring)
    ear = _Ear(client)
    try:
        async with open_wire(wiring, ear) if wiring.kind == "rtu" else open_socket(wiring, ear):
            doubts.renew()
            yield Link(wiring, client, ear, doubts)
    finally:
        client.close()


class Link:
    """An open line. Used by one coroutine."""

    def __init__(self, wiring: Wiring, client: AsyncModbusTcpClient, ear: _Ear, doubts: Doubts) -> None:
        self._wiring = wiring
        self._client = client
        self._ear = ear
        self._doubts = doubts
        self._answered_at = 0.0

    def ready_at(self, unit: Unit) -> float:
        """The monotonic instant from which ``unit`` may be asked."""
        return 0.0 if self._wiring.kind == "tcp" else self._doubts.until(unit)

    async def ask(self, unit: Unit, request: Request) -> Answer:
        """One question. Raises DeviceUnavailable when the line itself is gone."""
        pause = max(self.ready_at(unit), self._answered_at + unit.pause_s) - time.monotonic()
        if pause > 0:
            await asyncio.sleep(pause)
        if self._wiring.kind == "tcp":  # a transaction id tells whose answer it is
            return await self._exchange(unit, request)
        answer: Answer = Silence(why=DAMAGED)
        try:
            answer = await self._believed(unit, request)
        finally:  # also when the session ends while the question is open
            self._answered_at = time.monotonic()
            if isinstance(answer, Silence):
                self._doubts.add(unit)
            else:
                self._doubts.clear(unit)
        return answer

    async def _believed(self, unit: Unit, request: Request) -> Answer:
        before = self._ear.heard
        answer = await self._exchange(unit, request)
        if unit not in self._doubts or isinstance(answer, Silence):
            return answer
        await asyncio.sleep(unit.quiet_s)
        self._check_alive()
        return answer if self._ear.heard - before == _frame_size(request, answer) else Silence(why=TWO_ANSWERS)

    async def _exchange(self, unit: Unit, request: Request) -> Answer:
        from pymodbus.exceptions import ModbusException

        if self._wiring.kind == "tcp" and self._client.ctx.recv_buffer:
            # half a frame: its rest would be read as the head of the next one
            raise DeviceUnavailable(*OUT_OF_STEP.fill(line=self._wiring.name))
        self._check_alive()
        deadline = asyncio.timeout(unit.timeout_s)
        try:
            async with deadline:
                self._ear.listen(deadline)
                reply = await self._send(unit, request)
        except (TimeoutError, ModbusException) as exc:
            self._check_alive()
            if self._ear.damaged or isinstance(exc, ModbusException):
                return Silence(why=DAMAGED)
            return Silence(why=NO_ANSWER.fill({"seconds": f"{unit.timeout_s:g}"}))
        finally:
            self._ear.listen(None)
        return self._examined(unit, request, reply)

    async def _send(self, unit: Unit, request: Request) -> ModbusPDU:
        client = self._client
        read = {
            Table.COIL: client.read_coils,
            Table.DISCRETE: client.read_discrete_inputs,
            Table.HOLDING: client.read_holding_registers,
            Table.INPUT: client.read_input_registers,
        }[request.table]
        return await read(request.address, count=request.count, device_id=unit.unit_id)

    def _examined(self, unit: Unit, request: Request, reply: ModbusPDU) -> Answer:
        """``reply``, if it really answers ``request``."""
        function = reply.function_code & ~_EXCEPTION
        if reply.dev_id != unit.unit_id or function != _FUNCTIONS[request.table]:
            return Silence(why=OTHER_ANSWER.fill({"unit": reply.dev_id, "function": function}))
        expected = self._client.ctx.request_transaction_id
        if self._wiring.kind == "tcp" and reply.transaction_id != expected:
            return Silence(why=OTHER_TRANSACTION.fill({"got": reply.transaction_id, "expected": expected}))
        if reply.isError():
            return Refusal(code=reply.exception_code)
        values = reply.bits if request.table.bits else reply.registers
        count = -(-request.count // 8) * 8 if request.table.bits else request.count  # bits come in whole bytes
        if len(values) != count:
            return Silence(why=SHORT_ANSWER.fill({"got": len(values), "expected": count}))
        return Values(values=values[: request.count], captured_at=datetime.now(UTC), monotonic_ns=time.monotonic_ns())

    def _check_alive(self) -> None:
        if (reason := self._ear.lost) is not None:
            raise DeviceUnavailable(*LINE_GONE.fill(line=self._wiring.name, reason=reason))


class _Ear(asyncio.Protocol):
    """Stands between the transport and pymodbus: counts what is heard, and ends a wait that has become hopeless."""

    def __init__(self, client: AsyncModbusTcpClient) -> None:
        self.heard = 0  #: bytes, whatever they were
        self.damaged = False
        self.lost: Words | None = None
        self._client = client
        self._deadline: asyncio.Timeout | None = None

    def listen(self, deadline: asyncio.Timeout | None) -> None:
        """For an answer, until ``deadline``; None = nobody waits."""
        self._deadline = deadline
        self.damaged = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._client.ctx.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        from pymodbus.exceptions import ModbusException

        self.heard += len(data)
        try:
            self._client.ctx.data_received(data)
        except ModbusException:  # a frame that is whole, but says nothing pymodbus understands
            self._client.ctx.recv_buffer = b""
            self.damaged = True
            self._give_up()

    def connection_lost(self, exc: Exception | None) -> None:
        reason = exc.strerror if isinstance(exc, OSError) else None
        self.lost = Words(reason, reason) if reason else CLOSED
        self._client.ctx.connection_lost(exc)
        self._give_up()

    def _give_up(self) -> None:
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time())


def _frame_size(request: Request, answer: Values | Refusal) -> int:
    """Of the RTU frame that brings ``answer``: unit, function, byte count and data or exception code, checksum."""
    if isinstance(answer, Refusal):
        return 5
    return 5 + (-(-request.count // 8) if request.table.bits else 2 * request.count)


def _client(wiring: Wiring) -> AsyncModbusTcpClient:
    """pymodbus's client, used for its framer and transactions; the name says TCP, the transport is what we give it."""
    try:
        from pymodbus.client import AsyncModbusTcpClient
        from pymodbus.framer import FramerType
    except ImportError as exc:
        raise DeviceFault(*NOT_INSTALLED.fill(package="pymodbus", extra="modbus")) from exc
    # it logs every time-out as an error; the supervisor says it once
    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
    return AsyncModbusTcpClient(
        wiring.name,
        framer=FramerType.SOCKET if wiring.kind == "tcp" else FramerType.RTU,
        timeout=_FOREVER_S,
        retries=0,
        reconnect_delay=0,
    )
