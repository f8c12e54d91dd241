"""Binding, shown with tables: what a scan means, and what stops it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from edge.config.site import FormatFile
from edge.identify import HouseFormat
from edge.log import Sighting
from edge.station.desk import LotState
from tests.station.bench import BRG, GREASE, GS, MASTERS, PRESS, PUMP, SHAFT, Bench, bearing, ready, serial


def test_a_unit_binds_operator_order_lot_and_serials() -> None:
    bench = ready(Bench())
    assert bench.scan(serial("S4")).code == "consumed"
    done = bench.scan(serial("SN1", gtin=PUMP))
    assert (done.verdict, done.code) == ("accepted", "unit_done")
    make, join = done.drafts
    assert [(item.role, item.lot or item.serial, str(item.quantity)) for item in make.items] == [
        ("input", "L78", "2"),
        ("output", "SN1", "1"),
    ]
    assert [(item.role, item.serial) for item in join.items] == [("output", "SN1"), ("component", "S4")]
    assert (make.order, make.operator, make.biz_step) == ("WO-1", "op-17", "assembling")
    assert [scan.device for scan in make.scans] == ["hand-1", "hand-1"]
    assert bench.balance("L78") == "98"


def test_operator_and_order_persist_from_unit_to_unit() -> None:
    bench = ready(Bench())
    bench.says(serial("S1"), serial("SN1", gtin=PUMP))
    assert bench.desk.operator == "op-17"
    assert bench.desk.order == "WO-1"
    assert bench.says(serial("S2")) == ["consumed"]


def test_the_last_unit_closes_the_order() -> None:
    bench = ready(Bench())
    bench.says(serial("S1"), serial("SN1", gtin=PUMP), serial("S2"))
    last = bench.scan(serial("SN2", gtin=PUMP))
    assert last.code == "unit_done_closed"
    assert [draft.act for draft in last.drafts] == ["make", "join", "close"]
    assert last.drafts[-1].reason == "quantity"
    assert str(last.drafts[-1].items[0].quantity) == "2"
    assert bench.desk.order == ""
    assert bench.scan("WO-1").code == "order_not_running"


@pytest.mark.parametrize(
    ("scans", "code", "verdict"),
    [
        (["hello"], "unknown_code", "refused"),
        (["BDG:99"], "unknown_badge", "refused"),
        (["BDG:18"], "not_trained", "refused"),
        (["BDG:19"], "not_authorised", "refused"),
        (["WO-1"], "step_missing", "refused"),
        (["BDG:17", "WO-77"], "unknown_order", "refused"),
        (["BDG:17", "WO-2"], "order_not_running", "refused"),
        (["BDG:17", "WO-3"], "wrong_order", "refused"),
        (["BDG:17", "WO-1", serial("S1")], "step_missing", "refused"),
        (["BDG:17", "WO-1", bearing("G1", gtin=GREASE)], "wrong_material", "refused"),
        (["BDG:17", "WO-1", bearing("OLD")], "lot_expired", "refused"),
        (["BDG:17", "WO-1", bearing("TODAY")], "loaded", "accepted"),
        (["BDG:17", "WO-1", bearing("HELD")], "lot_held", "refused"),
        (["BDG:17", "WO-1", bearing("EMPTY")], "lot_empty", "refused"),
        (["BDG:17", "WO-1", bearing("NEVER")], "lot_unknown", "cannot_know"),
        (["BDG:17", "WO-1", bearing("NOQTY")], "lot_quantity_unknown", "cannot_know"),
        (["BDG:17", "WO-1", bearing("L77", expiry="270601")], "lot_conflict", "refused"),
        (["BDG:17", "WO-1", "]d20109506000134353" + "10L77"], "unreadable", "refused"),
        (["CMD:DANCE"], "unknown_command", "refused"),
        (["CMD:CANCEL"], "nothing_open", "refused"),
        (["BDG:17", "CMD:CLOSE"], "step_missing", "refused"),
    ],
)
def test_each_wrong_thing_has_its_own_answer(scans: list[str], code: str, verdict: str) -> None:
    bench = Bench()
    *before, last = scans
    for scan in before:
        assert bench.scan(scan).verdict == "accepted"
    desk = bench.desk
    outcome = bench.scan(last)
    assert (outcome.code, outcome.verdict) == (code, verdict)
    if verdict != "accepted":
        assert outcome.drafts == ()
        assert outcome.lots == ()
        assert (outcome.desk.parts, outcome.desk.loaded, outcome.desk.order) == (desk.parts, desk.loaded, desk.order)


def test_a_serial_is_made_once_and_built_in_once() -> None:
    bench = ready(Bench())
    bench.says(serial("S1"), serial("SN1", gtin=PUMP))
    assert bench.says(serial("S1")) == ["duplicate_serial"]
    assert bench.says(serial("S2"), serial("SN1", gtin=PUMP)) == ["consumed", "duplicate_serial"]


def test_the_same_serial_twice_in_one_unit_is_refused_even_before_it_is_recorded() -> None:
    bench = Bench(
        """
