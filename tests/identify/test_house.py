"""House formats: what technicians write, and how a wrong one is refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from edge.config.site import FormatFile
from edge.errors import ConfigError
from edge.identify import HouseFormat, identify
from tests.identify.scans import FORMATS, read, refused, scan


def test_groups_become_properties():
    code = read("RBRG-6204/L 77/200.5/2027-05-31")
    assert (code.family, code.material, code.lot, code.quantity, code.expiry) == (
        "house:reel",
        "BRG-6204",
        "L 77",
        Decimal("200.5"),
        date(2027, 5, 31),
    )
    assert (code.confidence, code.why.en) == ("declared", "It matches the house format 'reel'.")
    assert read("RBRG-6204/L77").quantity is None
    assert read("WO-1001").order == "WO-1001"
    assert read("B:17").badge == "17"
    assert read("POS tray-1").position == "tray-1"


@pytest.mark.parametrize("written", ["2027-05-31", "20270531", "270531"])
def test_expiry_has_three_spellings(written):
    assert read(f"RA/L/1/{written}").expiry == date(2027, 5, 31)


def test_day_zero_counts_in_house_formats_too():
    assert read("RA/L/1/270200").expiry == date(2027, 2, 28)


def test_wrong_values_in_a_house_code_are_refused():
    assert refused("RA/L/1/2027-02-30").say.en == (
        "The expiry '2027-02-30' is no date. Expected are 2027-05-31, 20270531 or 270531. "
        "Do not use this label; call the technician."
    )
    assert refused("RA/L/1.2.3").code == "bad_quantity"
    assert refused("RA/L/0").say.en == (
        "The quantity '0' is no number above zero such as 200 or 2.5. Do not use this label; call the technician."
    )
    assert refused("RA/L/0").why.en == "It matches the house format 'reel'."


def test_pattern_must_match_the_whole_text():
    assert read("xWO-1001").family == "plain"
    assert read("WO-1001\n").family == "plain"


def test_badges_come_before_gs1_and_other_formats_after_it():
    formats = (
        HouseFormat("any", FormatFile(pattern=r"(?P<lot>.+)")),
        HouseFormat("card", FormatFile(pattern=r"99(?P<badge>\d{4})")),
    )
    assert identify(scan("]C1991234"), formats).badge == "1234"
    assert identify(scan("]C1995"), formats).family == "gs1"
    assert identify(scan("]C0995"), formats).family == "house:any"
    assert identify(scan("]Q1https://id.gs1.org/01/09506000134352"), formats).family == "house:any"


def test_first_format_of_the_file_wins():
    formats = (
        HouseFormat("one", FormatFile(pattern=r"X(?P<lot>.+)")),
        HouseFormat("two", FormatFile(pattern=r"X(?P<serial>.+)")),
    )
    assert identify(scan("X1"), formats).family == "house:one"


def test_long_text_is_not_offered_to_patterns():
    formats = (HouseFormat("slow", FormatFile(pattern=r"(?P<lot>(a|aa)+)b")),)
    assert identify(scan("a" * 257), formats).family == "plain"


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        (
            "(?P<lot>",
            "formats.reel.pattern: '(?P<lot>' is no regular expression: missing ), unterminated subpattern at "
            "place 1. ",
        ),
        (
            "(?P<lott>.+)",
            "formats.reel.pattern: no group may be called 'lott'; did you mean 'lot'? "
            "Groups are badge, order, material, lot, serial, quantity, expiry, position, command.",
        ),
        (
            "(?P<xyz>.+)",
            "formats.reel.pattern: no group may be called 'xyz'. "
            "Groups are badge, order, material, lot, serial, quantity, expiry, position, command.",
        ),
        (
            "L.+",
            "formats.reel.pattern: 'L.+' names no group, so a match would mean nothing. "
            "Groups are badge, order, material, lot, serial, quantity, expiry, position, command.",
        ),
        (
            "(?P<lot>(a+)+)b",
            "formats.reel.pattern: '+)+' at place 11 repeats a repetition; one scan could keep it busy for hours. "
            "Repeat once, e.g. (a+) for (a+)+.",
        ),
        ("a{99999999999}", "formats.reel.pattern: 'a{99999999999}' is no regular expression: "),
    ],
)
def test_wrong_format_is_refused_with_the_reason(pattern, sentence):
    with pytest.raises(ConfigError) as caught:
        HouseFormat("reel", FormatFile(pattern=pattern))
    assert str(caught.value).startswith(sentence.strip())
    assert caught.value.say.zh.startswith("formats.reel.pattern：")


def test_formats_are_tried_in_order_with_badges_first():
    assert [form.name for form in FORMATS if form.is_badge] == ["badge"]
