"""Everything that is no element string: EAN, ITF-14, Digital Link, commands, guesses, plain text, bad bytes."""

from __future__ import annotations

from datetime import date

import pytest

from tests.identify.scans import read, refused

GTIN = "09506000134352"


@pytest.mark.parametrize(
    ("text", "family", "gtin"),
    [
        ("]E09506000134352", "ean", "09506000134352"),
        ("]E402345673", "ean", "00000002345673"),
        ("]I119506000134359", "itf", "19506000134359"),
    ],
)
def test_numbers_give_a_gtin_of_14_digits(text, family, gtin):
    code = read(text)
    assert (code.family, code.gtin, code.elements, code.confidence) == (family, gtin, (), "declared")


def test_composite_adds_its_elements_to_the_ean():
    code = read("]E09506000134352|]e010L77\x1d17270531")
    assert (code.family, code.gtin, code.lot, code.missing) == ("ean", GTIN, "L77", ())
    assert refused("]E09506000134352|]e00112312312312333").code == "two_gtins"


@pytest.mark.parametrize(
    ("text", "code", "sentence"),
    [
        (
            "]E09506000134353",
            "check_digit",
            "EAN-13 9506000134353: the check digit is 3 and should be 2, so a digit is wrong. "
            "Scan again; if it stays so, do not use this label.",
        ),
        (
            "]E0123456789012",
            "ean_length",
            "EAN-13 has 12 digits and needs 13. Scan again; if it stays so, the technician should let the "
            "scanner send UPC-A "
            "and UPC-E as 13 digits.",
        ),
        (
            "]E412ABC678",
            "ean_digits",
            "EAN-8 holds 'A' at place 3, where only a digit may stand. Scan again; if it stays so, do not use "
            "this label.",
        ),
    ],
)
def test_wrong_numbers_are_refused(text, code, sentence):
    answer = refused(text)
    assert (answer.code, answer.say.en) == (code, sentence)


def test_interleaved_code_of_another_length_is_no_itf14():
    assert read("]I11234567895").family == "plain"


@pytest.mark.parametrize("symbology", ["]Q1", "]d1", "]J0", ""])
def test_digital_link_reads_in_every_plain_carrier(symbology):
    code = read(f"{symbology}https://shop.example/de/01/{GTIN}/10/AB%2F1/21/S+1?17=270531&utm=x&linkType=all#top")
    assert code.family == "digital_link"
    assert (code.gtin, code.lot, code.serial, code.expiry) == (GTIN, "AB/1", "S+1", date(2027, 5, 31))


LINKS = [
    (f"https://a.example/01/{GTIN}/21/S1/10/AB", "digital_link", "gives (21) (10) after (01)"),
    ("https://a.example/01/9506000134352", "value_too_short", "GTIN (01) has 13 characters and needs 14"),
    ("https://a.example/01/09506000134353", "check_digit", "should be 2"),
    (f"https://a.example/01/{GTIN}?17=270531&17=270531", "digital_link", "more than once"),
    (f"https://a.example/01/{GTIN}?21=S1", "digital_link", "'21=S1' may not stand behind the ?"),
    (f"https://a.example/01/{GTIN}?05=S1", "digital_link", "'05=S1' may not stand behind the ?"),
    (f"https://a.example/01/{GTIN}/10/A%ZZ", "digital_link", "'A%ZZ' in the web address is not percent-encoded"),
    (f"https://a.example/01/{GTIN}/10/A%FF", "digital_link", "'A%FF' in the web address is not percent-encoded"),
    (f"https://a.example/01/{GTIN}/10/A B", "digital_link", "holds ' '"),
    (f"https://a.example/01/{GTIN}?10=A+B", "bad_character", "lot (10) holds ' ' at place 2"),
    (f"https://a.example/01/{GTIN}/235/X/10/A", "digital_link", "no order that GS1 allows"),
]


@pytest.mark.parametrize(("text", "code", "part"), LINKS)
def test_wrong_links_are_refused(text, code, part):
    answer = refused("]Q1" + text)
    assert answer.code == code
    assert part in answer.say.en