procedure: two
revision: 1
makes: {material: PUMP-100}
steps:
  shafts: {consume: SHAFT-9, identify: serial, count: 2, per_scan: 1}
  unit:   {scan: serial}
"""
    )
    assert bench.says(serial("S1"), serial("S1"), serial("S2")) == ["consumed", "duplicate_serial", "consumed"]


def test_a_serial_used_meanwhile_at_another_station_stops_the_completion() -> None:
    bench = Bench(UNIT_FIRST)
    bench.scan("SN1")
    makes = bench.place.ids.serial("PUMP-100", PUMP, "1")
    bench.sightings[makes] = {"output": Sighting(seq=9, station="ST11", time="2026-11-22T03:00:00.000Z")}
    refused = bench.scan(serial("S1"))
    assert (refused.code, refused.fields["where"]) == ("duplicate_serial", "ST11")
    assert bench.desk.parts == ()


def test_a_bounce_counts_once_and_a_later_scan_again() -> None:
    bench = ready(Bench())
    assert bench.scan(serial("S1")).code == "consumed"
    repeated = bench.scan(serial("S1"), after_s=1.9)
    assert (repeated.verdict, repeated.code, repeated.fields["seconds"]) == ("repeated", "repeated", "1.9")
    assert bench.scan(serial("S1"), after_s=0.2).code == "already_done"
    assert bench.scan(serial("S1"), after_s=0.2, device="hand-2").code == "already_done"


def test_equal_labels_count_one_by_one_however_fast() -> None:
    bench = Bench(
        """
procedure: pins
revision: 1
makes: {material: PUMP-100}
steps:
  pins: {consume: PIN-1, identify: none, count: 4}
  unit: {scan: serial}
