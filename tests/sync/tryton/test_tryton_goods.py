"""Bulk, bins, units and long orders in a real Tryton."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from edge.contracts import Accepted, Rejected
from edge.epcis import Item, Role
from edge.simulate.tryton import TrytonSite
from sync.tryton import evidence
from sync.tryton.rest import Rest, day
from tests.sync.tryton.conftest import VALVES, Admin, sink
from tests.sync.tryton.story import IDS, Kept, Line, lot
from tests.sync.tryton.test_tryton_order import moves, state

pytestmark = pytest.mark.tryton


async def closed(site: TrytonSite, line: Line) -> str:
    async with sink(site, Kept()) as erp:
        verdict = (await erp.deliver(line.records))[-1]
    assert isinstance(verdict, Accepted), verdict
    return verdict.receipt


async def test_a_component_that_nobody_scans_is_consumed_by_the_bill_for_what_was_made(
    site: TrytonSite, rest: Rest
) -> None:
    line = Line()
    line.valves(VALVES[0], "60", "V-1", [lot(Role.INPUT, "BRG-6204", "L77", "60")])
    line.valves(VALVES[0], "20", "V-2", [lot(Role.INPUT, "BRG-6204", "L77", "21")])
    line.close(VALVES[0], 80, material="VALVE-7")
    await closed(site, line)
    assert await moves(rest, VALVES[0], "inputs") == Counter([("BRG-6204", "L77", 81.0), ("GREASE-1", "", 4.0)])
    assert await moves(rest, VALVES[0], "outputs") == Counter([("VALVE-7", "V-1", 60.0), ("VALVE-7", "V-2", 20.0)])


async def test_the_same_lot_made_bit_by_bit_is_one_output(site: TrytonSite, rest: Rest) -> None:
    line = Line()
    for _ in range(5):
        line.valves(VALVES[1], "20", "V-3", [lot(Role.INPUT, "BRG-6204", "L78", "20")])
    line.close(VALVES[1], 100, material="VALVE-7")
    await closed(site, line)
    assert await moves(rest, VALVES[1], "outputs") == Counter([("VALVE-7", "V-3", 100.0)])


async def test_a_component_beside_the_bill_is_consumed_too(site: TrytonSite, rest: Rest) -> None:
    line = Line()
    other = Item(
        role=Role.INPUT,
        id=IDS.serial("SHAFT-9", None, "S200"),
        material="SHAFT-9",
        unit="C62",
        quantity=Decimal(1),
        serial="S200",
    )
    line.valves(VALVES[2], "1", "V-4", [lot(Role.INPUT, "BRG-6204", "L78", "1"), other])
    line.close(VALVES[2], 1, material="VALVE-7")
    await closed(site, line)
    assert ("SHAFT-9", "S200", 1.0) in await moves(rest, VALVES[2], "inputs")


async def test_grams_are_received_against_kilograms(site: TrytonSite, rest: Rest) -> None:
    line = Line()
    item = Item(
        role=Role.RECEIVED, id=IDS.material("GREASE-1", None), material="GREASE-1", unit="GRM", quantity=Decimal(1500)
    )
    line.receive(item, purchase="PO-3")
    assert await closed(site, line) == "shipment 1 done"
    domain = [["product.code", "=", "GREASE-1"], ["state", "=", "done"], ["from_location.type", "=", "supplier"]]
    [move] = await rest.search("stock.move", domain, ["quantity", "unit.symbol"])
    assert (move["quantity"], move["unit"]["symbol"]) == (1.5, "kg")


async def test_a_unit_that_tryton_does_not_count_the_material_in_is_refused(site: TrytonSite) -> None:
    line = Line()
    item = Item(
        role=Role.RECEIVED, id=IDS.material("GREASE-1", None), material="GREASE-1", unit="LTR", quantity=Decimal(1)
    )
    line.receive(item, purchase="PO-3")
    async with sink(site, Kept()) as erp:
        [verdict] = await erp.deliver(line.records)
    assert isinstance(verdict, Rejected)
    assert verdict.reason.startswith("Tryton has no unit for 'LTR' in which GREASE-1 is counted.")


async def test_a_lot_that_lies_in_two_bins_is_taken_from_both(site: TrytonSite, rest: Rest, admin: Admin) -> None:
    [storage] = await rest.search("stock.location", [["code", "=", "STO"]], ["code"])
    values = {"name": "Bin A", "code": "BIN-A", "type": "storage", "parent": storage["id"]}
    [shelf] = await admin.call("model.stock.location.create", [values])
    [held] = await rest.search("stock.lot", [["number", "=", "L03"]], ["product"])
    company, today = site.access.company, day(await rest.call("ir.date", "today"))
    there = {"from_location": storage["id"], "to_location": shelf, "company": company}
    move = {"product": held["product"], "unit": 1, "quantity": 2.0, "lot": held["id"], **there}
    days = dict.fromkeys(("planned_date", "planned_start_date", "effective_date", "effective_start_date"), today)
    moving = await rest.create("stock.shipment.internal", {**there, **days, "moves": [["create", [move]]]})
    for button in ("wait", "assign_try", "do"):
        await admin.press("stock.shipment.internal", moving, button)
    line = Line()
    line.valves(VALVES[3], "3", "V-5", [lot(Role.INPUT, "BRG-6204", "L03", "3")])
    line.close(VALVES[3], 3, material="VALVE-7")
    await closed(site, line)
    taken = await moves(rest, VALVES[3], "inputs")
    assert sum(quantity * count for (_, number, quantity), count in taken.items() if number == "L03") == 3.0
    assert await state(rest, VALVES[3]) == "done"


async def test_a_long_order_is_attached_in_parts_that_a_proxy_lets_through(
    site: TrytonSite, rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "PART_BYTES", 5_000)
    line = Line()
    for _ in range(12):
        line.valves(VALVES[4], "1", "V-6", [lot(Role.INPUT, "BRG-6204", "L78", "1")])
    line.close(VALVES[4], 12, material="VALVE-7")
    receipt = await closed(site, line)
    assert await closed(site, line) == receipt
    [production] = await rest.search("production", [["number", "=", VALVES[4]]], ["number"])
    files = await rest.search("ir.attachment", [["resource", "=", f"production,{production['id']}"]], ["name", "data"])
    assert len(files) > 2
    assert receipt.endswith("attachment " + ", ".join(str(file["id"]) for file in files))
    assert all(len(file["data"]) <= 5_000 for file in files)
    assert b"".join(file["data"] for file in files) == b"".join(record.data + b"\n" for record in line.records)
