"""What holds whatever is scanned in whatever order."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.wording.station import ANSWERS
from tests.station.bench import BRG, GREASE, GS, PUMP, Bench, bearing, serial
from tests.station.test_bind import RECEIVING

SCANS = st.sampled_from(
    [
        "BDG:17",
        "BDG:18",
        "BDG:99",
        "WO-1",
        "WO-2",
        bearing("L77"),
        bearing("L78"),
        bearing("OLD"),
        bearing("NEVER"),
        f"]d201{BRG}",
        "]d210L77",
        bearing("G1", gtin=GREASE),
        *(serial(f"S{n}") for n in range(4)),
        *(serial(f"SN{n}", gtin=PUMP) for n in range(4)),
        "CMD:CANCEL",
        "CMD:CLOSE",
        "CMD:DANCE",
        "hello",
        "]d2",
        "\x1d\x1d",
        f"]C101{BRG}17270531",
        f"]C110N1{GS}305",
    ]
)
ACTS = st.lists(st.tuples(st.one_of(SCANS, st.text(max_size=20)), st.sampled_from([0.1, 1.0, 3.0, 12.0])), max_size=40)


@settings(max_examples=300, deadline=None)
@given(ACTS)
def test_no_sequence_of_scans_loses_one_invents_an_item_or_makes_a_balance_negative(
    acts: list[tuple[str, float]],
) -> None:
    bench = Bench()
    for text, after_s in acts:
        before = (bench.floor.lots, bench.floor.orders, bench.desk)
        outcome = bench.scan(text, after_s=after_s)
        assert outcome.code in ANSWERS
        if outcome.verdict != "accepted":
            assert outcome.drafts == ()
            assert (bench.floor.lots, bench.floor.orders) == before[:2]
            assert bench.desk.parts == before[2].parts
    drafts = [draft for outcome in bench.outcomes for draft in outcome.drafts]
    assert len(bench.outcomes) == len(acts)
    assert all((lot.balance or 0) >= 0 for lot in bench.floor.lots.values())
    outputs = [item.id for draft in drafts if draft.act == "make" for item in draft.items if item.role == "output"]
    parts = [item.id for draft in drafts for item in draft.items if item.role == "component"]
    assert len(outputs) == len(set(outputs))
    assert len(parts) == len(set(parts))
    for order, state in bench.floor.orders.items():
        assert state.made == sum(1 for draft in drafts if draft.act == "make" and draft.order == order)
    taken: dict[str, Decimal] = {}
    for draft in drafts:
        for item in draft.items:
            if item.role == "input" and item.quantity is not None:
                taken[item.id] = taken.get(item.id, Decimal(0)) + item.quantity
    for item, quantity in taken.items():
        lot = bench.floor.lots[item]
        known = bench.masters.lots[(lot.material, lot.lot)].quantity
        assert known is not None
        assert known - quantity == lot.balance, "the balance closes"


@settings(max_examples=100, deadline=None)
@given(ACTS)
def test_what_is_received_is_what_is_there(acts: list[tuple[str, float]]) -> None:
    bench = Bench(RECEIVING)
    for text, after_s in acts:
        bench.scan(text, after_s=after_s)
    received: dict[str, Decimal] = {}
    for outcome in bench.outcomes:
        for draft in outcome.drafts:
            for item in draft.items:
                assert item.quantity is not None
                received[item.id] = received.get(item.id, Decimal(0)) + item.quantity
    assert {item: lot.balance for item, lot in bench.floor.lots.items()} == received


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_can_break_a_station(raw: bytes) -> None:
    outcome = Bench().scan(raw)
    answer = ANSWERS[outcome.code]
    for language in ("en", "zh"):
        assert "{" not in answer.title.fill(outcome.fields).to(language).replace(raw.decode(errors="replace"), "")