"""
    )
    answers = [bench.scan("PIN-1", after_s=0.3).code for _ in range(4)]
    assert answers == ["consumed"] * 4
    assert bench.scan("PIN-1", after_s=0.3).code == "repeated"
    done = bench.scan(serial("SN1", gtin=PUMP))
    assert [str(item.quantity) for item in done.drafts[0].items if item.role == "input"] == ["1", "1", "1", "1"]


def test_codes_of_one_label_are_collected_in_either_order() -> None:
    for first, second in ((f"]d201{BRG}", "]d210L78"), ("]d210L78", f"]d201{BRG}")):
        bench = Bench()
        bench.says("BDG:17", "WO-1")
        assert bench.scan(first).verdict == "incomplete"
        assert bench.scan(second).code == "loaded"
        assert bench.desk.loaded["tray-1"].lot == "L78"
        assert bench.desk.label is None


def test_an_orphan_lot_is_refused_only_when_time_is_up() -> None:
    bench = Bench()
    bench.says("BDG:17", "WO-1")
    orphan = bench.scan("]d210L78")
    assert (orphan.verdict, orphan.code) == ("incomplete", "scan_gtin")
    assert bench.expire().code == "label_incomplete"
    assert bench.desk.label is None
    assert bench.scan(f"]d201{BRG}").code == "scan_lot"


def test_codes_of_two_labels_are_a_conflict() -> None:
    bench = Bench()
    bench.says("BDG:17", "WO-1", f"]d201{BRG}")
    assert bench.scan(f"]d201{SHAFT}10X").code == "label_conflict"
    assert bench.desk.label is None


def test_a_suppliers_own_part_number_and_its_lot_are_one_label() -> None:
    bench = Bench(PINNED)
    bench.formats.append(HouseFormat("lot", FormatFile(pattern="LOT-(?P<lot>.+)")))
    assert bench.scan("PIN-1").code == "scan_lot"
    assert bench.scan("LOT-9").code == "lot_unknown"


def test_a_badge_between_two_codes_of_a_label_does_not_lose_the_label() -> None:
    bench = Bench()
    bench.says("BDG:17", "WO-1", f"]d201{BRG}")
    assert bench.says("BDG:17", "]d210L78") == ["badge_ok", "loaded"]


def test_an_empty_lot_stops_before_the_part_is_wasted_and_a_new_one_goes_on() -> None:
    bench = ready(Bench(masters=MASTERS_SMALL), "L3")
    bench.says(serial("S1"), serial("SN1", gtin=PUMP))
    stop = bench.scan(serial("S2"))
    assert (stop.code, stop.fields["left"], stop.fields["need"]) == ("lot_empty", "1 pcs", "2 pcs")
    assert bench.says(bearing("L78"), serial("S2"), serial("SN2", gtin=PUMP)) == [
        "loaded",
        "consumed",
        "unit_done_closed",
    ]
    assert bench.balance("L3") == "1"


def test_a_change_of_lot_inside_one_unit_records_both() -> None:
    bench = ready(Bench())
    bench.says(serial("S1"), bearing("L77"))
    done = bench.scan(serial("SN1", gtin=PUMP))
    inputs = [(item.lot, item.quantity and str(item.quantity)) for item in done.drafts[0].items if item.role == "input"]
    assert inputs == [("L78", None), ("L77", "2")], "the old lot could have given everything: its share is not known"
    bench = ready(Bench(masters=MASTERS_SMALL), "L2")
    bench.says(serial("S1"))
    bench.floor.lots[bench.desk.loaded["tray-1"].item] = _spent(bench, "1")
    bench.says(bearing("L78"))
    done = bench.scan(serial("SN1", gtin=PUMP))
    inputs = [(item.lot, item.quantity and str(item.quantity)) for item in done.drafts[0].items if item.role == "input"]
    assert inputs == [("L2", "1"), ("L78", "1")]
    assert (bench.balance("L2"), bench.balance("L78")) == ("0", "99")


def test_a_lot_nobody_announced_is_taken_only_where_the_step_says_so() -> None:
    bench = Bench(PRESS_ACCEPTING)
    bench.says("BDG:17", "WO-1")
    assert bench.scan("]C1" + f"01{GREASE}10G1").code == "wrong_material"
    assert bench.scan(f"]d201{BRG}10NEW{GS}3050").code == "loaded"
    assert bench.balance("NEW") == "50"


def test_an_order_cannot_change_under_an_open_unit() -> None:
    bench = ready(Bench())
    bench.says(serial("S1"))
    assert bench.scan("WO-1").code == "unit_open"
    assert bench.confirm().code == "unit_open"
    assert bench.clear().code == "unit_cancelled"
    assert bench.scan("WO-1").code == "order_ok"


def test_two_units_cannot_be_open_at_once() -> None:
    bench = Bench(UNIT_FIRST)
    assert bench.says("SN1", "SN2", "SN1") == ["unit_ok", "other_unit", "unit_ok"]
    done = bench.scan(serial("S1"))
    assert done.code == "unit_done"
    assert done.drafts[0].items[0].serial == "1"


def test_a_person_closes_an_order_by_card_and_the_event_says_so() -> None:
    bench = ready(Bench(CONFIRMED))
    bench.says(serial("S1"), serial("SN1", gtin=PUMP))
    closed = bench.scan("CMD:CLOSE")
    assert (closed.code, closed.drafts[0].act, closed.drafts[0].reason) == ("order_closed_ok", "close", "confirmed")
    assert bench.scan("WO-1").code == "order_not_running"


def test_receiving_takes_lot_quantity_and_expiry_from_two_symbols() -> None:
    bench = Bench(RECEIVING)
    assert bench.scan(f"]C101{BRG}17270531").code == "scan_lot"
    received = bench.scan(f"]C110NEW7{GS}30250")
    assert received.code == "received"
    (item,) = received.drafts[0].items
    assert (item.lot, str(item.quantity), item.known, str(item.expiry)) == ("NEW7", "250", "label", "2027-05-31")
    assert bench.balance("NEW7") == "250"
    assert bench.scan(f"]C101{BRG}1727053110NEW7{GS}3050").code == "received"
    assert bench.balance("NEW7") == "300"


def test_an_expired_delivery_is_not_received() -> None:
    bench = Bench(RECEIVING)
    assert bench.scan(f"]C101{BRG}1726013110NEW7{GS}3050").code == "lot_expired"


def test_a_lot_received_here_may_be_used_here() -> None:
    bench = Bench(RECEIVING)
    bench.scan(f"]C101{BRG}1727053110NEW7{GS}3050")
    other = Bench()
    other.floor.lots.update(bench.floor.lots)
    other.says("BDG:17", "WO-1")
    assert other.scan(bearing("NEW7")).code == "loaded"


def test_without_a_gtin_ids_are_the_sites_own_and_still_uris() -> None:
    ids = Bench().place.ids
    assert ids.lot("BRG-ALT", None, "a/b 轴") == "https://id.example.com/material/BRG-ALT/lot/a%2Fb%20%E8%BD%B4"


def _spent(bench: Bench, balance: str) -> LotState:
    return replace(bench.floor.lots[bench.desk.loaded["tray-1"].item], balance=Decimal(balance))


MASTERS_SMALL = MASTERS.replace(
    "lots:\n", "lots:\n  - {material: BRG-6204, lot: L3, quantity: 3}\n  - {material: BRG-6204, lot: L2, quantity: 2}\n"
)
PRESS_ACCEPTING = """
procedure: press
revision: 4
makes: {material: PUMP-100}
steps:
  operator:   {role: operator}
  work_order: {state: running}
  bearings:   {load: BRG-6204, position: tray-1, unknown_lots: accept}
  unit:       {scan: serial}
