"""Element strings: what they mean, and exactly why one is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from edge.identify.ai import IDENTIFIERS
from edge.identify.checks import expected_check_pair
from edge.identify.code import Flaw
from edge.identify.elements import check_value
from edge.identify.facts import gs1_date
from tests.identify.scans import read, refused

GTIN = "09506000134352"


def test_healthcare_label_gives_gtin_lot_serial_and_expiry():
    code = read(f"]d201{GTIN}17270531" + "10L77\x1d21S4")
    assert (code.family, code.symbology, code.confidence) == ("gs1", "]d2", "declared")
    assert (code.gtin, code.lot, code.serial, code.expiry) == (GTIN, "L77", "S4", date(2027, 5, 31))
    assert code.elements == (("01", GTIN), ("17", "270531"), ("10", "L77"), ("21", "S4"))
    assert code.missing == ()
    assert code.why.en == "The scanner says so: GS1 DataMatrix (]d2)."
    assert code.why.zh == "扫码枪已标明：GS1 DataMatrix 码（]d2）。"


def test_pallet_label_gives_sscc_content_count_and_purchase_order():
    code = read("]C100195012345678900015" + f"02{GTIN}" + "37200\x1d400PO-1")
    assert (code.sscc, code.gtin, code.count, code.purchase_order) == (
        "195012345678900015",
        GTIN,
        Decimal(200),
        "PO-1",
    )
    assert code.missing == ()


def test_net_weight_is_exact():
    assert read(f"]C101{GTIN}3103000195").weight == Decimal("0.195")
    assert read(f"]C101{GTIN}3100000195").weight == Decimal(195)
    assert str(read(f"]C101{GTIN}3105000195").weight) == "0.00195"


def test_gs_is_never_eaten():
    code = read("]d2" + f"01{GTIN}10L77\x1d")
    assert code.text == f"01{GTIN}10L77\x1d"
    assert code.lot == "L77"


def test_day_zero_is_the_last_of_its_month_and_its_raw_form_is_kept():
    code = read(f"]d201{GTIN}17280200")
    assert code.expiry == date(2028, 2, 29)
    assert ("17", "280200") in code.elements


def test_expiry_with_time_counts_when_there_is_no_expiry_date():
    assert read(f"]d201{GTIN}70032705311430").expiry == date(2027, 5, 31)
    assert read(f"]d201{GTIN}1727010170032705311430").expiry == date(2027, 1, 1)


@pytest.mark.parametrize(
    ("yy", "scanned_in", "year"),
    [
        ("76", 2026, 2076),
        ("77", 2026, 1977),
        ("00", 2026, 2000),
        ("26", 2026, 2026),
        ("99", 1998, 1999),
        ("48", 1998, 2048),
        ("49", 1998, 1949),
    ],
)
def test_century_slides(yy, scanned_in, year):
    assert gs1_date(f"{yy}0101", scanned_in) == date(year, 1, 1)


def test_leap_day_that_the_century_takes_away_is_no_date():
    answer = refused(f"]d201{GTIN}17000229", at=datetime(2060, 1, 1, tzinfo=UTC))
    assert answer.code == "bad_date"


def test_orphan_lot_is_a_code_that_misses_its_gtin():
    code = read("]C110L77")
    assert (code.lot, code.gtin, code.missing) == ("L77", None, ("gtin",))


def test_serial_and_count_are_missed_by_name():
    assert read(f"]C101{GTIN}250X").missing == ("serial",)
    assert read(f"]C102{GTIN}10L77").missing == ("count",)
    assert read(f"]C102{GTIN}37200").missing == ("sscc",)
    assert read("]C1254X").missing == ("414",)


REFUSED = [
    (
        "]d20109506000134353",
        "check_digit",
        "GTIN (01) 09506000134353: the check digit is 3 and should be 2, so a digit is wrong. "
        "Scan again; if it stays so, do not use this label.",
    ),
    (
        f"]d201{GTIN}10ABCDEFGHIJKLMNOPQRST17270531",
        "lot_too_long",
        "The lot (10) has 28 characters and may have 20: the label lacks the separator (FNC1) after the lot, "
        "or the lot is "
        "too long. Do not use this label; ask the supplier for a right one.",
    ),
    (
        f"]d201{GTIN}0112312312312333",
        "two_gtins",
        "One code names two different GTINs, 09506000134352 and 12312312312333. "
        "Do not use this label; ask the supplier for a right one.",
    ),
    (
        f"]d201{GTIN}10A\x1d10B",
        "two_values",
        "One code gives lot (10) twice, as 'A' and 'B'. Do not use this label; ask the supplier for a right one.",
    ),
    (
        f"]d201{GTIN}17270229",
        "bad_date",
        "expiry (17) 270229: '270229' is no date of the calendar. Scan again; if it stays so, do not use this label.",
    ),
    (
        f"]d201{GTIN}70032705312430",
        "bad_time",
        "expiry with time (7003) 2705312430: '2430' is no time of day. Scan again; if it stays so, do not "
        "use this label.",
    ),
    (
        f"]d201{GTIN}10批号1",
        "bad_character",
        "lot (10) holds '批' at place 1, which GS1 does not allow there. Scan again; if it stays so, do not "
        "use this label.",
    ),
    (
        f"]d201{GTIN}02{GTIN}",
        "exclusive",
        "GTIN of content (02) and GTIN (01) must not stand in one code. "
        "Do not use this label; ask the supplier for a right one.",
    ),
    (
        f"]d201{GTIN}422123",
        "bad_content",
        "country of origin (422): '123' is no ISO 3166 country code. Scan again; if it stays so, do not use "
        "this label.",
    ),
    (
        "]C17007211225211",
        "value_length",
        "HARVEST DATE (7007) has 9 characters, which its format does not allow. "
        "Scan again; if it stays so, do not use this label.",
    ),
    (
        "]C101095060",
        "value_too_short",
        "GTIN (01) has 6 characters and needs 14. Scan again; if it stays so, do not use this label.",
    ),
    (
        f"]C101{GTIN}891234",
        "unknown_ai",
        "'891234' begins with no known GS1 identifier. Scan again; if it stays so, do not use this label.",
    ),
    (
        f"]d2\x1d01{GTIN}",
        "separator",
        f"There is a separator (FNC1) where an identifier should begin, before '01{GTIN}'. "
        "Scan again; if it stays so, do not use this label.",
    ),
    ("]d2", "gs1_empty", "A GS1 code without any data. Scan again; if it stays so, do not use this label."),
    ("", "empty", "The scan is empty. Scan again; if it stays so, do not use this label."),
]


@pytest.mark.parametrize(("text", "code", "sentence"), REFUSED, ids=[row[1] for row in REFUSED])
def test_refusal_says_exactly_why(text, code, sentence):
    answer = refused(text)
    assert (answer.code, answer.say.en) == (code, sentence)
    assert any("\u4e00" <= character <= "\u9fff" for character in answer.say.zh)
    assert "{" not in answer.say.en + answer.say.zh


def test_refusal_in_chinese_names_the_expected_digit():
    assert refused("]d20109506000134353").say.zh == (
        "商品条码 GTIN (01) 09506000134353：校验位是 3，应为 2，说明有数字出错。请重扫；若仍如此，请勿使用此标签。"
    )


def test_sentences_show_control_characters_and_stay_short():
    said = refused(f"]d201{GTIN}89" + "\x01" * 200).say.en
    assert said.startswith("'89" + "␁" * 46 + "…' begins")


RIGHT = [
    ("253", "9506000134352AB"),
    ("255", "9506000134352"),
    ("3910", "978100"),
    ("4307", "CN"),
    ("7041", "PLP"),
    ("4309", "02790858483015297971"),
    ("4330", "001000-"),
    ("7040", "1ABC"),
    ("7241", "80"),
    ("7251", "199912312359"),
    ("7252", "9"),
    ("7258", "1/2"),
    ("8001", "00010000100101"),
    ("8003", "09506000134352AB"),
    ("8006", "095060001343520102"),
    ("8007", "GB82WEST12345698765432"),
    ("8010", "9506000A-1"),
    ("8011", "1"),
    ("8013", "1987654Ad4X4bL5ttr2310c2K"),
    ("8030", "AbC_-9="),
    ("4300", "A%20B"),
    ("7030", "999X"),
    ("423", "156840"),
]
WRONG = [
    ("253", "9506000134353AB"),
    ("3910", "000100"),
    ("4307", "XX"),
    ("7041", "QQQ"),
    ("4309", "18000000010000000000"),
    ("4309", "00000000003600000001"),
    ("4330", "001000+"),
    ("7040", "1AB/"),
    ("7241", "11"),
    ("7251", "199902302359"),
    ("7252", "3"),
    ("7258", "3/2"),
    ("8001", "00000000100101"),
    ("8003", "19506000134352AB"),
    ("8006", "095060001343520302"),
    ("8007", "GB82WEST12345698765433"),
    ("8010", "AB95"),
    ("8011", "01"),
    ("8013", "1987654Ad4X4bL5ttr2310c2X"),
    ("8014", "A"),
    ("4300", "A%2"),
    ("7030", "998X"),
    ("423", "156841"),
    ("4321", "2"),
    ("8008", "27053124"),
    ("00", "100000000000000004"),
]


@pytest.mark.parametrize(("ai", "value"), RIGHT)
def test_right_content_is_taken(ai, value):
    assert check_value(ai, value) is None


@pytest.mark.parametrize(("ai", "value"), WRONG)
def test_wrong_content_is_refused(ai, value):
    assert isinstance(check_value(ai, value), Flaw)


def test_check_pair_is_that_of_the_general_specifications():
    assert expected_check_pair("1987654Ad4X4bL5ttr2310c") == "2K"


def test_every_identifier_has_a_name_in_both_languages():
    from edge.identify import element_name

    assert all(element_name(ai).en and element_name(ai).zh for ai in IDENTIFIERS)
