"""One Modbus line: a question, and either its answer or the reason why there is none. Never somebody else's answer.

pymodbus frames and decodes; the transport under it is ours, so that the reason of a failure is not lost and nothing
blocks the loop. What pymodbus 3.16 does not check is checked here: the number of values, the function code, the unit,
and a transaction id of 0, which it takes for any. It neither retries nor reconnects (retries=0, reconnect_delay=0).

RTU has no transaction id, so an answer that comes after its time-out looks like the answer to the next question: asked
for 200 one would get 100, and stay one behind for ever. The defence, for RTU on a wire and over TCP alike:

1. After a question without a usable answer, that unit is not asked again for ``quiet_s``; what arrives meanwhile is
   thrown away. Others are: an answer names its unit.
2. The next answer is on probation. It is believed only when nothing else is heard for another ``quiet_s``: if the late
   answer came first, the true one follows and gives it away. Then both are thrown away, and it starts again.

One coroutine asks, one question at a time; there is no lock because there is no second.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from drivers.modbus_plan import Request, Table
from drivers.modbus_wire import Wiring, open_socket, open_wire
from edge.errors import DeviceFault, DeviceUnavailable
from edge.wording import Words
from edge.wording.modbus import (
    CLOSED,
    DAMAGED,
    LINE_GONE,
    NO_ANSWER,
    NOT_INSTALLED,
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


@asynccontextmanager
async def open_link(wiring: Wiring, quiet_s: float) -> AsyncGenerator[Link, None]:
    """The line, open. Raises DeviceUnavailable or DeviceFault.

    On RTU it begins with ``quiet_s`` of listening: an answer to whoever asked before us must not be taken for ours.
    """
    client = _client(wiring)
    ear = _Ear(client)
    try:
        async with open_wire(wiring, ear) if wiring.kind == "rtu" else open_socket(wiring, ear):
            if wiring.kind != "tcp":
                await asyncio.sleep(quiet_s)
            yield Link(wiring, client, ear)
    finally:
        client.close()


class Link:
    """An open line. Used by one coroutine."""

    def __init__(self, wiring: Wiring, client: AsyncModbusTcpClient, ear: _Ear) -> None:
        self._wiring = wiring
        self._client = client
        self._ear = ear
        self._answered_at = 0.0
        self._doubts: dict[int, float] = {}  # unit -> when it may be asked again; its next answer is on probation

    def ready_at(self, unit: Unit) -> float:
        """The monotonic instant from which ``unit`` may be asked."""
        return self._doubts.get(unit.unit_id, 0.0)

    async def ask(self, unit: Unit, request: Request) -> Answer:
        """One question. Raises DeviceUnavailable when the line itself is gone."""
        pause = max(self.ready_at(unit), self._answered_at + unit.pause_s) - time.monotonic()
        if pause > 0:
            await asyncio.sleep(pause)
        answer = await self._exchange(unit, request)
        self._answered_at = time.monotonic()
        if self._wiring.kind == "tcp":
            return answer
        if not isinstance(answer, Silence) and unit.unit_id in self._doubts and await self._hears_more(unit.quiet_s):
            answer = Silence(why=TWO_ANSWERS)
        if isinstance(answer, Silence):
            self._doubts[unit.unit_id] = time.monotonic() + unit.quiet_s
        else:
            self._doubts.pop(unit.unit_id, None)
        return answer

    async def _hears_more(self, quiet_s: float) -> bool:
        heard = self._ear.heard
        await asyncio.sleep(quiet_s)
        return self._ear.heard != heard

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
        self.heard = 0  #: pieces of data, whatever they were
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

        self.heard += 1
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