"""
UNIT_FIRST = """
procedure: first
revision: 1
makes: {material: PUMP-100}
steps:
  unit:  {scan: serial}
  shaft: {consume: SHAFT-9, identify: serial}
"""
CONFIRMED = PRESS.replace("when: quantity", "when: confirmed")
RECEIVING = """
procedure: receiving
revision: 1
steps:
  goods: {receive: any, needs: [lot, quantity, expiry]}
"""
PINNED = """
procedure: pinned
revision: 1
makes: {material: PUMP-100}
steps:
  pin:  {consume: PIN-1, identify: lot}
  unit: {scan: serial}
"""


def test_a_pack_counts_what_is_in_it() -> None:
    packs = MASTERS.replace("gtin: '09506000134352'}", "gtin: '09506000134352', conversions: {'19506000134359': 50}}")
    bench = Bench(RECEIVING, masters=packs)
    pack = "]C10119506000134359" + "17270531"
    assert bench.scan(f"{pack}10BOX1").code == "received"
    assert bench.balance("BOX1") == "50"
    assert bench.scan(f"{pack}10BOX2{GS}303").code == "received"
    assert bench.balance("BOX2") == "150"


def test_a_supplier_that_is_not_approved_is_stopped() -> None:
    barred = MASTERS.replace("quantity: 100}", "quantity: 100, supplier: BAD}").replace(
        "lots:", "suppliers:\n  BAD: {name: Bad Bearings, approved: 'false'}\nlots:"
    )
    bench = Bench(masters=barred)
    bench.says("BDG:17", "WO-1")
    assert bench.scan(bearing("L78")).code == "supplier_not_approved"


def test_a_label_is_waited_for_as_a_whole() -> None:
    whole = MASTERS.replace("gtin: '09506000134352'}", "gtin: '09506000134352', label: [gtin, lot, quantity, expiry]}")
    bench = Bench(RECEIVING.replace("needs: [lot, quantity, expiry]", "needs: [lot], quantity: 500"), masters=whole)
    answers = bench.says(f"]C101{BRG}", "]C110N1", "]C1305", "]C117270531")
    assert answers == ["scan_lot", "scan_quantity", "scan_expiry", "received"]
    assert bench.balance("N1") == "5"
