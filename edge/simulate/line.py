"""The demonstration line: two stations, real drivers, simulated devices on real ptys and sockets, and an operator who scans.

The operator works by ear, as in a factory: the next scan comes after the scanner has beeped for the last one. Now and then a wrong
part, an expired lot or a double trigger comes along, because a line on which nothing goes wrong shows nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import Struct

import drivers
import sync
from edge.config.loader import load
from edge.config.secrets import SecretName
from edge.files import shipped
from edge.simulate.modbus import ClimateModel, ModbusSimulator, PressModel, SimulatedUnit
from edge.simulate.scanner import PtyScanner, TcpScanner

GS: Final = "\x1d"
BEARING: Final = "09506000134352"
SHAFT: Final = "09506000134369"
GREASE: Final = "09506000134376"
PUMP: Final = "09506000134383"
UNITS_PER_ORDER: Final = 12
ORDERS: Final = 1000  # twelve units each, some three seconds a unit: a working day and more
LOT_SIZE: Final = 100
BEEP_S: Final = 3.0  # an operator who hears nothing scans again
STOP_S: Final = 4.0  # time to read a red page
PAUSE_S: Final = 1.0  # between two movements of a hand
_LISTEN_S: Final = 0.02


class Try(Struct, frozen=True, kw_only=True):
    """A scan to try by hand: ``lotline demo scan NAME``."""

    device: str
    code: str
    about: str


def tries(today: date) -> Mapping[str, Try]:
    """What ``lotline demo scan`` offers."""
    later = (today + timedelta(days=180)).strftime("%y%m%d")
    return {
        "wrong": Try(device="hand-1", code=f"]d201{GREASE}17{later}10G1", about="grease where a bearing belongs"),
        "expired": Try(device="hand-1", code=f"]d201{BEARING}10L12", about="a lot past its date"),
        "held": Try(device="hand-1", code=f"]d201{BEARING}10L90", about="a lot that quality holds"),
        "strange": Try(device="hand-1", code=f"]d201{BEARING}10NOBODY", about="a lot nobody announced"),
        "damaged": Try(device="hand-1", code="]d2010950600013435310L77", about="a wrong check digit"),
        "unknown": Try(device="hand-1", code="hello", about="no code of ours"),
        "half": Try(device="hand-1", code="]d210L77", about="a lot code without its article"),
        "hostile": Try(device="hand-1", code="<script>alert(1)</script>", about="a code that wants to be a program"),
    }


class DemoLine:
    """The devices and the operator. Use as ``async with``; ``write`` the line's file, start the daemon on it, then ``play``."""

    def __init__(self, folder: Path, *, orders: tuple[str, ...] = (), shafts: int = 0, pace: float = 1.0) -> None:
        self.sent = 0
        self.finished = asyncio.Event()  #: every order is done
        self._folder = folder
        self._orders = orders or tuple(f"WO-{1001 + number}" for number in range(ORDERS))
        self._shafts = shafts
        self._pace = pace
        self._hand = PtyScanner(folder / "hand-1")
        self._dock = TcpScanner()
        self._dock_port = 0
        self._press_unit, self._climate_unit = SimulatedUnit(), SimulatedUnit()
        self._press, self._climate = PressModel(self._press_unit), ClimateModel(self._climate_unit)
        self._press_port = 0
        self._bus = folder / "bus-1"
        self._one_hand = asyncio.Lock()  # the operator has one; `demo scan` borrows it
        self._today = date.today()  # noqa: DTZ011 the day on the demo's own labels

    @contextlib.asynccontextmanager
    async def devices(self) -> AsyncIterator[None]:
        """Everything is plugged in while the block runs."""
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self._hand)
            await stack.enter_async_context(self._dock.serve())
            self._dock_port = self._dock.port
            self._press_port = await stack.enter_async_context(ModbusSimulator({1: self._press_unit}).tcp())
            await stack.enter_async_context(ModbusSimulator({3: self._climate_unit}).rtu(self._bus))
            yield

    def write(self, destinations: Mapping[str, Any], *, port: int) -> Path:
        """The shipped example with the simulated addresses, as a file of its own."""
        example = load(
            shipped("config") / "examples/press-line.yaml", drivers=drivers.DRIVERS, sinks=sync.SINKS
        ).effective
        devices = {name: dict(options) for name, options in example["devices"].items()}
        devices["hand-1"]["port"] = str(self._folder / "hand-1")
        devices["dock-1"] |= {"host": "127.0.0.1", "port": self._dock_port}
        devices["press-2"] |= {"host": "127.0.0.1", "port": self._press_port}
        devices["climate-1"]["port"] = str(self._bus)
        masters = dict(example["masters"])
        masters["work_orders"] = {
            order: {"material": "PUMP-100", "quantity": UNITS_PER_ORDER} for order in self._orders
        }
        masters["lots"] = [
            {**lot, "expiry": self._day(180 if lot["lot"] != "L12" else -30).isoformat()}
            for lot in example["masters"]["lots"]
        ]
        document = {
            **{key: value for key, value in example.items() if key != "include"},
            "web": {"port": port},
            "storage": {"reserve_mb": 64},
            "time": {"require_sync": False},  # a demo runs on any clock
            "devices": devices,
            "masters": masters,
            "destinations": dict(destinations),
        }
        path = self._folder / "line.yaml"
        path.write_text(yaml.dump(document, Dumper=_Dumper, allow_unicode=True, sort_keys=False), encoding="utf-8")
        return path

    async def play(self) -> None:
        """Work until every order is done. The climate drifts meanwhile."""
        async with asyncio.TaskGroup() as group:
            drift = group.create_task(self._climate.drift())
            await self._work()
            drift.cancel()
        self.finished.set()

    async def try_out(self, name: str) -> Try:
        """One scan by hand. Raises KeyError."""
        trial = tries(self._today)[name]
        async with self._one_hand:
            await self._scan(trial.code)
        return trial

    # --- the operator ------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        await self._at_dock("BDG:23")
        left = 0
        unit = 0
        for order in self._orders:
            await self._by_hand("BDG:17")
            await self._by_hand(order)
            for _ in range(UNITS_PER_ORDER):
                unit += 1
                if left < 2:
                    lot = f"B{unit:05d}"
                    await self._deliver(lot)
                    await self._by_hand(f"]d201{BEARING}10{lot}")
                    left = LOT_SIZE
                await self._something_wrong(unit)
                if self._shafts and unit > self._shafts:
                    return
                await self._by_hand(f"]d201{SHAFT}21S{unit}")
                await self._press.cycle()
                await self._by_hand(f"]d201{PUMP}21SN{unit:06d}")
                left -= 2

    async def _deliver(self, lot: str) -> None:
        """A supplier's label with its article and date in one symbol, lot and quantity in the other."""
        await self._at_dock(f"]C101{BEARING}17{self._day(180):%y%m%d}")
        await self._at_dock(f"]C110{lot}{GS}30{LOT_SIZE}")

    async def _something_wrong(self, unit: int) -> None:
        offered = tries(self._today)
        match unit % 8:
            case 3:
                await self._by_hand(offered["wrong"].code)
                await asyncio.sleep(STOP_S * self._pace)
            case 5:
                await self._by_hand(offered["expired"].code)
                await asyncio.sleep(STOP_S * self._pace)
            case 7:
                await self._by_hand("BDG:17")
                await self._by_hand("BDG:17", beeps=False)

    async def _by_hand(self, code: str, *, beeps: bool = True) -> None:
        async with self._one_hand:
            heard = self._hand.heard.count
            await self._scan(code)
            if beeps:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(BEEP_S):
                        while self._hand.heard.count == heard:  # noqa: ASYNC110 the simulator counts, it does not call
                            await asyncio.sleep(_LISTEN_S)
        await asyncio.sleep(PAUSE_S * self._pace)

    async def _scan(self, code: str) -> None:
        self.sent += 1
        await self._hand.scan(code.encode())

    async def _at_dock(self, code: str) -> None:
        self.sent += 1
        await self._dock.scan(code.encode())
        await asyncio.sleep(PAUSE_S * self._pace)

    def _day(self, days: int) -> date:
        return self._today + timedelta(days=days)


class _Dumper(yaml.SafeDumper):
    """Writes a secret as the name it is."""


_Dumper.add_representer(SecretName, lambda dumper, value: dumper.represent_scalar("!secret", str(value)))
