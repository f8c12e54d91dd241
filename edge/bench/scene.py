"""What every row works on: a press station like the shipped example's, its scans, and records of real size.

The procedure has the steps of a unit without its measurements: a unit takes two scans. The shaft's commits a record of about
0.8 kB, the unit's serial completes it and commits a record and two events of about 1.5 kB; both the station's working state.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from edge.bench.measure import clock
from edge.clock import Clock
from edge.config.masters import MastersFile
from edge.config.procedure import ProcedureFile
from edge.config.site import FormatFile
from edge.contracts import Signal
from edge.epcis import Draft, Ids, Item, Place, Role, ScanRef, build
from edge.identify import HouseFormat
from edge.log import Identities, Log, Provenance, ReadingStore
from edge.masters import Masters, compile_masters
from edge.model import Entry, Kind, Known, Moment, Scan
from edge.station.desk import Floor
from edge.station.live import Shared, Station
from edge.station.procedure import Procedure, compile_procedure
from edge.wording import Words

BEARING: Final = "09506000134352"
SHAFT: Final = "09506000134369"
PUMP: Final = "09506000134383"
IDENTITY: Final = "https://id.example.com"
PROVENANCE: Final = Provenance(
    build="0.1.0",
    config="3f9ac81d20be77a1",
    procedure="press-bearing/4",
    bill="PUMP-100/3",
    masters="2026-11-22",
    checks="stop",
)
FORMATS: Final = (
    HouseFormat("badge", FormatFile(pattern="BDG:(?P<badge>[A-Za-z0-9-]+)")),
    HouseFormat("order", FormatFile(pattern="(?P<order>WO-[0-9]+)")),
)
_MASTERS: Final[dict[str, Any]] = {
    "version": "2026-11-22",
    "materials": {
        "BRG-6204": {"name": {"en": "Bearing 6204", "zh": "轴承 6204"}, "gtin": BEARING},
        "SHAFT-9": {"name": {"en": "Shaft 9", "zh": "轴 9"}, "gtin": SHAFT, "tracking": "serial"},
        "PUMP-100": {"name": {"en": "Pump 100", "zh": "水泵 100"}, "gtin": PUMP, "tracking": "serial"},
    },
    "bills": {"PUMP-100": {"revision": "3", "needs": {"BRG-6204": "2", "SHAFT-9": "1"}}},
    "work_orders": {"WO-1001": {"material": "PUMP-100", "quantity": "10000000"}},
    "lots": [{"material": "BRG-6204", "lot": "L77", "quantity": "100000000"}],
    "people": {"op-17": {"badge": "17", "name": "Li Wei", "training": ["press"]}},
}
_PROCEDURE: Final[dict[str, Any]] = {
    "procedure": "press-bearing",
    "revision": "4",
    "makes": {"material": "PUMP-100", "as": "serial"},
    "steps": {
        "operator": {"role": "operator", "training": "press"},
        "work_order": {"state": "running"},
        "bearings": {"load": "BRG-6204", "position": "tray-1", "per_unit": "bill"},
        "shaft": {"consume": "SHAFT-9", "identify": "serial"},
        "unit": {"scan": "serial"},
        "done": {"event": "assembling"},
    },
}


def masters() -> Masters:
    return compile_masters(MastersFile.model_validate(_MASTERS))


def procedure() -> Procedure:
    return compile_procedure(ProcedureFile.model_validate(_PROCEDURE))


def place_of(station: str) -> Place:
    return Place(site="SZ1", area="assembly", line="L3", station=station, ids=Ids(IDENTITY))


class Floorspace(Struct, frozen=True, kw_only=True):
    """The parts of a running line that a scan passes through, on a state directory of their own."""

    log: Log
    readings: ReadingStore
    identities: Identities
    shared: Shared
    clock: Clock

    @classmethod
    def open(cls, state_dir: Path) -> Floorspace:
        """Warm or new; in a running loop."""
        state_dir.mkdir(parents=True, exist_ok=True)
        now = clock()
        log = Log.open(state_dir, clock=now, provenance=lambda: PROVENANCE)
        readings = ReadingStore(state_dir, log=log, clock=now, provenance=lambda: PROVENANCE)
        identities = Identities(log, state_dir)
        identities.catch_up()
        known = masters()
        shared = Shared(
            log=log,
            readings=readings,
            identities=identities,
            floor=Floor(log.state(), log.generation),
            clock=now,
            masters=lambda: known,
            formats=FORMATS,
            provenance=lambda _: PROVENANCE,
            zone=ZoneInfo("Asia/Shanghai"),
            shifts={},
            salt=b"bench",
        )
        return cls(log=log, readings=readings, identities=identities, shared=shared, clock=now)

    def station(self, name: str) -> Station:
        return Station(self.shared, place=place_of(name), name=Words(name, name), procedure=procedure(), repeat_s=2.0)

    async def close(self) -> None:
        await self.readings.close()
        self.identities.close()
        await self.log.close()


def scan(device: str, code: bytes, moment: Moment) -> Scan:
    """A scan as a driver yields it."""
    return Scan(device=device, raw=code, captured_at=moment.utc, monotonic_ns=moment.monotonic_ns)


OPENING: Final = (b"BDG:17", b"WO-1001", f"]d201{BEARING}10L77".encode())


def unit_codes(station: int) -> Iterator[bytes]:
    """The scans of one unit after another at the station of that number: shaft, then the unit's serial."""
    number = 0
    while True:
        number += 1
        yield f"]d201{SHAFT}21S{station:04d}{number:07d}".encode()
        yield f"]d201{PUMP}21SN{station:04d}{number:07d}".encode()


