"""Events as the line makes them, small, for couriers and sinks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from edge.log import new_id
from edge.model import Entry, Kind, Moment

BEGIN = datetime(2026, 11, 22, 3, 42, 7, tzinfo=UTC)


class StillClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def now(self) -> Moment:
        return Moment(
            utc=BEGIN + timedelta(seconds=self.at_s),
            offset_s=28_800,
            monotonic_ns=int(self.at_s * 1e9),
            boot_id="7b0e6a2c-2f6e-4f4e-9a53-0a2f6f2a5b11",
            synchronised=True,
            bound_s=0.001,
        )


def item(name: str) -> str:
    return f"https://id.example.com/material/M/lot/{name}"


def event(
    *items: str | tuple[str, str, str],
    act: str = "make",
    order: str = "",
    key: str = "",
    day: str = "22",
    note: str = "",
) -> Entry:
    """``items``: a lot's name, or (role, lot, quantity)."""
    rows = [
        {"role": role, "id": item(name), "material": "M", "lot": name, "quantity": quantity, "unit": "C62"}
        for role, name, quantity in (row if isinstance(row, tuple) else ("input", row, "1") for row in items)
    ]
    body: dict[str, object] = {
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:{key or new_id()}",
        "eventTime": f"2026-11-{day}T03:42:07.123Z",
        "eventTimeZoneOffset": "+08:00",
        "readPoint": {"id": "https://id.example.com/station/SZ1.A.L3.ST10"},
        "lotline:kind": "event",
        "lotline:schema": 1,
        "lotline:station": "ST10",
        "lotline:clock": {"monotonicNs": 0, "bootId": "7b0e6a2c-2f6e-4f4e-9a53-0a2f6f2a5b11"},
        "lotline:act": act,
        "lotline:items": rows,
        "lotline:note": note,
    }
    if order:
        body["lotline:workOrder"] = {"id": order, "material": "PUMP-100"}
    return Entry(kind=Kind.EVENT, data=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


def key_of(entry: Entry) -> str:
    return str(json.loads(entry.data)["eventID"])


def keys_of_all(entries: Sequence[Entry]) -> list[str]:
    return [key_of(entry) for entry in entries]
