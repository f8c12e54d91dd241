"""A received lot is a supplier shipment in a real Tryton."""

from __future__ import annotations

from datetime import date

import pytest

from edge.contracts import Accepted, Rejected
from edge.epcis import Role
from edge.simulate.tryton import TrytonSite
from sync.tryton.rest import Rest, Row, day
from tests.sync.tryton.conftest import YEAR, Admin, login, sink
from tests.sync.tryton.story import Kept, Line, lot, serial

pytestmark = pytest.mark.tryton


async def shipments(rest: Rest) -> list[Row]:
    fields = ["reference", "state", "number"]
    moves = [f"incoming_moves.{name}" for name in ("quantity", "state", "lot.number", "origin", "unit_price")]
    stored = [f"inventory_moves.{name}" for name in ("quantity", "state", "lot.number")]
    return await rest.search("stock.shipment.in", [], [*fields, *moves, *stored])


async def still_open(rest: Rest, purchase: str) -> dict[str, float]:
    domain = [["origin.purchase.number", "=", purchase, "purchase.line"], ["state", "=", "draft"]]
    return {
        row["product"]["code"]: row["quantity"]
        for row in await rest.search("stock.move", [*domain, ["shipment", "=", None]], ["product.code", "quantity"])
    }


async def test_receipt_takes_part_of_the_purchase_line_and_the_same_one_again_nothing(
    site: TrytonSite, kept: Kept, rest: Rest
) -> None:
    line = Line()
    record = line.receive(lot(Role.RECEIVED, "BRG-6204", "N-1", "40", expiry=date(YEAR, 3, 31)), purchase="PO-1")
    async with sink(site, kept) as erp:
        first = await erp.deliver([record])
        again = await erp.deliver([record])
    assert first == again
    assert isinstance(first[0], Accepted)
    assert first[0].receipt.endswith(" done, lot N-1")
    assert await still_open(rest, "PO-1") == {"BRG-6204": 960.0, "SHAFT-9": 500.0}
    [shipment] = await shipments(rest)
    assert shipment["state"] == "done"
    assert [(m["lot"]["number"], m["quantity"], m["state"]) for m in shipment["inventory_moves"]] == [
        ("N-1", 40.0, "done")
    ]
    [made] = await rest.search("stock.lot", [["number", "=", "N-1"]], ["expiration_date"])
    assert made["expiration_date"] == date(YEAR, 3, 31)


async def test_a_serial_comes_in_as_a_lot_that_holds_one(site: TrytonSite, kept: Kept, rest: Rest) -> None:
    line = Line()
    line.receive(serial(Role.RECEIVED, "SHAFT-9", "SX-1"), purchase="PO-1")
    line.receive(serial(Role.RECEIVED, "SHAFT-9", "SX-2"), purchase="PO-1")
    async with sink(site, kept) as erp:
        verdicts = await erp.deliver(line.records)
    assert all(isinstance(verdict, Accepted) for verdict in verdicts)
    lots = await rest.search("stock.lot", [["number", "like", "SX-%"]], ["unit_quantity", "unit.symbol"])
    assert [(row["unit_quantity"], row["unit"]["symbol"]) for row in lots] == [(1.0, "u"), (1.0, "u")]
    assert (await still_open(rest, "PO-1"))["SHAFT-9"] == 498.0


async def test_without_purchase_number_the_oldest_open_line_is_taken(site: TrytonSite, kept: Kept, rest: Rest) -> None:
    line = Line()
    line.receive(lot(Role.RECEIVED, "BRG-6204", "N-2", "10"))
    async with sink(site, kept) as erp:
        await erp.deliver(line.records)
    assert (await still_open(rest, "PO-1"))["BRG-6204"] == 950.0


async def test_more_than_ordered_is_refused_and_leaves_nothing_behind(site: TrytonSite, kept: Kept, rest: Rest) -> None:
    before = await shipments(rest)
    line = Line()
    line.receive(lot(Role.RECEIVED, "BRG-6204", "N-3", "31"), purchase="PO-2")
    async with sink(site, kept) as erp:
        [verdict] = await erp.deliver(line.records)
    assert verdict == Rejected(
        reason="31 BRG-6204 came in, but only 30 are still open on PO-2 in Tryton. Amend the purchase in Tryton, then retry. "
        "收到 31 BRG-6204，但 Tryton 中 PO-2 只剩 30 未收。请在 Tryton 中修改采购单后重试。"
    )
    assert await shipments(rest) == before