def test_web_address_without_a_key_is_plain():
    assert read("]Q1https://a.example/menu").family == "plain"
    assert read("HtTps://a.example/01/09506000134352").family == "plain"


def test_command_comes_first_and_an_empty_one_is_none():
    assert read("CMD:close").command == "close"
    assert read("]C0CMD:undo").command == "undo"
    assert read("CMD:").family == "plain"


def test_guess_says_that_it_is_one():
    code = read(f"01{GTIN}10L77")
    assert (code.family, code.confidence, code.lot) == ("gs1", "heuristic", "L77")
    assert code.why.en == (
        "Guessed: it reads as GS1 data throughout. The scanner sends no AIM identifier; switch that on to be sure."
    )
    ean = read("9506000134352")
    assert (ean.family, ean.confidence, ean.gtin) == ("ean", "heuristic", GTIN)
    assert ean.why.en.startswith("Guessed: 13 digits with a right check digit.")


def test_leading_fnc1_as_gs_is_a_sign_of_gs1_where_no_aim_identifier_is_sent():
    code = read(f"\x1d01{GTIN}10L77\x1d17270531")
    assert (code.family, code.expiry) == ("gs1", date(2027, 5, 31))
    assert refused("10L77\x1d17271301").code == "bad_date"


def test_plain_symbology_is_never_guessed_to_be_an_element_string():
    assert read(f"]C001{GTIN}10L77").family == "plain"
    assert read("]A09506000134352").family == "plain"
    assert read(f"]d101{GTIN}10L77\x1d17270531").family == "plain"


def test_lot_without_gtin_and_without_aim_identifier_is_unknown_text():
    assert read("10L77").family == "plain"


def test_plain_text_says_what_it_nearly_was():
    code = read("0109506000134353")
    assert code.family == "plain"
    assert code.why.en == (
        "Taken as plain text; as a GS1 code it would be wrong: GTIN (01) 09506000134353: the check digit is "
        "3 and should be "
        "2, so a digit is wrong. Scan again; if it stays so, do not use this label."
    )
    assert read("(01)09506000134353").why.en.startswith("Taken as plain text; as a GS1 code")
    assert read("(see back)").why.en == "It is neither GS1 data nor any house format of this line."


def test_brackets_as_printed_are_a_guess_in_any_plain_carrier():
    code = read(f"]Q1(01){GTIN}(10)L77(17)270531")
    assert (code.family, code.confidence, code.lot) == ("gs1", "heuristic", "L77")


def test_symbology_given_apart_counts():
    assert read(f"01{GTIN}10L77", symbology="]C1").confidence == "declared"
    assert read(f"]C101{GTIN}10L77", symbology="]C1").gtin == GTIN


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_chinese_text_is_read_in_the_encoding_of_the_device(encoding):
    assert read("轴承-批号", encoding=encoding).text == "轴承-批号"


def test_undecodable_bytes_are_a_refusal():
    answer = refused(b"AB\xff\xfe")
    assert answer.code == "undecodable"
    assert answer.say.en == (
        "Byte 3 of 4 (0xff) is no utf-8 text: the code was damaged on its way, or the device's 'encoding' is "
        "set wrongly. "
        "Scan again; if it stays so, call the technician."
    )
    assert answer.text == "AB\\xff\\xfe"
    assert refused(b"\x81", encoding="gb18030").code == "undecodable"
    assert read(b"\xff\xfe", encoding="latin-1").text == "ÿþ"


def test_more_text_than_a_code_can_hold_is_a_refusal():
    answer = refused("X" * 10_000)
    assert answer.code == "too_long"
    assert answer.say.en == (
        "10000 characters came as one scan, and no code holds more than 7827: the scanner's terminator is missing. "
        "Call the technician."
    )


def test_separators_alone_are_no_code():
    assert refused("\x1d").code == "empty"
    assert refused("]C0\x1d\x1d\x1d").code == "empty"
    assert refused("]d2\x1d").code == "separator"
