"""A station on paper: a procedure, masters, a desk, and scans written as a person says them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import yaml

from edge.config.masters import MastersFile
from edge.config.procedure import ProcedureFile
from edge.config.site import FormatFile
from edge.epcis import Ids, Place
from edge.identify import Code, HouseFormat, identify
from edge.log import Sighting
from edge.masters import compile_masters
from edge.model import Moment, Scan, Tag
from edge.station.bind import asks, bind
from edge.station.context import Act, Clear, Confirm, Context, Expire, Misread, Outcome, Read
from edge.station.desk import Desk, Floor
from edge.station.procedure import compile_procedure
from edge.station.windows import Window

GS = "\x1d"
START = datetime(2026, 11, 22, 3, 42, 7, 123000, tzinfo=UTC)
START_NS = 1_000_000_000_000
BRG, SHAFT, GREASE, PUMP = "09506000134352", "09506000134369", "09506000134376", "09506000134383"

MASTERS = """
materials:
  BRG-6204: {name: {en: Bearing, zh: 轴承}, gtin: '09506000134352'}
  BRG-ALT:  {name: Other bearing, codes: [BRG-ALT]}
  SHAFT-9:  {name: {en: Shaft, zh: 轴}, gtin: '09506000134369', tracking: serial}
  GREASE-1: {name: {en: Grease, zh: 油脂}, gtin: '09506000134376', unit: g}
  PUMP-100: {name: {en: Pump, zh: 水泵}, gtin: '09506000134383', tracking: serial}
  BATCH-1:  {name: Batch}
  PIN-1:    {name: Pin, codes: [PIN-1], tracking: none}
bills:
  PUMP-100: {revision: '3', needs: {BRG-6204: 2, SHAFT-9: 1, GREASE-1: 0.25, PIN-1: 4}, alternates: {BRG-6204: [BRG-ALT]}}
work_orders:
  WO-1: {material: PUMP-100, quantity: 2}
  WO-2: {material: PUMP-100, quantity: 5, state: planned}
  WO-3: {material: BATCH-1, quantity: 5}
lots:
  - {material: BRG-6204, lot: L77, expiry: 2027-05-31, quantity: 7}
  - {material: BRG-6204, lot: L78, expiry: 2027-05-31, quantity: 100}
  - {material: BRG-6204, lot: OLD, expiry: 2026-11-21, quantity: 80}
  - {material: BRG-6204, lot: TODAY, expiry: 2026-11-22, quantity: 80}
  - {material: BRG-6204, lot: HELD, quantity: 80, status: held}
  - {material: BRG-6204, lot: EMPTY, quantity: 0}
  - {material: BRG-6204, lot: NOQTY}
  - {material: GREASE-1, lot: G1, quantity: 1}
people:
  op-17: {badge: '17', name: Li Wei, training: [press]}
  op-18: {badge: '18', name: Anna Berg}
  op-19: {badge: '19', name: Visitor, roles: [guest], training: [press]}
"""

PRESS = """
procedure: press
revision: 4
makes: {material: PUMP-100, as: serial}
steps:
  operator:   {role: operator, training: press}
  work_order: {state: running}
  bearings:   {load: BRG-6204, position: tray-1, per_unit: bill}
  shaft:      {consume: SHAFT-9, identify: serial}
  unit:       {scan: serial}
  done:       {event: assembling}
  close:      {close: order, when: quantity}
