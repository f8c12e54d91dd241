"""What goes beside a production: the stored events as attachment, and the measured values as inspection."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from edge.model import Record
from sync.tryton.catalog import Catalog, NoPlace
from sync.tryton.event import Event
from sync.tryton.rest import Row, binary, instant

#: Proxies stop at 1 MB and trytond at 2 MiB of request; base64 makes four bytes of three.
PART_BYTES: Final = 700_000


async def attach(catalog: Catalog, production: int, order: str, records: Sequence[Record]) -> list[int]:
    """The events as stored, one per line, in files of at most ``PART_BYTES``; the ids of the attachments.

    The name carries the SHA-256 of everything, so the same events are never attached twice.
    """
    pieces = _pieces(records)
    digest = hashlib.sha256(b"".join(pieces)).hexdigest()[:16]
    resource = f"production,{production}"
    names = [f"{order} {digest} {at} of {len(pieces)}.jsonl" for at in range(1, len(pieces) + 1)]
    domain = [["resource", "=", resource], ["name", "in", names]]
    there: dict[str, int] = {}
    for row in await catalog.rest.search("ir.attachment", domain, ["name"]):
        there.setdefault(row["name"], row["id"])
    for name, piece in zip(names, pieces, strict=True):
        if name not in there:
            values = {"resource": resource, "name": name, "type": "data", "data": binary(piece)}
            there[name] = await catalog.rest.create("ir.attachment", values)
    return [there[name] for name in names]


def _pieces(records: Iterable[Record]) -> list[bytes]:
    pieces: list[list[bytes]] = [[]]
    room = PART_BYTES
    for record in records:
        if pieces[-1] and len(record.data) + 1 > room:
            pieces.append([])
            room = PART_BYTES
        pieces[-1] += (record.data, b"\n")
        room -= len(record.data) + 1
    return [b"".join(piece) for piece in pieces]


async def inspect(
    catalog: Catalog, production: int, order: str, control: str, reference: str, events: Sequence[Event], at: datetime
) -> None:
    """One inspection of ``production`` by ``control``, found again by ``reference``. Raises NoPlace, Refused.

    An inspection holds one value per point, an order has one per unit: the point gets the value of the order that lies
    nearest to, or farthest beyond, the point's tolerance. Tryton decides whether it passes.
    """
    rest = catalog.rest
    found = await rest.search("quality.inspection", [["reference", "=", reference]], ["state"], limit=1)
    if not found:
        controls = await rest.search(
            "quality.control",
            [["name", "=", control]],
            ["points.name", "points.type_", "points.tolerance_lower", "points.tolerance_upper"],
            limit=1,
        )
        if not controls:
            raise NoPlace.of("control", control=control)
        points = {point["name"]: _worst(point, events, order, control) for point in controls[0]["points"]}
        values: dict[str, Any] = {
            "company": catalog.site.company,
            "reference": reference,
            "origin": f"production,{production}",
            "control": controls[0]["id"],
            "points": points,
            "processed_at": instant(at),
        }
        found = [{"id": await rest.create("quality.inspection", values), "state": "pending"}]
    if found[0]["state"] == "pending":
        await rest.press("quality.inspection", found[0]["id"], "process")


def _worst(point: Row, events: Iterable[Event], order: str, control: str) -> float:
    reports = (report for event in events for report in event.reports if report.name == point["name"])
    values = [value for report in reports for value in report.values]
    if not values:
        raise NoPlace.of("point", order=order, point=point["name"], control=control)
    low, high = point.get("tolerance_lower"), point.get("tolerance_upper")

    def margin(value: float) -> float:
        sides = [value - low] if low is not None else []
        sides += [high - value] if high is not None else []
        return min(sides, default=0.0)

    return min(values, key=margin)
