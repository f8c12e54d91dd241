"""Our own reading of EPCIS 2.0 (JSON Schema, draft-07, of 2023-05) for the shapes we emit, run on every event before commit.

It is stricter than the schema where a mistake of ours would be silent: ids absolute, ASCII and percent-encoded; times RFC 3339
and sensor times not after the event; bare words only from the CBV; extensions only under ``lotline:``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import orjson

_URI: Final = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$")
_TIME: Final = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$")
_OFFSET: Final = re.compile(r"^[+-](0\d|1[0-4]):[0-5]\d$")

#: CBV 2.0 §7.1: the 41 business steps
BIZ_STEPS: Final = frozenset(
    [
        "accepting",
        "arriving",
        "assembling",
        "collecting",
        "commissioning",
        "consigning",
        "creating_class_instance",
        "cycle_counting",
        "decommissioning",
        "departing",
        "destroying",
        "disassembling",
        "dispensing",
        "encoding",
        "entering_exiting",
        "holding",
        "inspecting",
        "installing",
        "killing",
        "loading",
        "other",
        "packing",
        "picking",
        "receiving",
        "removing",
        "repackaging",
        "repairing",
        "replacing",
        "reserving",
        "retail_selling",
        "sampling",
        "sensor_reporting",
        "shipping",
        "staging_outbound",
        "stock_taking",
        "stocking",
        "storing",
        "transporting",
        "unloading",
        "unpacking",
        "void_shipping",
    ]
)
#: CBV 2.0 §7.2: the 33 dispositions
DISPOSITIONS: Final = frozenset(
    [
        "active",
        "available",
        "completeness_inferred",
        "completeness_verified",
        "conformant",
        "container_closed",
        "container_open",
        "damaged",
        "destroyed",
        "dispensed",
        "disposed",
        "encoded",
        "expired",
        "in_progress",
        "in_transit",
        "inactive",
        "mismatch_class",
        "mismatch_instance",
        "mismatch_quantity",
        "needs_replacement",
        "no_pedigree_match",
        "non_conformant",
        "non_sellable_other",
        "partially_dispensed",
        "recalled",
        "reserved",
        "retail_sold",
        "returned",
        "sellable_accessible",
        "sellable_not_accessible",
        "stolen",
        "unavailable",
        "unknown",
    ]
)
_TRANSACTIONS: Final = frozenset(
    [
        "bol",
        "cert",
        "desadv",
        "inv",
        "pedigree",
        "po",
        "poc",
        "prodorder",
        "recadv",
        "rma",
        "testprd",
        "testres",
        "upevt",
    ]
)
_COMMON: Final = frozenset(
    [
        "@context",
        "type",
        "eventID",
        "eventTime",
        "recordTime",
        "eventTimeZoneOffset",
        "bizStep",
        "disposition",
        "readPoint",
        "bizTransactionList",
        "sourceList",
        "sensorElementList",
    ]
)
_FIELDS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    # type -> (required, further allowed)
    "ObjectEvent": (frozenset({"action"}), frozenset({"epcList", "quantityList", "ilmd"})),
    "TransactionEvent": (frozenset({"action", "bizTransactionList"}), frozenset({"epcList", "quantityList"})),
    "TransformationEvent": (
        frozenset(),
        frozenset({"inputEPCList", "inputQuantityList", "outputEPCList", "outputQuantityList", "ilmd"}),
    ),
    "AssociationEvent": (frozenset({"action", "parentID"}), frozenset({"childEPCs", "childQuantityList"})),
}
_LISTS_OF_IDS: Final = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
_LISTS_OF_CLASSES: Final = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
_VALUES: Final = ("value", "minValue", "maxValue", "meanValue", "stringValue", "booleanValue")


class InvalidEvent(ValueError):
    """The event must not be stored; the message lists every fault as ``path: what``."""


def validate(data: bytes) -> None:
    """Nothing if ``data`` is a valid event of ours; raises InvalidEvent with every fault otherwise."""
    event = orjson.loads(data)
    faults = list(_faults(event))
    if faults:
        raise InvalidEvent("; ".join(faults))


def _faults(event: Mapping[str, Any]) -> Iterable[str]:
    kind = str(event.get("type"))
    if kind not in _FIELDS:
        yield f"type: {event.get('type')!r} is no event type of ours"
        return
    required, allowed = _FIELDS[kind]
    for key in sorted({"@context", "eventID", "eventTime", "eventTimeZoneOffset", "bizStep"} | required):
        if key not in event:
            yield f"{key}: missing"
    for key in event:
        if key not in _COMMON and key not in required and key not in allowed and not key.startswith("lotline:"):
            yield f"{key}: not a field of {kind}"
    if event.get("action", "ADD") not in ("ADD", "OBSERVE", "DELETE"):
        yield f"action: {event['action']!r}"
    for key in ("eventTime", "recordTime"):
        if key in event and not _TIME.match(event[key]):
            yield f"{key}: {event[key]!r} is no RFC 3339 time"
    if not _OFFSET.match(event.get("eventTimeZoneOffset", "")):
        yield f"eventTimeZoneOffset: {event.get('eventTimeZoneOffset')!r} is not ±hh:mm"
    yield from _words(event)
    yield from _what(event, kind)
    for place, element in enumerate(event.get("sensorElementList", ())):
        yield from _sensor(f"sensorElementList[{place}]", element, event.get("eventTime", ""))


def _words(event: Mapping[str, Any]) -> Iterable[str]:
    for key, words in (("bizStep", BIZ_STEPS), ("disposition", DISPOSITIONS)):
        if key in event and event[key] not in words and not _URI.match(event[key]):
            yield f"{key}: {event[key]!r} is neither a CBV word nor a URI"
    yield from _uri("eventID", event.get("eventID"))
    if "readPoint" in event:
        yield from _uri("readPoint.id", event["readPoint"].get("id"))
    for place, transaction in enumerate(event.get("bizTransactionList", ())):
        if transaction.get("type") not in _TRANSACTIONS:
            yield f"bizTransactionList[{place}].type: {transaction.get('type')!r}"
        yield from _uri(f"bizTransactionList[{place}].bizTransaction", transaction.get("bizTransaction"))
    for place, source in enumerate(event.get("sourceList", ())):
        yield from _uri(f"sourceList[{place}].source", source.get("source"))


def _what(event: Mapping[str, Any], kind: str) -> Iterable[str]:
    if "parentID" in event:
        yield from _uri("parentID", event["parentID"])
    for key in _LISTS_OF_IDS:
        for place, item in enumerate(event.get(key, ())):
            yield from _uri(f"{key}[{place}]", item)
    for key in _LISTS_OF_CLASSES:
        for place, element in enumerate(event.get(key, ())):
            yield from _uri(f"{key}[{place}].epcClass", element.get("epcClass"))
            quantity = element.get("quantity", 1)
            if isinstance(quantity, bool) or not isinstance(quantity, int | float) or quantity < 0:
                yield f"{key}[{place}].quantity: {quantity!r}"
    named = [key for key in (*_LISTS_OF_IDS, *_LISTS_OF_CLASSES) if event.get(key)]
    if kind == "TransformationEvent":
        if not any(key.startswith("input") for key in named) or not any(key.startswith("output") for key in named):
            yield "TransformationEvent: needs inputs and outputs"
    elif not named:
        yield f"{kind}: names no item"


def _sensor(path: str, element: Mapping[str, Any], event_time: str) -> Iterable[str]:
    metadata = element.get("sensorMetadata", {})
    for key in ("time", "startTime", "endTime"):
        if key in metadata:
            if not _TIME.match(metadata[key]):
                yield f"{path}.sensorMetadata.{key}: {metadata[key]!r} is no RFC 3339 time"
            elif _TIME.match(event_time) and datetime.fromisoformat(metadata[key]) > datetime.fromisoformat(event_time):
                yield f"{path}.sensorMetadata.{key}: after the event"
    for key in ("deviceID", "rawData"):
        if key in metadata:
            yield from _uri(f"{path}.sensorMetadata.{key}", metadata[key])
    reports = element.get("sensorReport", ())
    if not reports:
        yield f"{path}.sensorReport: empty"
    for place, report in enumerate(reports):
        kind = report.get("type", "")
        if not kind[:1].isupper() and not _URI.match(kind):
            yield f"{path}.sensorReport[{place}].type: {kind!r}"
        if not any(key in report for key in _VALUES):
            yield f"{path}.sensorReport[{place}]: carries no value"


def _uri(path: str, value: object) -> Iterable[str]:
    if not isinstance(value, str) or not _URI.match(value):
        yield f"{path}: {value!r} is no absolute, percent-encoded URI"
