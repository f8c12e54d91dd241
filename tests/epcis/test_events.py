"""Every event we emit is a valid EPCIS 2.0 event: by our own validator, and by the standard's schema where it is at hand."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from edge.epcis import InvalidEvent, build, validate
from edge.log import Provenance
from tests.station.bench import BRG, GS, PUMP, Bench, bearing, ready, serial
from tests.station.test_bind import RECEIVING
from tests.station.test_measure import PROCEDURE, pressed

SHARED = Path(__file__).resolve().parents[3] / "shared/epcis"
PROVENANCE = Provenance(build="1", config="c", procedure="press/4", bill="PUMP-100/3", masters="m", checks="stop")


def documents(bench: Bench) -> list[bytes]:
    return [
        build(
            draft,
            place=bench.place,
            moment=bench.now(),
            event_id="019abc12-3456-7abc-8def-0123456789ab",
            provenance=PROVENANCE,
            procedure=("press", 4),
        )
        for outcome in bench.outcomes
        for draft in outcome.drafts
    ]


def every_shape() -> list[bytes]:
    receiving = Bench(RECEIVING)
    receiving.scan(f"]C101{BRG}17270531400PO-9{GS}10轴".replace("轴", "N%/7"))
    receiving.scan("]C130250")
    line = ready(Bench())
    line.says(serial("S1"), serial("SN1", gtin=PUMP), serial("S2"), bearing("L77"), serial("SN2", gtin=PUMP))
    measured = Bench(PROCEDURE)
    measured.scan(serial("S1"))
    pressed(measured)
    measured.scan(serial("SN1", gtin=PUMP))
    return [*documents(receiving), *documents(line), *documents(measured)]


SHAPES = every_shape()


@cache
def oracle() -> jsonschema.Draft7Validator:
    schema = json.loads((SHARED / "EPCIS-JSON-Schema.json").read_text())
    return jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())


def document(event: dict[str, Any]) -> dict[str, Any]:
    """The capture document around one event."""
    return {
        "@context": event["@context"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": event["eventTime"],
        "epcisBody": {"eventList": [event]},
    }


def test_every_act_has_its_event_type() -> None:
    kinds = {(event["lotline:act"], event["type"]) for event in map(json.loads, SHAPES)}
    assert kinds == {
        ("receive", "ObjectEvent"),
        ("load", "ObjectEvent"),
        ("make", "TransformationEvent"),
        ("make", "ObjectEvent"),
        ("join", "AssociationEvent"),
        ("close", "TransactionEvent"),
    }


@pytest.mark.parametrize("data", SHAPES, ids=lambda data: json.loads(data)["lotline:act"])
def test_our_validator_accepts_what_we_build(data: bytes) -> None:
    validate(data)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the EPCIS schema is not beside this clone")
@pytest.mark.parametrize("data", SHAPES, ids=lambda data: json.loads(data)["lotline:act"])
def test_the_standards_schema_accepts_what_we_build(data: bytes) -> None:
    faults = [f"{list(e.absolute_path)}: {e.message[:200]}" for e in oracle().iter_errors(document(json.loads(data)))]
    assert faults == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="the EPCIS schema is not beside this clone")
def test_our_validator_accepts_the_example_of_the_design() -> None:
    data = (SHARED / "example-event.json").read_bytes()
    assert list(oracle().iter_errors(document(json.loads(data)))) == []
    validate(data)


def _broken() -> list[tuple[str, dict[str, Any], str]]:
    make = next(e for e in map(json.loads, SHAPES) if e["type"] == "TransformationEvent")
    measured = next(e for e in map(json.loads, SHAPES) if e.get("sensorElementList"))
    sensor = json.loads(json.dumps(measured["sensorElementList"]))
    sensor[0]["sensorMetadata"]["endTime"] = "2036-01-01T00:00:00Z"
    return [
        ("time", make | {"eventTime": "yesterday"}, "eventTime: 'yesterday' is no RFC 3339 time"),
        ("step", make | {"bizStep": "pressing"}, "bizStep: 'pressing' is neither a CBV word nor a URI"),
        ("offset", make | {"eventTimeZoneOffset": "8"}, "eventTimeZoneOffset: '8' is not ±hh:mm"),
        ("field", make | {"colour": "red"}, "colour: not a field of TransformationEvent"),
        (
            "id",
            make | {"outputEPCList": ["https://x/a b"]},
            "outputEPCList[0]: 'https://x/a b' is no absolute, percent-encoded URI",
        ),
        ("empty", make | {"outputEPCList": []}, "TransformationEvent: needs inputs and outputs"),
        (
            "future",
            measured | {"sensorElementList": sensor},
            "sensorElementList[0].sensorMetadata.endTime: after the event",
        ),
    ]


@pytest.mark.parametrize(("event", "fault"), [case[1:] for case in _broken()], ids=[case[0] for case in _broken()])
def test_a_fault_is_named_before_it_is_stored(event: dict[str, Any], fault: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        validate(json.dumps(event).encode())
    assert fault in str(caught.value)


def test_quantities_stand_exactly_beside_the_number() -> None:
    make = next(e for e in map(json.loads, SHAPES) if e["type"] == "TransformationEvent")
    (lot,) = [item for item in make["lotline:items"] if item["role"] == "input"]
    assert (lot["quantity"], lot["unit"], lot["known"]) == ("2", "C62", "theoretical")
    assert make["inputQuantityList"] == [{"epcClass": lot["id"], "quantity": 2}]
