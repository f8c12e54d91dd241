"""The real daemon as a process: one station, a scanner on a pty, a Modbus press over TCP, a Modbus climate sensor, HTTP to the ERP."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import yaml

from edge import control
from edge.errors import LotlineError
from edge.simulate.modbus import ClimateModel, ModbusSimulator, PressModel, SimulatedUnit
from edge.simulate.scanner import PtyScanner

ACKNOWLEDGED: Final = b"\x06"
BADGES: Final = (b"BDG:17", b"BDG:23")
_STOP_S: Final = 10.0
_LOOK_S: Final = 0.001


class Bench:
    """The devices of one station, plugged in while ``plugged`` runs; daemons come and go."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.hand = PtyScanner(place / "hand-1")
        self._file = place / "line.yaml"

    @contextlib.asynccontextmanager
    async def plugged(self, erp: str) -> AsyncIterator[None]:
        """Devices that answer, and the line's file."""
        press, climate = SimulatedUnit(), SimulatedUnit()
        PressModel(press)
        ClimateModel(climate)
        bus = self.place / "bus-1"
        async with (
            self.hand,
            ModbusSimulator({1: press}).tcp() as port,
            ModbusSimulator({3: climate}).rtu(bus),
        ):
            self._file.write_text(yaml.safe_dump(_document(self.hand.path, port, bus, erp), sort_keys=False))
            yield

    @contextlib.asynccontextmanager
    async def daemon(self, state_dir: Path) -> AsyncIterator[asyncio.subprocess.Process]:
        """``lotline run``, while the block runs."""
        command = (sys.executable, "-m", "edge", "run", str(self._file), "--state", str(state_dir))
        nowhere = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*command, stdout=nowhere, stderr=nowhere, env=dict(os.environ))
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(_STOP_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()

    async def acknowledged(self, code: bytes, process: asyncio.subprocess.Process) -> None:
        """Scan ``code`` and hear that it is durable."""
        heard = self.hand.heard.count
        sending = asyncio.create_task(self.hand.scan(code))
        try:
            while self.hand.heard.count == heard:
                if process.returncode is not None:
                    raise AssertionError(f"the bench's daemon ended with {process.returncode}")
                await asyncio.sleep(_LOOK_S)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        if self.hand.heard.tail[-1:] != ACKNOWLEDGED:
            raise AssertionError(f"the bench's daemon refused {code!r}")


async def address(state_dir: Path, within_s: float = 30.0) -> str:
    """Of the pages of the daemon at work there."""
    until = time.monotonic() + within_s
    while True:
        try:
            status: Any = await asyncio.to_thread(control.ask, state_dir / "control.sock", "status")
            if status["address"]:
                return str(status["address"])
        except LotlineError:
            if time.monotonic() > until:
                raise
        await asyncio.sleep(0.05)


def _document(hand: Path, press_port: int, bus: Path, erp: str) -> dict[str, Any]:
    """The line's file: the shipped example's second station."""
    return {
        "lotline": 1,
        "site": "SZ1",
        "area": "assembly",
        "line": "L3",
        "timezone": "Asia/Shanghai",
        "identity": "https://id.example.com",
        "web": {"port": 0},
        "storage": {"reserve_mb": 64},
        "devices": {
            "hand-1": {"driver": "serial_scanner", "port": str(hand), "feedback": {"good": "\x06", "bad": "\x15"}},
            "press-2": {
                "driver": "modbus",
                "host": "127.0.0.1",
                "port": press_port,
                "tags": {
                    "force": {
                        "holding": 0, "type": "float32", "unit": "N", "digits": 0, "every_s": 0.1,
                        "limits": {"low": 9500, "high": 11200},
                    },
                    "cycle": {"discrete": 3, "every_s": 0.05},
                },
            },
            "climate-1": {"driver": "modbus", "profile": "wirenboard-msw", "port": str(bus), "unit_id": 3},
        },
        "formats": {
            "badge": {"pattern": "BDG:(?P<badge>[A-Za-z0-9-]+)"},
            "order": {"pattern": "(?P<order>WO-[0-9]+)"},
        },
        "masters": {
            "materials": {
                "BRG-6204": {"name": "Bearing 6204", "gtin": "09506000134352"},
                "SHAFT-9": {"name": "Shaft 9", "gtin": "09506000134369", "tracking": "serial"},
                "PUMP-100": {"name": "Pump 100", "gtin": "09506000134383", "tracking": "serial"},
            },
            "bills": {"PUMP-100": {"revision": "3", "needs": {"BRG-6204": 2, "SHAFT-9": 1}}},
            "work_orders": {"WO-1001": {"material": "PUMP-100", "quantity": 1000}},
            "lots": [{"material": "BRG-6204", "lot": "L77", "quantity": 500}],
            "people": {
                "op-17": {"badge": "17", "name": "Li Wei", "training": ["press"]},
                "op-23": {"badge": "23", "name": "Anna Berg", "training": ["press"]},
            },
        },
        "procedures": {
            "press-bearing": {
                "procedure": "press-bearing",
                "revision": 4,
                "makes": {"material": "PUMP-100", "as": "serial"},
                "steps": {
                    "operator": {"role": "operator", "training": "press"},
                    "work_order": {"state": "running"},
                    "bearings": {"load": "BRG-6204", "position": "tray-1", "per_unit": "bill"},
                    "shaft": {"consume": "SHAFT-9", "identify": "serial"},
                    "press": {
                        "while": "press-2.cycle",
                        "measure": {
                            "force": {"tag": "press-2.force", "keep": ["max"], "within": {"low": 0, "high": 11200}},
                            "room": {"tag": "climate-1.temperature", "keep": ["mean"], "within": {"low": 15, "high": 35}},
                        },
                    },
                    "unit": {"scan": "serial"},
                    "done": {"event": "assembling"},
                },
            }
        },
        "stations": {
            "ST10": {
                "name": {"en": "Press bearing", "zh": "压装轴承"},
                "scanners": ["hand-1"],
                "procedure": "press-bearing",
            }
        },
        "destinations": {"erp": {"sink": "http", "url": erp}},
    }  # fmt: skip