"""

FORMATS = {
    "badge": "BDG:(?P<badge>[0-9]+)",
    "order": "(?P<order>WO-[0-9]+)",
    "unit": "SN(?P<serial>[0-9]+)",
}


class Bench:
    """One station; ``scan`` applies its own outcome, as the live station does after the commit."""

    def __init__(
        self, procedure: str = PRESS, *, masters: str = MASTERS, prefix: str = "https://id.example.com"
    ) -> None:
        self.procedure = compile_procedure(ProcedureFile.model_validate(yaml.load(procedure, yaml.BaseLoader)))
        self.masters = compile_masters(MastersFile.model_validate(yaml.load(masters, yaml.BaseLoader)))
        self.floor = Floor({})
        self.place = Place(site="SZ1", area="assembly", line="L3", station="ST10", ids=Ids(prefix))
        self.formats = [HouseFormat(name, FormatFile(pattern=pattern)) for name, pattern in FORMATS.items()]
        self.seconds = 0.0
        self.windows: dict[str, dict[str, Window]] = {}
        self.sightings: dict[str, dict[str, Sighting]] = {}
        self.outcomes: list[Outcome] = []
        self.today = date(2026, 11, 22)
        self.watching_since_ns = 0

    @property
    def desk(self) -> Desk:
        return self.floor.desks.get("ST10") or Desk()

    def now(self) -> Moment:
        return Moment(
            utc=START + timedelta(seconds=self.seconds),
            offset_s=28800,
            monotonic_ns=START_NS + int(self.seconds * 1e9),
            boot_id="boot",
            synchronised=True,
            bound_s=0.01,
        )

    def context(self) -> Context:
        return Context(
            place=self.place,
            procedure=self.procedure,
            masters=self.masters,
            desk=self.desk,
            lots=self.floor.lots,
            orders=self.floor.orders,
            now=self.now(),
            today=self.today,
            windows=self.windows,
            sightings=self.sightings,
            watching_since_ns=self.watching_since_ns,
            repeat_s=2.0,
            salt=b"salt",
        )

    def act(self, act: Act) -> Outcome:
        context = self.context()
        asked = asks(act, context)
        outcome = bind(act, context)
        assert bind(act, context) == outcome, "binding is a pure function"
        self.floor.apply("ST10", outcome.desk, outcome.lots, outcome.orders)
        self.floor.reload(_stored(self.floor))
        for draft in outcome.drafts:
            for item in draft.items:
                if item.serial and item.role in ("output", "component"):
                    assert item.id in asked, "its history was looked up before it was used"
                    seen = Sighting(seq=1, station="ST10", time="2026-11-22T03:42:07.123Z", role=item.role)
                    self.sightings.setdefault(item.id, {})[item.role] = seen
        self.outcomes.append(outcome)
        return outcome

    def scan(self, text: str | bytes, *, device: str = "hand-1", after_s: float = 3.0) -> Outcome:
        self.seconds += after_s
        raw = text if isinstance(text, bytes) else text.encode()
        moment = self.now()
        scan = Scan(device=device, raw=raw, captured_at=moment.utc, monotonic_ns=moment.monotonic_ns)
        found = identify(scan, self.formats)
        return self.act(Read(scan=scan, code=found) if isinstance(found, Code) else Misread(scan=scan, problem=found))

    def confirm(self) -> Outcome:
        return self.act(Confirm())

    def clear(self) -> Outcome:
        return self.act(Clear())

    def expire(self, after_s: float = 11.0) -> Outcome:
        self.seconds += after_s
        return self.act(Expire())

    def says(self, *scans: str) -> list[str]:
        """The answers' codes to several scans."""
        return [self.scan(text).code for text in scans]

    def balance(self, lot: str, material: str = "BRG-6204") -> str:
        known = self.masters.materials[material]
        state = self.floor.lots[self.place.ids.lot(material, known.gtin, lot)]
        return f"{state.balance:f}"

    def window(self, step: str, name: str, tag: str, *, low: float, high: float, mean: float, **more: Any) -> None:
        """A window that ended now."""
        now = self.now()
        limits = {"low": more.pop("limit_low", None), "high": more.pop("limit_high", None)}
        defaults = {
            "last": high,
            "count": 12,
            "all_good": True,
            "closed_ns": now.monotonic_ns,
            "last_ns": now.monotonic_ns,
        }
        self.windows.setdefault(step, {})[name] = Window(
            tag=Tag(name=tag, unit=more.pop("unit", "NEW"), digits=1, **limits),
            device=tag.split(".")[0],
            start=now.utc - timedelta(seconds=1),
            start_ns=now.monotonic_ns - 1_000_000_000,
            end=now.utc,
            low=low,
            high=high,
            mean=mean,
            **{**defaults, **more},
        )


def bearing(lot: str, *, gtin: str = BRG, expiry: str = "") -> str:
    """A GS1 DataMatrix of a lot."""
    return f"]d201{gtin}" + (f"17{expiry}" if expiry else "") + f"10{lot}"


def serial(number: str, *, gtin: str = SHAFT) -> str:
    """A GS1 DataMatrix of one unit."""
    return f"]d201{gtin}21{number}"


def ready(bench: Bench, lot: str = "L78") -> Bench:
    """An operator, an order and a loaded lot."""
    assert bench.says("BDG:17", "WO-1", bearing(lot)) == ["badge_ok", "order_ok", "loaded"]
    return bench


def _stored(floor: Floor) -> dict[str, bytes]:
    """The floor as it would come back from disk."""
    state: dict[str, bytes] = {}
    for prefix, values in (("desk/", floor.desks), ("lot/", floor.lots), ("order/", floor.orders)):
        state |= {prefix + key: msgspec.json.encode(value) for key, value in values.items()}
    return state
