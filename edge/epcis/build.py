"""Drafts become EPCIS 2.0 events as JSON bytes. The bytes made here are what is hashed, stored, exported and delivered.

A draft says what happened in the line's own words; ``build`` is a pure function from a draft, a place and a moment. Quantities
stand twice: as the JSON number that EPCIS wants, and under ``lotline:items`` as the exact decimal they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Literal

import msgspec
import orjson
from msgspec import Struct

from edge.epcis.ids import Ids
from edge.log.envelope import Provenance, clock_members, offset_text, time_text
from edge.model import SCHEMA, Kind, Known, Moment

NAMESPACE: Final = "https://lotline.example/ns/v1/"
CONTEXT: Final = ("https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"lotline": NAMESPACE})

Act = Literal["receive", "load", "make", "join", "close"]


class Role(StrEnum):
    """What an item did in the event."""

    RECEIVED = "received"
    LOADED = "loaded"
    INPUT = "input"
    OUTPUT = "output"
    COMPONENT = "component"
    MADE = "made"


class Item(Struct, frozen=True, kw_only=True):
    """One lot, unit or class of material in an event. ``quantity`` None: took part, share unknown (a splice)."""

    role: Role
    id: str
    material: str
    unit: str
    quantity: Decimal | None
    known: Known = Known.THEORETICAL
    lot: str = ""
    serial: str = ""
    expiry: date | None = None
    supplier: str = ""


class Sensor(Struct, frozen=True, kw_only=True):
    """One parameter over one window, with the limits it was held against."""

    name: str
    tag: str
    device: str
    type: str  #: EPCIS measurement type, e.g. "Temperature"; "" where the standard has none
    uom: str
    start: datetime
    end: datetime
    values: Mapping[str, float]  #: EPCIS attribute -> value: value, minValue, maxValue, meanValue
    low: float | None
    high: float | None
    count: int


class ScanRef(Struct, frozen=True, kw_only=True):
    """A scan that took part, as it came."""

    raw: str  #: base64
    symbology: str
    device: str
    captured_at: datetime


class Draft(Struct, frozen=True, kw_only=True):
    """One event before it has an id and a time."""

    act: Act
    items: tuple[Item, ...]
    biz_step: str
    step: str
    disposition: str = "in_progress"
    order: str = ""
    order_material: str = ""
    purchase_order: str = ""
    position: str = ""
    operator: str = ""
    reason: str = ""
    sensors: tuple[Sensor, ...] = ()
    scans: tuple[ScanRef, ...] = ()


class Place(Struct, frozen=True, kw_only=True):
    """Where it happened: ISA-95 equipment path, and the site's ids."""

    site: str
    area: str
    line: str
    station: str
    ids: Ids


def build(
    draft: Draft,
    *,
    place: Place,
    moment: Moment,
    event_id: str,
    provenance: Provenance,
    procedure: tuple[str, int],
    shift: str = "",
) -> bytes:
    """The event's JSON. ``event_id`` is a UUID; the same arguments always give the same bytes."""
    ids = place.ids
    event: dict[str, Any] = {
        "@context": CONTEXT,
        **_shape(draft),
        "eventID": f"urn:uuid:{event_id}",
        "eventTime": time_text(moment.utc),
        "recordTime": time_text(moment.utc),
        "eventTimeZoneOffset": offset_text(moment.offset_s),
        "bizStep": draft.biz_step,
        "readPoint": {"id": ids.station(place.site, place.area, place.line, place.station)},
    }
    if draft.act != "close":
        event["disposition"] = draft.disposition
    transactions = []
    if draft.order:
        transactions.append({"type": "prodorder", "bizTransaction": ids.work_order(draft.order)})
        event["lotline:workOrder"] = {"id": draft.order, "material": draft.order_material}
    if draft.purchase_order:
        transactions.append({"type": "po", "bizTransaction": ids.purchase_order(draft.purchase_order)})
        event["lotline:purchaseOrder"] = draft.purchase_order
    if transactions:
        event["bizTransactionList"] = transactions
    suppliers = {item.supplier for item in draft.items if item.supplier}
    if suppliers:
        event["sourceList"] = [{"type": "possessing_party", "source": ids.supplier(s)} for s in sorted(suppliers)]
    if draft.sensors:
        event["sensorElementList"] = [_sensor(sensor, ids) for sensor in draft.sensors]
    if draft.operator:
        event["lotline:operator"] = ids.operator(draft.operator)
    if draft.position:
        event["lotline:position"] = draft.position
    if shift:
        event["lotline:shift"] = shift
    if draft.reason:
        event["lotline:reason"] = draft.reason
    event |= {
        "lotline:kind": Kind.EVENT,
        "lotline:schema": SCHEMA[Kind.EVENT],
        "lotline:act": draft.act,
        "lotline:station": place.station,
        "lotline:step": draft.step,
        "lotline:procedure": {"name": procedure[0], "revision": procedure[1]},
        "lotline:items": [_item(item) for item in draft.items],
        "lotline:clock": clock_members(moment),
        "lotline:from": msgspec.to_builtins(provenance),
    }
    if draft.scans:
        event["lotline:scans"] = [
            {"raw": s.raw, "symbology": s.symbology, "device": s.device, "capturedAt": time_text(s.captured_at)}
            for s in draft.scans
        ]
    return orjson.dumps(event)


