"""What Tryton, or the order in it, does not allow is refused with words a person can act on, and leaves the order usable."""

from __future__ import annotations

import pytest

from edge.contracts import Accepted, Gathered, Rejected, Verdict
from edge.epcis import Draft, Role
from edge.simulate.tryton import TrytonSite
from sync.tryton.rest import Rest, Row
from tests.sync.tryton.conftest import Admin, sink
from tests.sync.tryton.story import Kept, Line, lot, serial

pytestmark = pytest.mark.tryton


async def production(rest: Rest, order: str) -> Row:
    fields = ["state", "bom", *(f"inputs.{name}" for name in ("state", "quantity", "lot.number", "product.code"))]
    [row] = await rest.search("production", [["number", "=", order]], fields)
    return row


async def offer(site: TrytonSite, line: Line, **more: object) -> Verdict | None:
    """What becomes of the last record of ``line``, offered with everything before it."""
    async with sink(site, Kept(), **more) as erp:
        return (await erp.deliver(line.records))[-1]


def one_pump(order: str, number: int, *, bearing: str = "L77", shaft: str = "") -> Line:
    line = Line()
    line.pump(order, f"SN{number}", [(bearing, "2")], shaft or f"S{number}")
    line.close(order, 1)
    return line


async def test_order_cancelled_meanwhile_is_refused(site: TrytonSite, rest: Rest, admin: Admin) -> None:
    await admin.press("production", (await production(rest, "WO-1001"))["id"], "cancel")
    assert await offer(site, one_pump("WO-1001", 1)) == Rejected(
        reason="Production WO-1001 was cancelled in Tryton. 生产单 WO-1001 已在 Tryton 中取消。"
    )


async def test_order_set_back_to_draft_is_refused_and_accepted_after_a_retry(
    site: TrytonSite, rest: Rest, admin: Admin
) -> None:
    order = (await production(rest, "WO-1002"))["id"]
    await admin.press("production", order, "draft")
    line = one_pump("WO-1002", 2)
    refused = await offer(site, line)
    assert isinstance(refused, Rejected)
    assert refused.reason.startswith(
        "Production WO-1002 is still a draft in Tryton. Set it to waiting there, then retry."
    )
    await admin.press("production", order, "wait")
    assert isinstance(await offer(site, line), Accepted)


async def test_order_that_tryton_does_not_know_is_refused(site: TrytonSite) -> None:
    assert await offer(site, one_pump("WO-9999", 3)) == Rejected(
        reason="Tryton has no production WO-9999. Tryton 中没有生产单 WO-9999。"
    )


async def test_order_posted_by_a_planner_with_other_lots_is_refused(site: TrytonSite) -> None:
    assert isinstance(await offer(site, one_pump("WO-1003", 4)), Accepted)
    refused = await offer(site, one_pump("WO-1003", 5))
    assert isinstance(refused, Rejected)
    assert refused.reason.startswith(
        "Production WO-1003 is already done in Tryton, with 2 BRG-6204 L77, 1 SHAFT-9 S4 instead of "
        "2 BRG-6204 L77, 1 SHAFT-9 S5."
    )


async def test_stock_that_is_not_there_is_refused_and_accepted_when_it_has_come(site: TrytonSite, rest: Rest) -> None:
    line = Line()
    line.pump("WO-1004", "SN6", [("L03", "2")], "S6")
    line.pump("WO-1004", "SN7", [("L03", "2")], "S7")
    line.close("WO-1004", 2)
    refused = await offer(site, line)
    assert isinstance(refused, Rejected)
    assert refused.reason.startswith(
        "Tryton cannot assign 1 BRG-6204 L03: that much is not in stock at [WH] Warehouse. "
        "Correct the stock in Tryton, then retry."
    )
    after = await production(rest, "WO-1004")
    assert after["state"] == "waiting"
    assert {move["state"] for move in after["inputs"]} == {"draft"}  # nothing stays reserved
    more = Line()
    more.receive(lot(Role.RECEIVED, "BRG-6204", "L03", "5"), purchase="PO-1")
    assert isinstance(await offer(site, more), Accepted)
    assert isinstance(await offer(site, line), Accepted)


async def test_lot_that_tryton_never_saw_is_refused(site: TrytonSite, rest: Rest) -> None:
    refused = await offer(site, one_pump("WO-1005", 8, bearing="NEVER"))
    assert isinstance(refused, Rejected)
    assert refused.reason.startswith("Tryton has no lot NEVER of BRG-6204. Receive it there, then retry.")
    assert not await rest.search("stock.lot", [["number", "=", "NEVER"]], ["number"])


