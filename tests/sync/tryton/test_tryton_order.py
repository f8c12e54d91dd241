"""A closed order is consumption and production in a real Tryton."""

from __future__ import annotations

from collections import Counter

import pytest

from edge.contracts import Accepted, Gathered
from edge.epcis import Role
from edge.simulate.tryton import TrytonSite
from sync.tryton.rest import Rest
from tests.sync.tryton.conftest import sink
from tests.sync.tryton.story import Kept, Line, lot

pytestmark = pytest.mark.tryton


async def moves(rest: Rest, order: str, side: str) -> Counter[tuple[str, str, float]]:
    """(material, lot, quantity) of the production's done moves."""
    rows = await rest.search(
        "production",
        [["number", "=", order]],
        ["state", *(f"{side}.{name}" for name in ("product.code", "lot.number", "quantity", "state"))],
    )
    return Counter(
        (m["product"]["code"], m["lot"]["number"] if m["lot"] else "", m["quantity"])
        for m in rows[0][side]
        if m["state"] == "done"
    )


async def state(rest: Rest, order: str) -> str:
    rows = await rest.search("production", [["number", "=", order]], ["state"])
    return str(rows[0]["state"])


def three_pumps(line: Line, order: str, first: int) -> None:
    """Three pumps from two lots of bearings; the second pump takes one bearing of each."""
    line.load(order, lot(Role.LOADED, "BRG-6204", "L77", "500"))
    line.pump(order, f"SN{first}", [("L77", "2")], f"S{first}")
    line.pump(order, f"SN{first + 1}", [("L77", "1"), ("L78", "1")], f"S{first + 1}")
    line.pump(order, f"SN{first + 2}", [("L78", "2")], f"S{first + 2}")


async def test_order_with_three_serials_and_two_lots_is_produced_in_tryton(
    site: TrytonSite, kept: Kept, rest: Rest
) -> None:
    line = Line()
    three_pumps(line, "WO-1001", 1)
    closing = line.close("WO-1001", 3)
    async with sink(site, kept) as erp:
        verdicts = await erp.deliver(line.records[:-1])
        assert verdicts == [Gathered(document="production/WO-1001")] * 7
        kept.keep("production/WO-1001", line.records[:-1])
        [verdict] = await erp.deliver([closing])
    assert isinstance(verdict, Accepted), verdict
    assert verdict.document == "production/WO-1001"
    assert verdict.receipt.startswith("production 1 (WO-1001) done; attachment ")
    assert await state(rest, "WO-1001") == "done"
    assert await moves(rest, "WO-1001", "inputs") == Counter(
        [
            ("BRG-6204", "L77", 3.0),
            ("BRG-6204", "L78", 3.0),
            ("SHAFT-9", "S1", 1.0),
            ("SHAFT-9", "S2", 1.0),
            ("SHAFT-9", "S3", 1.0),
        ]
    )
    assert await moves(rest, "WO-1001", "outputs") == Counter([("PUMP-100", f"SN{n}", 1.0) for n in (1, 2, 3)])
    [file] = await rest.search("ir.attachment", [["resource", "=", "production,1"]], ["name", "data", "data_size"])
    assert file["data"] == b"".join(record.data + b"\n" for record in line.records)
    assert file["name"].startswith("WO-1001 ") and file["name"].endswith(" 1 of 1.jsonl")


async def test_supplier_lot_is_found_from_the_serial_by_tryton_itself(site: TrytonSite, kept: Kept, rest: Rest) -> None:
    line = Line()
    line.receive(lot(Role.RECEIVED, "BRG-6204", "N-900", "6"), purchase="PO-1")
    for number in (4, 5, 6):
        line.pump("WO-1002", f"SN{number}", [("N-900", "2")], f"S{number}")
    line.close("WO-1002", 3)
    async with sink(site, kept) as erp:
        verdicts = await erp.deliver(line.records)
    assert isinstance(verdicts[0], Accepted) and isinstance(verdicts[-1], Accepted), verdicts
    todo = await rest.search("stock.lot.trace", [["lot.number", "=", "SN5"]], ["downward_traces"])
    documents: dict[str, set[str]] = {}
    seen: set[int] = set()
    ids = [trace for row in todo for trace in row["downward_traces"]]
    while ids := [trace for trace in ids if trace not in seen]:
        seen.update(ids)
        rows = await rest.search("stock.lot.trace", [["id", "in", ids]], ["lot.number", "document", "downward_traces"])
        for row in rows:
            documents.setdefault(row["lot"]["number"], set()).add(row["document"].partition(",")[0])
        ids = [trace for row in rows for trace in row["downward_traces"]]
    assert documents["N-900"] == {"production", "stock.shipment.in"}
    assert {"S4", "S5", "S6"} <= documents.keys()


async def test_close_and_what_it_collects_may_come_in_one_batch(site: TrytonSite, kept: Kept, rest: Rest) -> None:
    line = Line()
    three_pumps(line, "WO-1003", 7)
    line.close("WO-1003", 3)
    async with sink(site, kept) as erp:
        verdicts = await erp.deliver(line.records)
    assert isinstance(verdicts[-1], Accepted)
    assert await state(rest, "WO-1003") == "done"


async def test_the_same_close_twice_has_one_effect(site: TrytonSite, kept: Kept, rest: Rest) -> None:
    line = Line()
    three_pumps(line, "WO-1004", 10)
    line.close("WO-1004", 3)
    for _ in range(2):
        async with sink(site, kept) as erp:
            verdicts = await erp.deliver(line.records)
        assert isinstance(verdicts[-1], Accepted)
    assert sum((await moves(rest, "WO-1004", "inputs")).values()) == 5
    assert sum((await moves(rest, "WO-1004", "outputs")).values()) == 3
    assert len(await rest.search("ir.attachment", [["resource", "=", "production,4"]], ["name"])) == 1