def _shape(draft: Draft) -> dict[str, Any]:
    """The what-dimension and the event type that carries it (design: consumed lots transform, serials associate)."""
    by_role: dict[Role, list[Item]] = {}
    for item in draft.items:
        by_role.setdefault(item.role, []).append(item)
    outputs = by_role.get(Role.OUTPUT, [])
    match draft.act:
        case "make" if Role.INPUT in by_role:
            return {"type": "TransformationEvent", **_what(by_role[Role.INPUT], "input"), **_what(outputs, "output")}
        case "make":
            return {"type": "ObjectEvent", "action": "ADD", **_what(outputs, "")}
        case "join":
            children = by_role.get(Role.COMPONENT, [])
            return {
                "type": "AssociationEvent",
                "action": "ADD",
                "parentID": outputs[0].id,
                "childEPCs": [item.id for item in children],
            }
        case "close":
            return {"type": "TransactionEvent", "action": "OBSERVE", **_what(list(draft.items), "")}
        case _:
            return {"type": "ObjectEvent", "action": "OBSERVE", **_what(list(draft.items), "")}


def _what(items: list[Item], side: str) -> dict[str, Any]:
    epcs = [item.id for item in items if item.serial]
    classes = [_class(item) for item in items if not item.serial]
    out: dict[str, Any] = {}
    if epcs or (not classes and not side):
        out[f"{side}EPCList" if side else "epcList"] = epcs
    if classes:
        out[f"{side}QuantityList" if side else "quantityList"] = classes
    return out


def _class(item: Item) -> dict[str, Any]:
    if item.quantity is None:
        return {"epcClass": item.id}
    entry: dict[str, Any] = {"epcClass": item.id, "quantity": _number(item.quantity)}
    if item.unit != "C62":  # EPCIS 2.0 §7.3.3.3: a count has no unit
        entry["uom"] = item.unit
    return entry


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _item(item: Item) -> dict[str, str]:
    out = {
        "role": str(item.role),
        "id": item.id,
        "material": item.material,
        "unit": item.unit,
        "known": str(item.known),
    }
    if item.quantity is not None:
        out["quantity"] = format(item.quantity, "f")
    if item.lot:
        out["lot"] = item.lot
    if item.serial:
        out["serial"] = item.serial
    if item.expiry:
        out["expiry"] = item.expiry.isoformat()
    if item.supplier:
        out["supplier"] = item.supplier
    return out


def _sensor(sensor: Sensor, ids: Ids) -> dict[str, Any]:
    start, end = time_text(sensor.start), time_text(sensor.end)
    report: dict[str, Any] = {"type": sensor.type or NAMESPACE + "parameter", **sensor.values}
    if sensor.uom:
        report["uom"] = sensor.uom
    report["lotline:name"] = sensor.name
    report["lotline:tag"] = sensor.tag
    report["lotline:count"] = sensor.count
    if sensor.low is not None:
        report["lotline:limitLow"] = sensor.low
    if sensor.high is not None:
        report["lotline:limitHigh"] = sensor.high
    report["lotline:verdict"] = "pass"
    # The range that proves it ends after its last reading: windows are half open.
    raw_end = time_text(sensor.end + timedelta(milliseconds=1))
    return {
        "sensorMetadata": {
            **({"time": end} if start == end else {"startTime": start, "endTime": end}),
            "deviceID": ids.device(sensor.device),
            "rawData": ids.readings(sensor.tag, start, raw_end),
        },
        "sensorReport": [report],
    }