async def test_more_made_than_the_bill_tolerates_waits_for_a_person_with_trytons_words(
    site: TrytonSite, rest: Rest, admin: Admin
) -> None:
    order = await production(rest, "WO-1006")
    await admin.call("model.production.bom.write", [order["bom"]], {"tolerance": 0.1})
    line = Line()
    for number in range(10, 15):  # five of three
        line.pump("WO-1006", f"SN{number}", [("L77", "2")], f"S{number}")
    line.close("WO-1006", 5)
    refused = await offer(site, line)
    await admin.call("model.production.bom.write", [order["bom"]], {"tolerance": None})
    assert isinstance(refused, Rejected)
    assert refused.reason.startswith("Tryton: ")
    assert "WO-1006" in refused.reason and "SHAFT-9" in refused.reason or "BRG-6204" in refused.reason
    assert (await production(rest, "WO-1006"))["state"] == "waiting"
    assert isinstance(await offer(site, line), Accepted)


async def test_another_material_than_the_order_makes_is_refused(site: TrytonSite) -> None:
    line = Line()
    line.write(
        Draft(
            act="make",
            items=(lot(Role.INPUT, "BRG-6204", "L77", "1"), serial(Role.OUTPUT, "SHAFT-9", "S900")),
            biz_step="assembling",
            step="done",
            order="WO-1007",
            order_material="SHAFT-9",
        )
    )
    line.close("WO-1007", 1)
    refused = await offer(site, line)
    assert isinstance(refused, Rejected)
    assert refused.reason.startswith("Production WO-1007 makes PUMP-100 in Tryton, but SHAFT-9 was made.")


async def test_close_that_counts_more_than_was_collected_is_refused(site: TrytonSite) -> None:
    line = Line()
    line.pump("WO-1008", "SN20", [("L77", "2")], "S20")
    line.close("WO-1008", 2)
    refused = await offer(site, line)
    assert isinstance(refused, Rejected)
    assert refused.reason.startswith("WO-1008 closed with 2 made, but the events collected for it tell of 1.")


async def test_order_closed_with_nothing_made_is_refused(site: TrytonSite) -> None:
    line = Line()
    line.close("WO-1009", 0)
    refused = await offer(site, line)
    assert isinstance(refused, Rejected)
    assert refused.reason.startswith("Nothing was made for WO-1009. Cancel the production in Tryton.")


async def test_event_that_tryton_has_no_place_for_is_refused(site: TrytonSite) -> None:
    line = Line()
    line.write(Draft(act="pack", items=(serial(Role.MADE, "PUMP-100", "SN30"),), biz_step="packing", step="pack"))  # type: ignore[arg-type]
    refused = await offer(site, line)
    assert isinstance(refused, Rejected)
    assert refused.reason.startswith("Tryton has no place for an event of the kind 'pack'.")


async def test_load_is_collected_although_tryton_is_away(site: TrytonSite) -> None:
    line = Line()
    line.load("WO-1010", lot(Role.LOADED, "BRG-6204", "L77", "50"))
    assert await offer(site, line, url="http://127.0.0.1:9") == Gathered(document="production/WO-1010")


async def test_order_that_a_planner_assigned_is_taken_over(site: TrytonSite, rest: Rest, admin: Admin) -> None:
    order = (await production(rest, "WO-1011"))["id"]
    await admin.press("production", order, "assign_try")
    assert (await production(rest, "WO-1011"))["state"] == "assigned"
    assert isinstance(await offer(site, one_pump("WO-1011", 31)), Accepted)


async def test_order_run_by_a_planner_with_our_lots_is_only_finished(
    site: TrytonSite, rest: Rest, admin: Admin
) -> None:
    line = one_pump("WO-1012", 32)
    order = await production(rest, "WO-1012")
    lots = {
        row["number"]: row["id"]
        for row in await rest.search("stock.lot", [["number", "in", ["L77", "S32"]]], ["number"])
    }
    bearing, shaft = sorted(order["inputs"], key=lambda move: move["product"]["code"])
    commands = [
        ["write", [bearing["id"]], {"lot": lots["L77"], "quantity": 2.0}],
        ["write", [shaft["id"]], {"lot": lots["S32"], "quantity": 1.0}],
    ]
    await rest.write("production", order["id"], {"inputs": commands})
    await admin.press("production", order["id"], "assign_try")
    await admin.press("production", order["id"], "run")
    assert isinstance(await offer(site, line), Accepted)


async def test_a_lot_with_unknown_share_is_in_the_genealogy_with_zero(site: TrytonSite, rest: Rest) -> None:
    line = Line()
    line.pump("WO-1013", "SN33", [("L77", "2"), ("L78", None)], "S33")
    line.close("WO-1013", 1)
    assert isinstance(await offer(site, line), Accepted)
    after = await production(rest, "WO-1013")
    assert {(m["lot"]["number"], m["quantity"], m["state"]) for m in after["inputs"]} == {
        ("L77", 2.0, "done"),
        ("L78", 0.0, "done"),
        ("S33", 1.0, "done"),
    }


async def test_an_order_may_be_named_by_its_reference(site: TrytonSite, rest: Rest, admin: Admin) -> None:
    order = await production(rest, "WO-1014")
    await admin.call("model.production.write", [order["id"]], {"reference": "KD-77"})
    assert isinstance(await offer(site, one_pump("KD-77", 34)), Accepted)
    assert (await production(rest, "WO-1014"))["state"] == "done"
