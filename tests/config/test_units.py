"""Units as people write them, stored as UN/CEFACT codes."""

import pytest

from edge.config.units import UNITS, near_units, unit_code, unit_word


@pytest.mark.parametrize(
    ("code", "spellings"),
    [
        ("NEW", ["N", "NEW", "牛"]), ("B47", ["kN", "B47"]), ("CEL", ["°C", "℃", "degC", "CEL"]),
        ("P1", ["%RH", "%", "％", "％RH", "P1"]), ("BAR", ["bar"]), ("C62", ["pcs", "件", "ea", "C62"]),
        ("NU", ["Nm", "N·m"]), ("", ["", "-"]),
    ],
)  # fmt: skip
def test_usual_spellings_mean_the_code(code, spellings):
    assert {unit_code(spelling) for spelling in spellings} == {code}


def test_no_spelling_means_two_units():
    seen: dict[str, str] = {}
    for unit in UNITS:
        for spelling in {unit.code, unit.sign, *unit.spellings}:
            assert seen.setdefault(spelling, unit.code) == unit.code, spelling


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.code or "none")
def test_every_unit_is_shown_by_its_sign_and_read_back(unit):
    assert unit_code(unit.sign) == unit.code
    assert unit_word(unit.code) == unit


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Nm/s", "'Nm/s' is no unit; did you mean 'N' (newton) or 'Nm' (newton metre)?"),
        ("kn", "'kn' is no unit; did you mean 'kN' (kilonewton)?"),
        ("mbars", "'mbars' is no unit; did you mean 'm' (metre) or 'mbar' (millibar)?"),
        ("qq", "'qq' is no unit"),
    ],
)
def test_what_is_no_unit_names_the_nearest(text, message):
    with pytest.raises(ValueError) as caught:
        unit_code(text)
    assert str(caught.value) == message


def test_a_long_text_is_no_unit_soon():
    assert near_units("N" * 1_000_000) == [("N", unit_word("NEW"))]
