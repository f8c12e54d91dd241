"""The codes of one label: collected, or told to be of two labels."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from msgspec import structs

from edge.identify import Code, Unreadable, merge
from tests.identify.scans import read

GTIN = "09506000134352"


def _merged(*texts: str) -> Code:
    code = read(texts[0])
    for text in texts[1:]:
        code = merge(code, read(text))
        assert isinstance(code, Code), code
    return code


@pytest.mark.parametrize("first", [f"]C101{GTIN}", "]E09506000134352", f"]Q1https://a.example/01/{GTIN}"])
@pytest.mark.parametrize("turned", [False, True])
def test_gtin_and_lot_in_two_symbols_are_one_label(first, turned):
    texts = [first, "]C110L77\x1d17270531"]
    code = _merged(*(reversed(texts) if turned else texts))
    assert (code.gtin, code.lot, code.expiry, code.missing) == (GTIN, "L77", date(2027, 5, 31), ())
    assert {"01", "10", "17"} == set(dict(code.elements))
    assert code.family == ("gs1") if "Q1" not in first else code.family in {"gs1", "digital_link"}
    assert "+" in code.symbology and "\n" in code.text


def test_three_symbols_of_a_pallet_are_one_label():
    code = _merged("]C100195012345678900015", f"]C102{GTIN}37200", "]C110L77")
    assert (code.sscc, code.gtin, code.count, code.lot) == ("195012345678900015", GTIN, Decimal(200), "L77")
    assert code.missing == ()


def test_what_is_still_missing_is_said():
    assert _merged("]C110L77", "]C117270531").missing == ("gtin",)


def test_same_code_twice_is_the_same_label():
    once = read(f"]C101{GTIN}10L77")
    twice = merge(once, once)
    assert isinstance(twice, Code)
    assert (twice.elements, twice.gtin, twice.lot) == (once.elements, once.gtin, once.lot)


def test_material_of_a_house_code_satisfies_an_orphan_lot():
    code = _merged("]C110L77", "RBRG-6204/L77/200")
    assert (code.material, code.lot, code.quantity, code.missing) == ("BRG-6204", "L77", Decimal(200), ())
    assert code.family == "gs1"


def test_part_number_that_masters_know_is_part_of_a_label():
    number = structs.replace(read("6204-2RS"), material="BRG-6204")
    code = merge(number, read("]C110L77"))
    assert isinstance(code, Code)
    assert (code.family, code.material, code.lot, code.missing) == ("gs1", "BRG-6204", "L77", ())
    reel = merge(number, read("RBRG-6204/L77"))
    assert isinstance(reel, Code) and reel.family == "house:reel"


def test_guess_stays_a_guess():
    assert _merged(f"01{GTIN}", "]C110L77").confidence == "heuristic"


def _conflict(one: str, other: str) -> str:
    answer = merge(read(one), read(other))
    assert isinstance(answer, Unreadable)
    assert answer.code == "label_conflict"
    assert "{" not in answer.say.en + answer.say.zh
    return answer.say.en


AGAIN = "these are two labels. Scan all codes of one label, nothing in between."


def test_two_lots_are_two_labels():
    assert _conflict("]C110L77", "]C110L78") == f"lot (10) is 'L77' in one code and 'L78' in the other: {AGAIN}"


def test_two_gtins_are_two_labels():
    assert _conflict("]E09506000134352", "]C10112312312312333") == (
        f"GTIN (01) is '09506000134352' in one code and '12312312312333' in the other: {AGAIN}"
    )


def test_item_and_content_are_two_labels():
    assert _conflict(f"]C101{GTIN}", f"]C102{GTIN}37200") == (
        f"GTIN (01) and count in the unit (37) cannot be on one label: {AGAIN}"
    )


def test_house_lot_and_gs1_lot_that_differ_are_two_labels():
    assert _conflict(f"]C101{GTIN}10L77", "RBRG-6204/L78") == f"One code says lot 'L77' and the other 'L78': {AGAIN}"


@pytest.mark.parametrize("stranger", ["B:17", "CMD:close", "hello"])
def test_badge_command_and_unknown_text_are_no_part_of_a_label(stranger):
    assert "is no part of a material's label" in _conflict("]C110L77", stranger)
