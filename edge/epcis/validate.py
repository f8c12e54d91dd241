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

# possessive: a run of plain characters is taken whole, so a long id costs one step and a wrong one no backtracking
_URI: Final = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]++|%[0-9A-Fa-f]{2})+$")
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
_OWN: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    # type -> (required, further allowed)
    "ObjectEvent": (frozenset({"action"}), frozenset({"epcList", "quantityList", "ilmd"})),
    "TransactionEvent": (frozenset({"action", "bizTransactionList"}), frozenset({"epcList", "quantityList"})),
    "TransformationEvent": (
        frozenset(),
        frozenset({"inputEPCList", "inputQuantityList", "outputEPCList", "outputQuantityList", "ilmd"}),
    ),
    "AssociationEvent": (frozenset({"action", "parentID"}), frozenset({"childEPCs", "childQuantityList"})),
}
_ALWAYS: Final = frozenset({"@context", "eventID", "eventTime", "eventTimeZoneOffset", "bizStep"})
#: type -> (required, allowed), the common ones included
_FIELDS: Final = {
    kind: (_ALWAYS | required, _COMMON | required | further) for kind, (required, further) in _OWN.items()
}
_LISTS_OF_IDS: Final = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
_LISTS_OF_CLASSES: Final = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
_LISTS: Final = (*_LISTS_OF_IDS, *_LISTS_OF_CLASSES)
_VALUES: Final = ("value", "minValue", "maxValue", "meanValue", "stringValue", "booleanValue")


class InvalidEvent(ValueError):
    """The event must not be stored; the message lists every fault as ``path: what``."""


def validate(data: bytes) -> None:
    """Nothing if ``data`` is a valid event of ours; raises InvalidEvent with every fault otherwise."""
    faults = _faults(orjson.loads(data))
    if faults:
        raise InvalidEvent("; ".join(faults))


def _faults(event: Mapping[str, Any]) -> list[str]:
    # plain loops into one list: this runs between every scan and its acknowledgement
    kind = str(event.get("type"))
    if kind not in _FIELDS:
        return [f"type: {event.get('type')!r} is no event type of ours"]
    required, allowed = _FIELDS[kind]
    faults = [f"{key}: missing" for key in sorted(required - event.keys())]
    faults += [
        f"{key}: not a field of {kind}" for key in event if key not in allowed and not key.startswith("lotline:")
    ]
    if event.get("action", "ADD") not in ("ADD", "OBSERVE", "DELETE"):
        faults.append(f"action: {event['action']!r}")
    for key in ("eventTime", "recordTime"):
        if key in event and not _TIME.match(event[key]):
            faults.append(f"{key}: {event[key]!r} is no RFC 3339 time")
    if not _OFFSET.match(event.get("eventTimeZoneOffset", "")):
        faults.append(f"eventTimeZoneOffset: {event.get('eventTimeZoneOffset')!r} is not ±hh:mm")
    _check_words(event, faults)
    _check_what(event, kind, faults)
    for place, element in enumerate(event.get("sensorElementList", ())):
        faults += _sensor(f"sensorElementList[{place}]", element, event.get("eventTime", ""))
    return faults


def _check_words(event: Mapping[str, Any], faults: list[str]) -> None:
    for key, words in (("bizStep", BIZ_STEPS), ("disposition", DISPOSITIONS)):
        if key in event and event[key] not in words and not _URI.match(event[key]):
            faults.append(f"{key}: {event[key]!r} is neither a CBV word nor a URI")
    _check_uri("eventID", event.get("eventID"), faults)
    if "readPoint" in event:
        _check_uri("readPoint.id", event["readPoint"].get("id"), faults)
    for place, transaction in enumerate(event.get("bizTransactionList", ())):
        if transaction.get("type") not in _TRANSACTIONS:
            faults.append(f"bizTransactionList[{place}].type: {transaction.get('type')!r}")
        _check_uri(f"bizTransactionList[{place}].bizTransaction", transaction.get("bizTransaction"), faults)
    for place, source in enumerate(event.get("sourceList", ())):
        _check_uri(f"sourceList[{place}].source", source.get("source"), faults)


def _check_what(event: Mapping[str, Any], kind: str, faults: list[str]) -> None:
    if "parentID" in event:
        _check_uri("parentID", event["parentID"], faults)
    named = [key for key in _LISTS if event.get(key)]
    for key in named:
        for place, item in enumerate(event[key]):
            if key in _LISTS_OF_IDS:
                _check_uri(f"{key}[{place}]", item, faults)
                continue
            _check_uri(f"{key}[{place}].epcClass", item.get("epcClass"), faults)
            quantity = item.get("quantity", 1)
            if isinstance(quantity, bool) or not isinstance(quantity, int | float) or quantity < 0:
                faults.append(f"{key}[{place}].quantity: {quantity!r}")
    if kind == "TransformationEvent":
        if not any(key.startswith("input") for key in named) or not any(key.startswith("output") for key in named):
            faults.append("TransformationEvent: needs inputs and outputs")
    elif not named:
        faults.append(f"{kind}: names no item")


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
    faults: list[str] = []
    _check_uri(path, value, faults)
    return faults


def _check_uri(path: str, value: object, faults: list[str]) -> None:
    if not isinstance(value, str) or not _URI.match(value):
        faults.append(f"{path}: {value!r} is no absolute, percent-encoded URI")
