"""Our table of application identifiers against the GS1 Barcode Syntax Dictionary, line by line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge.identify import checks
from edge.identify.ai import AI_LENGTH, IDENTIFIERS, Identifier

DICTIONARY = Path(__file__).resolve().parents[2].parent / "shared/gs1/gs1-syntax-dictionary.txt"

#: the dictionary's name of a check -> ours
OURS = {
    "csum": "check_digit",
    "csumalpha": "check_pair",
    "gcppos1": "prefix_first",
    "gcppos2": "prefix_second",
    "yymmd0": "date_or_month",
    "yymmdd": "date",
    "yyyymmdd": "date8",
    "hhmi": "hour_minute",
    "hh": "hour",
    "mi": "minute",
    "ss": "second",
    "pcenc": "percent_encoded",
    "iso3166": "country",
    "iso3166999": "country_or_999",
    "iso3166alpha2": "country_letters",
    "iso4217": "currency",
    "iso5218": "sex",
    "hyphen": "minus_sign",
    "yesno": "yes_no",
    "nonzero": "not_zero",
    "zero": "zero",
    "nozeroprefix": "no_leading_zero",
    "hasnondigit": "not_all_digits",
    "pieceoftotal": "piece_of_total",
    "latitude": "latitude",
    "longitude": "longitude",
    "importeridx": "importer_index",
    "packagetype": "package_type",
    "mediatype": "media_type",
    "posinseqslash": "position_in_sequence",
    "winding": "winding",
    "iban": "iban",
    "couponcode": "coupon",
    "couponposoffer": "coupon_offer",
}
#: North American retail coupons reach no factory: their length and characters are checked, their inner grammar is not.
UNCHECKED = {"coupon", "coupon_offer"}


def _rows_of_dictionary():
    if not DICTIONARY.is_file():
        return []
    found = []
    for line in DICTIONARY.read_text("utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        body, _, title = line.partition(" #")
        run, *words = body.split()
        flags = words.pop(0) if re.fullmatch(r"[^\w\[]+", words[0]) else ""
        first, _, last = run.partition("-")
        for number in range(int(first), int(last or first) + 1):
            found.append(pytest.param(flags, words, title.strip(), id=str(number).zfill(len(first))))
    return found


ROWS = _rows_of_dictionary()


def _notation(row: Identifier) -> list[str]:
    """The format of ``row`` in the dictionary's notation."""
    theirs = {ours: name for name, ours in OURS.items()}
    said = []
    for part in row.parts:
        size = str(part.high) if part.low == part.high and not _may_vary(part) else f"..{part.high}"
        word = f"{part.characters.upper()}{size}"
        said.append(",".join([f"[{word}]" if part.optional else word, *(theirs[check] for check in part.checks)]))
    return said


def _may_vary(part):
    return part.low != part.high


@pytest.mark.skipif(not ROWS, reason="../shared/gs1/gs1-syntax-dictionary.txt is not here")
def test_table_and_dictionary_know_the_same_identifiers():
    assert [row.id for row in ROWS] != []
    assert {row.id for row in ROWS} == set(IDENTIFIERS)


@pytest.mark.skipif(not ROWS, reason="../shared/gs1/gs1-syntax-dictionary.txt is not here")
@pytest.mark.parametrize(("flags", "words", "title"), ROWS)
def test_row_says_what_the_dictionary_says(flags, words, title, request):
    row = IDENTIFIERS[request.node.callspec.id]
    form = [word for word in words if re.match(r"\[?[NXYZ](\.\.)?\d", word)]
    attributes = dict(word.partition("=")[::2] for word in words if word not in form)
    assert row.title == title
    assert _notation(row) == form
    assert row.predefined is ("*" in flags)
    assert row.attribute is ("?" in flags)
    assert [list(group) for group in row.needs] == [g.split("+") for g in attributes.get("req", "").split(",") if g]
    assert list(row.excludes) == [word for word in attributes.get("ex", "").split(",") if word]
    assert row.key is ("dlpkey" in attributes)
    qualifiers = [alternative.split(",") for alternative in attributes.get("dlpkey", "").split("|") if alternative]
    assert [list(alternative) for alternative in row.qualifiers] == qualifiers
    assert set(attributes) <= {"req", "ex", "dlpkey"}


def test_first_two_digits_tell_the_length_of_an_identifier():
    assert all(AI_LENGTH[ai[:2]] == len(ai) for ai in IDENTIFIERS)


def test_every_check_named_in_the_table_exists():
    named = {check for row in IDENTIFIERS.values() for part in row.parts for check in part.checks}
    assert named - set(checks.CHECKS) == UNCHECKED


def test_only_the_last_part_varies_and_options_come_last():
    for row in IDENTIFIERS.values():
        assert all(part.low == part.high for part in row.parts[:-1]), row.ai
        options = [part.optional for part in row.parts]
        assert options == sorted(options), row.ai
