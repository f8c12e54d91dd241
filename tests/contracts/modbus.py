"""Modbus' side of the behaviour suite: our own server behind each kind of line."""

from __future__ import annotations

import random
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Self

from drivers import modbus
from edge.contracts import Driver
from edge.simulate.modbus import ModbusSimulator, Mood, SimulatedUnit
from tests.contracts.scanners import free_port

NOISE = random.Random(3).randbytes(3000)
FLOOD = NOISE * 300
HASTE = {"timeout_s": 0.2, "quiet_ms": 100, "inter_request_ms": 2}


class _Bench:
    """A PLC that is asked for one register, again and again."""

    driver: Driver

    def __init__(self, *unit_ids: int) -> None:
        self.units = {unit_id: SimulatedUnit() for unit_id in unit_ids or (1,)}
        for unit in self.units.values():
            unit.put("holding", 0, 7)
        self.device = ModbusSimulator(self.units)
        self.serving = AsyncExitStack()

    def line(self) -> AbstractAsyncContextManager[object]:
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        await self.present()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.absent()

    async def work(self) -> None:
        """It is asked; it does nothing by itself."""

    async def absent(self) -> None:
        await self.serving.aclose()

    async def present(self) -> None:
        for unit in self.units.values():
            unit.behave(Mood.WELL)
        await self.serving.enter_async_context(self.line())

    async def drop(self) -> None:
        await self.device.blurt(b"\x01\x03\x02")  # the beginning of an answer
        await self.absent()

    async def garbage(self) -> None:
        await self.device.blurt(NOISE)

    async def flood(self) -> None:
        await self.device.blurt(FLOOD)

    async def freeze(self) -> None:
        for unit in self.units.values():
            unit.behave(Mood.SILENT)


class ModbusTcpBench(_Bench):
    """Modbus TCP."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.port = free_port()
        self.driver = modbus.build("plc-1", options(host="127.0.0.1", port=self.port))

    def line(self) -> AbstractAsyncContextManager[object]:
        return self.device.tcp(self.port)


class RtuOverTcpBench(_Bench):
    """RTU behind a serial-to-Ethernet box."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.port = free_port()
        self.driver = modbus.build("plc-1", options(host="127.0.0.1", port=self.port, transport="rtu_over_tcp"))

    def line(self) -> AbstractAsyncContextManager[object]:
        return self.device.rtu_over_tcp(self.port)


class RtuBench(_Bench):
    """RTU on a pseudo terminal."""

    def __init__(self, directory: Path, *unit_ids: int) -> None:
        super().__init__(*unit_ids)
        self.path = directory / "bus-1"
        self.driver = modbus.build_bus(
            {f"plc-{unit_id}": options(port=str(self.path), unit_id=unit_id) for unit_id in self.units}
        )

    def line(self) -> AbstractAsyncContextManager[object]:
        return self.device.rtu(self.path)


class BusBench(RtuBench):
    """Three devices on one pseudo terminal."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, 1, 2, 3)


def options(**given: object) -> modbus.Options:
    """Of a device with one tag."""
    return modbus.Options.model_validate(
        {**HASTE, "tags": {"word": {"holding": 0, "type": "uint16", "every_s": 0.05}}, **given}
    )
