"""Any bytes get an answer, and what we build we read back."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from edge.identify import Code, Unreadable, element_string, identify, merge
from edge.identify.ai import IDENTIFIERS
from edge.identify.checks import expected_check_digit
from edge.identify.elements import exclusive, parse
from edge.identify.strict import strict_brackets, strict_scan
from tests.identify.scans import FORMATS, scan

CSET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
PIECES = st.sampled_from(
    [
        "]C1",
        "]d2",
        "]E0",
        "]I1",
        "]Q1",
        "|]e0",
        "\x1d",
        "01",
        "10",
        "17",
        "3103",
        "8013",
        "8007",
        "09506000134352",
        "270531",
        "CMD:",
        "(01)",
        "(10)",
        "\\(",
        "https://",
        "HTTP://a/",
        "/01/",
        "/10/",
        "?",
        "&17=",
        "%",
        "%41",
        "+",
        "R",
        "WO-1",
        "B:1",
        "/",
        "批",
        "\x00",
        "[)>\x1e06",
    ]
)
MIXED = st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=14).map("".join)
ENCODINGS = st.sampled_from(["utf-8", "gb18030", "latin-1"])


def _answers(raw: bytes, encoding: str, symbology: str = "") -> None:
    answer = identify(scan(raw, encoding=encoding, symbology=symbology), FORMATS)
    assert isinstance(answer, Code | Unreadable)
    answer.text.encode()
    for words in (answer.why, *([answer.say] if isinstance(answer, Unreadable) else [])):
        assert words.en.encode()
        assert words.zh.encode()


@given(st.binary(max_size=200), ENCODINGS)
def test_no_bytes_raise(raw, encoding):
    _answers(raw, encoding)


@given(st.sampled_from(["]C1", "]d2", "]e0", "]E0", "]E4", "]I1", "]Q1", "]C0"]), st.binary(max_size=60), ENCODINGS)
def test_no_bytes_behind_an_aim_identifier_raise(symbology, raw, encoding):
    _answers(symbology.encode() + raw, encoding)
    _answers(raw, encoding, symbology)


@given(MIXED)
def test_no_mixture_of_real_pieces_raises(text):
    _answers(text.encode("utf-8", "surrogatepass"), "utf-8")
    strict_scan(text)
    strict_brackets(text)


@given(MIXED, MIXED)
def test_merging_any_two_codes_never_raises(one, other):
    first, second = (identify(scan(text.encode("utf-8", "replace")), FORMATS) for text in (one, other))
    assume(isinstance(first, Code) and isinstance(second, Code))
    assert isinstance(merge(first, second), Code | Unreadable)


def _with_check_digit(body: str) -> str:
    return body + expected_check_digit(body)


def _digits(size: int):
    return st.text("0123456789", min_size=size, max_size=size)


VALUES = {
    "00": _digits(17).map(_with_check_digit),
    "01": _digits(13).map(_with_check_digit),
    "10": st.text(CSET_82, min_size=1, max_size=20),
    "11": st.dates().map(lambda day: f"{day:%y%m%d}").filter(lambda text: text != "000229"),
    "17": st.dates().map(lambda day: f"{day:%y%m}00"),
    "21": st.text(CSET_82, min_size=1, max_size=20),
    "30": st.text("0123456789", min_size=1, max_size=8),
    "3103": _digits(6),
    "240": st.text(CSET_82, min_size=1, max_size=30),
    "400": st.text(CSET_82, min_size=1, max_size=30),
    "422": st.just("156"),
    "99": st.text(CSET_82, min_size=1, max_size=90),
}
ELEMENTS = st.lists(st.sampled_from(sorted(VALUES)), min_size=1, unique=True).flatmap(
    lambda ais: st.tuples(*(VALUES[ai].map(lambda value, ai=ai: (ai, value)) for ai in ais))
)


@given(ELEMENTS)
def test_what_we_build_we_read_back(elements):
    assert all(ai in IDENTIFIERS for ai, _ in elements)
    assert parse(element_string(elements)) == elements
    if exclusive(dict(elements)) is None:
        code = identify(scan("]d2" + element_string(elements)), FORMATS)
        assert isinstance(code, Code)
        assert code.elements == elements
        assert code.lot == dict(elements).get("10")
        assert code.serial == dict(elements).get("21")


@given(st.lists(st.tuples(ELEMENTS, st.integers(1, 3)), min_size=1, max_size=1))
def test_one_wrong_digit_in_a_gtin_is_always_refused(parts):
    ((elements, step),) = parts
    values = dict(elements)
    assume("01" in values)
    wrong = values["01"][:5] + str((int(values["01"][5]) + step) % 10) + values["01"][6:]
    answer = identify(scan("]d2" + element_string([("01", wrong)])), FORMATS)
    assert isinstance(answer, Unreadable)
    assert answer.code in {"check_digit", "company_prefix"}
