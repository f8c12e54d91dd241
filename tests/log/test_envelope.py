"""What every record says about itself."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest

from edge.log import Provenance, entry, envelope, kind_inside, offset_text, record_id, time_text
from edge.model import Kind
from tests.log.conftest import ManualClock


def test_record_carries_where_it_came_from() -> None:
    clock = ManualClock(datetime(2026, 11, 22, 3, 42, 7, 123_999, tzinfo=UTC))
    provenance = Provenance(
        build="0.1.0", config="41", procedure="press-bearing 4", bill="3", masters="7", checks="all"
    )
    made = entry(Kind.SCAN, clock.now(), "ST10", provenance, {"quantity": Decimal("2.50"), "raw": b"]d2"})
    assert made.kind is Kind.SCAN
    document = msgspec.json.decode(made.data)
    assert UUID(document.pop("id")).version == 7
    assert document == {
        "kind": "scan",
        "schema": 1,
        "station": "ST10",
        "time": "2026-11-22T03:42:07.123Z",
        "offset": "+08:00",
        "clock": {"monotonicNs": 1_000_000_000, "bootId": "boot-1", "synchronised": True, "boundS": 0.01},
        "from": {
            "build": "0.1.0",
            "config": "41",
            "procedure": "press-bearing 4",
            "bill": "3",
            "masters": "7",
            "checks": "all",
        },
        "quantity": "2.50",
        "raw": "XWQy",
    }


def test_body_may_not_overwrite_the_envelope() -> None:
    with pytest.raises(ValueError, match="a record's body may not use \\['id', 'time'\\]: the envelope does"):
        entry(Kind.AUDIT, ManualClock().now(), "", Provenance(), {"time": "now", "id": "1"})


def test_record_id_is_found_in_records_and_in_events() -> None:
    assert record_id(entry(Kind.AUDIT, ManualClock().now(), "", Provenance(), {}, record_id="r-1").data) == "r-1"
    assert record_id(b'{"eventID":"urn:uuid:7","id":"x"}') == "urn:uuid:7"
    assert record_id(b"{}") == ""


def test_kind_is_found_in_records_and_in_events() -> None:
    assert kind_inside(b'{"kind":"scan"}') == "scan"
    assert kind_inside(b'{"type":"ObjectEvent","lotline:kind":"event"}') == "event"
    with pytest.raises(msgspec.MsgspecError):
        kind_inside(b"[]")


def test_ids_only_grow_in_a_process_even_when_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_795_000_000_000_000_000]
    monkeypatch.setattr(envelope.time, "time_ns", lambda: now[0])
    process = envelope._Ids()
    ids = [process.next() for _ in range(2000)]
    now[0] -= 7200 * 10**9
    ids += [process.next() for _ in range(2000)]
    now[0] += 7201 * 10**9
    ids += [process.next() for _ in range(10)]
    assert ids == sorted(set(ids))
    assert {UUID(each).version for each in ids} == {7}
    assert {UUID(each).variant for each in ids} == {"specified in RFC 4122"}
    assert UUID(ids[-1]).int >> 80 == now[0] // 1_000_000


def test_times_are_utc_with_milliseconds_cut() -> None:
    assert time_text(datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC)) == "2026-01-02T03:04:05.999Z"
    assert [offset_text(seconds) for seconds in (28800, 0, -12600)] == ["+08:00", "+00:00", "-03:30"]