async def open_station(floor: Floorspace, station: Station, device: str) -> None:
    """An operator, an order and a loaded lot."""
    for code in OPENING:
        if await station.scan(scan(device, code, floor.clock.now())) is not Signal.GOOD:
            raise AssertionError(f"the bench's own station refused {code!r}")


# --- records of real size ------------------------------------------------------------------------------------------------

_NUMBER: Final = b"0000000000"
_EVENT_ID: Final = "00000000-0000-7000-8000-000000000000"


def record(number: int) -> Entry:
    """The event of one finished unit, about 1.7 kB; ``number`` makes its id and its serials."""
    digits = b"%010d" % number
    return Entry(
        kind=Kind.EVENT,
        data=_EVENT.replace(b"-8000-00" + _NUMBER, b"-8000-00" + digits).replace(b"X" + _NUMBER, b"X" + digits),
    )


def small_record(number: int) -> Entry:
    """The event of one lot that was loaded, about 1.4 kB; ``number`` makes its id and the lot."""
    digits = b"%010d" % number
    data = _LOADED.replace(b"-8000-00" + _NUMBER, b"-8000-00" + digits).replace(b"X" + _NUMBER, b"X" + digits)
    return Entry(kind=Kind.EVENT, data=data)


def state_value(number: int) -> bytes:
    """A desk's working state in the size it usually has."""
    return _DESK.replace(_NUMBER, b"%010d" % number)


def _built(act: Literal["make", "load"], biz_step: str, *items: Item) -> bytes:
    moment = clock().now()
    draft = Draft(
        act=act,
        items=items,
        biz_step=biz_step,
        step="done" if act == "make" else "bearings",
        order="WO-1001",
        order_material="PUMP-100",
        operator="op-17",
        position="" if act == "make" else "tray-1",
        scans=(
            ScanRef(
                raw="XWQyMDEwOTUwNjAwMDEzNDM4MzIxU04wMDAwMDE=", symbology="]d2", device="hand-1", captured_at=moment.utc
            ),
        )
        if act == "make"
        else (),
    )
    return build(
        draft,
        place=place_of("ST10"),
        moment=moment,
        event_id=_EVENT_ID,
        provenance=PROVENANCE,
        procedure=("press-bearing", 4),
    )


def _lot(role: Role, lot: str, quantity: str) -> Item:
    return Item(
        role=role,
        id=Ids(IDENTITY).lot("BRG-6204", BEARING, lot),
        material="BRG-6204",
        unit="C62",
        quantity=Decimal(quantity),
        known=Known.LABEL,
        lot=lot,
        expiry=date(2027, 5, 31),
    )


def _pump() -> Item:
    serial = "X" + _NUMBER.decode()
    return Item(
        role=Role.OUTPUT,
        id=Ids(IDENTITY).serial("PUMP-100", PUMP, serial),
        material="PUMP-100",
        unit="C62",
        quantity=Decimal(1),
        known=Known.LABEL,
        serial=serial,
    )


_EVENT: Final = _built("make", "assembling", _lot(Role.INPUT, "L77", "2"), _pump())
_LOADED: Final = _built("load", "picking", _lot(Role.LOADED, "X" + _NUMBER.decode(), "500"))
_DESK: Final = (
    b'{"operator":"op-17","order":"WO-1001","loaded":{"tray-1":{"step":"bearings","position":"tray-1","material":"BRG-6204",'
    b'"lot":"L77","item":"https://id.gs1.org/01/09506000134352/10/L77","expiry":null}},"unit":"","unit_known":false,'
    b'"since_ns":10000000000000,"boot_id":"8b1f6d6e-95c4-4f04-9a56-1f4a8a4ec9d1","parts":[],"scans":[],"label":null,'
    b'"last":{"digest":"3f9ac81d20be77a1","device":"hand-1","monotonic_ns":0000000000,"boot_id":"8b1f6d6e-95c4"}}'
)
