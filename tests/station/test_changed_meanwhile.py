"""What stands on the desk is judged again by today's masters and procedure, at every scan and at completion."""

from __future__ import annotations

from decimal import Decimal

import pytest
import yaml
from msgspec.structs import replace

from edge.config.masters import MastersFile
from edge.config.procedure import ProcedureFile
from edge.masters import compile_masters
from edge.station.desk import OrderState
from edge.station.procedure import compile_procedure
from tests.station.bench import BRG, GREASE, MASTERS, PRESS, PUMP, Bench, bearing, ready, serial


def told(bench: Bench, *changes: tuple[str, str]) -> None:
    """New masters arrive."""
    text = MASTERS
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    bench.masters = compile_masters(MastersFile.model_validate(yaml.load(text, yaml.BaseLoader)))


def now_follows(bench: Bench, procedure: str) -> None:
    """The file has changed and the line was started again."""
    bench.procedure = compile_procedure(ProcedureFile.model_validate(yaml.load(procedure, yaml.BaseLoader)))


L78 = "lot: L78, expiry: 2027-05-31, quantity: 100}"
UNIT = (serial("S1"), serial("SN1", gtin=PUMP))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ((L78, "lot: L78, expiry: 2027-05-31, quantity: 100, status: held}"), "lot_held"),
        ((L78, "lot: L78, expiry: 2026-01-31, quantity: 100}"), "lot_expired"),
        (("BRG-6204: 2, ", ""), "bill_unknown"),
        (
            ("WO-1: {material: PUMP-100, quantity: 2}", "WO-1: {material: PUMP-100, quantity: 2, state: closed}"),
            "step_missing",
        ),
        (("WO-1: {material: PUMP-100, quantity: 2}", "WO-9: {material: PUMP-100, quantity: 2}"), "step_missing"),
    ],
)
@pytest.mark.parametrize("at", ["first scan", "completion"])
def test_what_the_masters_say_later_stops_what_was_loaded_before(change: tuple[str, str], code: str, at: str) -> None:
    bench = ready(Bench())
    if at == "completion":
        assert bench.scan(UNIT[0]).code == "consumed"
    told(bench, change)
    refused = bench.scan(UNIT[1] if at == "completion" else UNIT[0])
    assert refused.code == code
    assert refused.drafts == ()
    told(bench)
    assert bench.says(*(UNIT[1:] if at == "completion" else UNIT))[-1] == "unit_done", (
        "and goes on when it is right again"
    )


def test_a_product_that_left_the_masters_makes_no_serial_a_second_time() -> None:
    bench = ready(Bench())
    bench.says(*UNIT, serial("S2"))
    told(bench, ("  PUMP-100: {name: {en: Pump, zh: 水泵}, gtin: '09506000134383', tracking: serial}\n", ""))
    assert bench.scan("SN1").code == "material_unknown"


def test_a_corrected_gtin_does_not_double_a_balance() -> None:
    bench = ready(Bench())
    bench.says(*UNIT)
    told(bench, (BRG, "09506000134390"))
    assert bench.scan(bearing("L78", gtin="09506000134390")).code == "loaded"
    assert [lot.balance for lot in bench.floor.lots.values() if lot.lot == "L78"] == [Decimal(98)]


def test_another_material_at_the_position_is_not_taken_for_the_new_one() -> None:
    bench = ready(Bench())
    now_follows(bench, PRESS.replace("load: BRG-6204", "load: GREASE-1"))
    assert bench.scan(serial("S1")).code == "wrong_material"
    assert bench.says(bearing("G1", gtin=GREASE), *UNIT) == ["loaded", "consumed", "unit_done"]


def test_a_part_of_a_step_that_is_gone_asks_for_a_new_start() -> None:
    bench = ready(Bench())
    bench.scan(serial("S1"))
    now_follows(bench, PRESS.replace("  shaft:      {consume: SHAFT-9, identify: serial}\n", ""))
    assert bench.scan(serial("SN1", gtin=PUMP)).code == "procedure_changed"
    assert bench.clear().code == "unit_cancelled"
    assert bench.scan(serial("SN1", gtin=PUMP)).code == "unit_done"


def test_an_order_closed_at_another_station_takes_no_more_units_and_is_closed_once() -> None:
    bench = ready(Bench(PRESS.replace("when: quantity", "when: confirmed")))
    bench.floor.orders["WO-1"] = OrderState(order="WO-1", made=Decimal(1), closed=True)
    assert bench.scan(serial("S1")).code == "step_missing"
    refused = bench.confirm()
    assert (refused.code, refused.drafts, bench.desk.order) == ("order_not_running", (), "")


def test_a_lot_unit_is_called_by_its_lot() -> None:
    bench = Bench("procedure: batch\nrevision: 1\nmakes: {material: PUMP-100, as: lot}\nsteps:\n  unit: {scan: lot}\n")
    done = bench.scan(f"]d201{PUMP}10LOTA\x1d21SER9")
    assert [(item.lot, item.serial) for item in done.drafts[0].items] == [("LOTA", "")]


def test_a_bounce_after_a_refusal_says_the_answer_stands() -> None:
    bench = ready(Bench())
    bench.scan(bearing("OLD"))
    again = bench.scan(bearing("OLD"), after_s=0.3)
    assert (again.verdict, again.code) == ("repeated", "repeated_refused")


def test_a_badge_leaves_no_unsalted_digest_on_the_desk() -> None:
    bench, other = Bench(), Bench()
    bench.scan("BDG:17")
    context = replace(other.context(), salt=b"another log's")
    assert bench.desk.last is not None
    other.context = lambda: context  # type: ignore[method-assign]
    other.scan("BDG:17")
    assert other.desk.last is not None
    assert bench.desk.last.digest != other.desk.last.digest