async def test_unknown_purchase_and_unknown_material_are_refused(site: TrytonSite, kept: Kept) -> None:
    line = Line()
    line.receive(lot(Role.RECEIVED, "BRG-6204", "N-4", "1"), purchase="PO-77")
    line.receive(lot(Role.RECEIVED, "NO-SUCH", "N-5", "1"))
    async with sink(site, kept) as erp:
        purchase, material = await erp.deliver(line.records)
    assert isinstance(purchase, Rejected) and isinstance(material, Rejected)
    assert purchase.reason.startswith("Purchase PO-77 has no open line for BRG-6204 in Tryton.")
    assert material.reason.startswith("Tryton has no product with code NO-SUCH.")


async def test_goods_that_nobody_ordered_need_a_person_or_a_password(site: TrytonSite, kept: Kept, rest: Rest) -> None:
    line = Line()
    line.receive(lot(Role.RECEIVED, "PUMP-100", "RET-1", "1", supplier="SUP-1"))
    async with sink(site, kept) as erp:
        [asked] = await erp.deliver(line.records)
    assert isinstance(asked, Rejected)
    assert 'Tryton asks a person: Stock moves "1 u [PUMP-100] Coolant pump 100 @ ' in asked.reason
    assert "have no origin" in asked.reason
    async with sink(site, kept, **login()) as erp:
        [verdict] = await erp.deliver(line.records)
    assert isinstance(verdict, Accepted)
    mine = [row for row in await shipments(rest) if row["incoming_moves"][0]["lot"]["number"] == "RET-1"]
    assert [row["state"] for row in mine] == ["done"]


async def test_goods_without_order_and_without_supplier_are_refused(site: TrytonSite, kept: Kept) -> None:
    line = Line()
    line.receive(lot(Role.RECEIVED, "PUMP-100", "RET-2", "1"))
    async with sink(site, kept) as erp:
        [verdict] = await erp.deliver(line.records)
    assert isinstance(verdict, Rejected)
    assert verdict.reason.startswith("PUMP-100 came in without a purchase order, and Tryton knows no supplier for it.")


async def test_a_label_with_another_expiry_than_tryton_is_refused(site: TrytonSite, kept: Kept) -> None:
    line = Line()
    line.receive(lot(Role.RECEIVED, "BRG-6204", "L77", "1", expiry=date(YEAR, 6, 1)), purchase="PO-1")
    async with sink(site, kept) as erp:
        [verdict] = await erp.deliver(line.records)
    assert isinstance(verdict, Rejected)
    assert verdict.reason.startswith(
        f"Lot L77 of BRG-6204 expires {YEAR}-05-31 in Tryton, but {YEAR}-06-01 on its label."
    )


async def test_of_two_lots_with_one_number_the_oldest_is_meant(site: TrytonSite, kept: Kept, rest: Rest) -> None:
    [bearing] = await rest.search("product.product", [["code", "=", "BRG-6204"]], ["code"])
    values = {"product": bearing["id"], "number": "TWIN", "expiration_date": day(date(YEAR, 1, 31))}
    oldest, _newer = await rest.create("stock.lot", values), await rest.create("stock.lot", values)
    line = Line()
    line.receive(lot(Role.RECEIVED, "BRG-6204", "TWIN", "1"), purchase="PO-1")
    async with sink(site, kept) as erp:
        [verdict] = await erp.deliver(line.records)
    assert isinstance(verdict, Accepted)
    used = await rest.search("stock.move", [["lot.number", "=", "TWIN"]], ["lot"])
    assert {row["lot"] for row in used} == {oldest}


async def test_a_shipment_that_a_planner_cancelled_is_refused(
    site: TrytonSite, kept: Kept, rest: Rest, admin: Admin
) -> None:
    line = Line()
    record = line.receive(lot(Role.RECEIVED, "PUMP-100", "RET-3", "1", supplier="SUP-1"))
    async with sink(site, kept) as erp:
        await erp.deliver([record])
        [draft] = [row for row in await shipments(rest) if row["state"] == "draft"]
        await admin.press("stock.shipment.in", draft["id"], "cancel")
        [verdict] = await erp.deliver([record])
    assert isinstance(verdict, Rejected)
    assert verdict.reason.startswith("Shipment ") and "was cancelled in Tryton." in verdict.reason


async def test_after_a_refusal_later_events_about_its_lot_wait(site: TrytonSite, kept: Kept) -> None:
    line = Line()
    line.receive(lot(Role.RECEIVED, "BRG-6204", "N-9", "1"), purchase="PO-77")
    line.receive(lot(Role.RECEIVED, "BRG-6204", "N-9", "1"), purchase="PO-1")
    line.receive(lot(Role.RECEIVED, "BRG-6204", "N-10", "1"), purchase="PO-1")
    async with sink(site, kept) as erp:
        first, second, third = await erp.deliver(line.records)
    assert isinstance(first, Rejected)
    assert second is None
    assert isinstance(third, Accepted)
