"""Files that are not quite text: encodings, full-width signs, tabs, YAML itself."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.config.loader import load
from edge.config.problem import Mistakes
from edge.config.scalars import plain
from tests.config import LINE, TABLES


def said(mistakes):
    return [(problem.line, problem.col, problem.say.en) for problem in mistakes.problems]


WIDE_COLON = "this is a full-width colon '：'; write ':' and a space (English input)"
WIDE_COMMA = "this is a full-width comma '，'; write ',' and a space (English input)"
WIDE_SPACE = "this is a full-width space (U+3000); write ordinary spaces (English input)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("devices：\n  a: {driver: scanner, port: /x}\n", [(10, 8, WIDE_COLON)]),
        ("web：{port: 1}\n", [(10, 4, WIDE_COLON)]),
        ("devices: {a: {driver：scanner，port: /x}}\n", [(10, 21, WIDE_COLON), (10, 29, WIDE_COMMA)]),
        ("devices: {a: {driver: scanner，port: /x}}\n", [(10, 30, WIDE_COMMA)]),
        ("devices:\n　　a: {driver: scanner, port: /x}\n", [(11, 1, WIDE_SPACE)]),
        ("web:　{port: 1}\n", [(10, 5, WIDE_SPACE)]),
        ("devices: {a: {driver： scanner, port: /x}}\n", [(10, 21, WIDE_COLON)]),
        # what is wrong beside it is told as well
        ("web：{port: 1}\nstroage: {}\n", [(10, 4, WIDE_COLON), (11, 1, "unknown key 'stroage'; did you mean 'storage'?")]),
        ("web： {prot: 1}\n", [(10, 4, WIDE_COLON), (10, 7, "unknown key 'prot'; did you mean 'port'?")]),
    ],
)  # fmt: skip
def test_full_width_signs_have_their_own_message(write, mistakes, text, expected):
    assert said(mistakes(write(text))) == expected


def test_a_full_width_comma_in_a_list_is_told_where_the_name_is_not_known(write, mistakes):
    path = write(
        LINE.replace("procedure: p}", "procedure: p, scanners: [a， b]}")
        + "devices: {a: {driver: scanner, port: /a}, b: {driver: scanner, port: /b}}\n",
        bare=True,
    )
    assert [problem.say.en for problem in mistakes(path).problems] == [WIDE_COMMA]


def test_full_width_signs_are_fine_inside_texts(write, loaded):
    path = write(LINE.replace("name: One", "name: {en: One, zh: 工位：一，二}"), bare=True)
    assert loaded(path).site.stations["ST1"].name.zh == "工位：一，二"


def test_a_tab_is_told_on_every_line_that_is_indented_with_one(write, mistakes):
    found = mistakes(write("devices:\n\ta: {driver: scanner, port: /x}\n  \tb: {driver: scanner, port: /y}\n"))
    assert said(found) == [
        (11, 1, "this line is indented with a tab; use spaces"),
        (12, 3, "this line is indented with a tab; use spaces"),
    ]
    assert str(found).endswith("The rest of the file is checked once this can be read.\n2 errors. Nothing was changed.")
    assert found.to("zh").endswith("以上问题解决后，再检查文件的其余部分。\n共 2 处错误，未作任何更改。")


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b""])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_byte_order_mark_and_any_line_end_are_accepted(tmp_path, loaded, start, end):
    path = tmp_path / "line.yaml"
    path.write_bytes(start + LINE.replace("\n", end).encode())
    assert loaded(path).site.site == "S"


def test_lines_are_counted_right_behind_a_byte_order_mark_and_crlf(tmp_path, mistakes):
    path = tmp_path / "line.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + LINE.replace("lotline: 1", "lotline: 2").replace("\n", "\r\n").encode())
    assert said(mistakes(path)) == [(1, 10, "has to be '1' (got '2')")]


def test_a_gbk_file_is_shown_decoded_and_its_other_mistakes_are_told(tmp_path, mistakes):
    path = tmp_path / "line.yaml"
    path.write_bytes((LINE.replace("name: One", "name: 压装轴承") + "stroage: {}\n").encode("gb18030"))
    found = mistakes(path)
    assert said(found) == [
        (9, 24, "the file is saved as GBK; in the editor choose Save as, encoding UTF-8"),
        (10, 1, "unknown key 'stroage'; did you mean 'storage'?"),
    ]
    assert found.problems[0].snippet.startswith("     9 | stations: {ST1: {name: 压装轴承, procedure: p}}")
    assert found.problems[0].say.zh == "文件以 GBK 编码保存，请在编辑器中选择“另存为”，编码选 UTF-8"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"lotline: 1\nsite: S\xff\n", (2, 8, "byte 0xFF is not UTF-8; in the editor choose Save as, encoding UTF-8")),
        ("lotline: 1".encode("utf-16"), (0, 0, "the file is saved as UTF-16; in the editor choose Save as, encoding UTF-8")),
        (b"lotline: 1\nsite: \x07\n", (2, 7, "there is an invisible character U+0007 here; delete it")),
        (b"lotline: 1\nsite: \xef\xbb\xbfS\n", (2, 7, "there is an invisible character U+FEFF here; delete it")),
        (b"", (0, 0, "the file is empty; it begins with 'lotline: 1'")),
        (b"# only this\n", (0, 0, "the file is empty; it begins with 'lotline: 1'")),
        (b"- a\n", (1, 1, "the file has to consist of 'key: value' lines; it begins with 'lotline: 1'")),
        (b"x" * 10_000_000, (0, 0, "is 10.0 MB; a line's file stays below 4 MB. Is it the right file?")),
        (b"procedure: p\nsteps: {}\n", (1, 1, "this is a procedure; check the line's file that includes it")),
        (b"masters: {}\n", (1, 1, "this is a part of a line's file; check the file that includes it")),
        (b"[" * 3000, (1, 41, "nested deeper than 40 levels")),
        (b"a: 1\n---\nb: 2\n", (2, 1, "a second document begins here ('---'); one file holds one")),
        (b"a: &a [*a]\n", (1, 8, "'*a' contains itself")),
        (b"a: 'x\n", (1, 4, "a text in quotes is not closed")),
        (b"a: b: c\n", (1, 5, "there is a ':' where none may stand; quote the text, or check the indentation here and above")),
        (b"a\nb\n", (1, 1, "the file has to consist of 'key: value' lines; it begins with 'lotline: 1'")),
        (b"a:\n  - b\n c: d\n", (3, 2, "this line does not line up with the ones above it; check its indentation")),
        (b"a: {b: 1\n", (1, 9, "a ',' or the closing '}' is missing before this")),
        (b"a: [b\n", (1, 6, "a ',' or the closing ']' is missing before this")),
        (b"a: @b\n", (1, 4, "a text may not begin with this character; put the text in quotes")),
        (b'a: "\\q"\n', (1, 5, "unknown '\\' in a text with double quotes; use single quotes")),
        (b"%YAML 3.0\n---\na: 1\n", (1, 1, "this cannot be read as YAML: found incompatible YAML document")),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_why_and_where(tmp_path, mistakes, data, expected):
    path = tmp_path / "line.yaml"
    path.write_bytes(data)
    assert said(mistakes(path)) == [expected]


def test_a_missing_file_names_the_one_that_looks_like_it(write, tmp_path, mistakes):
    write("")
    assert str(mistakes(tmp_path / "lien.yaml")) == (
        "lien.yaml: there is no such file; did you mean 'line.yaml'?\n"
        "The rest of the file is checked once this can be read.\n1 error. Nothing was changed."
    )


def test_directories_and_devices_are_no_files(tmp_path, mistakes):
    assert said(mistakes(tmp_path)) == [(0, 0, "this is a directory; name the file in it")]
    os.mkfifo(tmp_path / "pipe")
    assert said(mistakes(tmp_path / "pipe")) == [(0, 0, "this is no ordinary file")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, text) for text in ("NO", "on", "yes", "y", "12:30", "1_000", "2027-05-31", "0b1", "1.2.3", "+", "-", ".")),
        *((text, None) for text in ("", "~", "null", "Null", "NULL")),
        ("true", True), ("False", False), ("0o17", 15), ("0x1F", 31), ("017", 17), ("-5", -5), ("+7", 7),
        ("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("-.inf", float("-inf")), ("9" * 41, "9" * 41),
    ],
)  # fmt: skip
def test_plain_words_are_read_by_the_core_schema_of_yaml_1_2(text, value):
    assert plain(text) == value
    assert type(plain(text)) is type(value)


def test_numbers_are_text_where_a_text_is_expected(write, loaded):
    path = write(
        "masters:\n  materials: {M: {name: 6204, gtin: 09506000134352, codes: [1e3, 0x10]}}\n"
        "  lots: [{material: M, lot: 007}]\n  people: {p: {badge: 017, name: N}}\n"
    )
    masters = loaded(path).site.masters
    assert masters.materials["M"].gtin == "09506000134352"
    assert masters.materials["M"].codes == ("1e3", "0x10")
    assert (masters.lots[0].lot, masters.people["p"].badge) == ("007", "017")


def test_anchors_and_merges_are_understood_and_own_keys_win(write, loaded):
    path = write(
        "devices:\n  a: &scanner {driver: scanner, port: /a, baudrate: 19200}\n  b: {<<: *scanner, port: /b}\n"
        "  c:\n    <<: [*scanner, {preset: x}]\n    port: /c\n"
    )
    devices = loaded(path).devices
    assert (devices["b"][1].port, devices["b"][1].baudrate) == ("/b", 19200)
    assert (devices["c"][1].port, devices["c"][1].preset) == ("/c", "x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("devices: {a: *nothing}", "there is no anchor '&nothing' above"),
        ("devices: {a: {<<: 5}}", "'<<' takes a mapping, or a list of mappings"),
        ("devices: {? [a] : 1}", "a key has to be a plain text"),
        ("web: !web {port: 1}", "'!web' is unknown; only !secret may stand here"),
        ("web: {port: !!int 1}", "'!!int' is unknown; only !secret may stand here"),
    ],
)
def test_what_yaml_offers_and_a_line_does_not_need_is_refused(write, mistakes, text, expected):
    assert expected in [problem.say.en for problem in mistakes(write(text)).problems]


def test_a_file_that_unfolds_without_end_is_refused(write, mistakes):
    lines = ["x0: &x0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert said(mistakes(write("\n".join(lines)))) == [(15, 5, "the file unfolds to more than 400000 values")]


def test_anchors_cannot_nest_deeper_than_what_is_written(write, mistakes):
    lines = ["x0: &x0 [1]", *(f"x{n}: &x{n} {'[' * 30}*x{n - 1}{']' * 30}" for n in range(1, 60))]
    assert said(mistakes(write("\n".join(lines)))) == [(12, 30, "nested deeper than 40 levels")]


def test_a_key_written_twice_shows_both_places(write, mistakes):
    found = mistakes(write("web: {port: 1}\nweb: {port: 2}\n"))
    assert str(found) == (
        "line.yaml:10:1: 'web' stands here and a second time in line.yaml:11:1\n"
        "    10 | web: {port: 1}\n       | ^\n    11 | web: {port: 2}\n       | ^\n1 error. Nothing was changed."
    )


TOKENS = st.lists(
    st.sampled_from(
        [*LINE.splitlines(keepends=True), "devices:", "  a: ", "{", "}", "[", "]", "driver: scanner", ",", "：", "，", "　", "\t",
         "- ", "!secret k", "&a ", "*a", "<<: *a", "'", '"', "|\n", "#", "\n", "steps: ", "include: line.yaml", "0o17", ".inf",
         "masters:\n", " lots: [", "low: 2, high: 1", "procedure: p\n", "timezone: ../x", "\r\n", "? ", "压", "null", "\x85"]
    ),
    max_size=25,
).map("".join)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300) | st.text(max_size=300).map(str.encode) | TOKENS.map(str.encode))
def test_whatever_a_file_contains_it_is_loaded_or_refused_with_a_list(tmp_path, data):
    path = tmp_path / "line.yaml"
    path.write_bytes(data)
    refused = None
    try:
        load(path, **TABLES)
    except Mistakes as mistakes:
        refused = mistakes
    if refused is not None:
        assert refused.problems
        assert refused.to("zh").endswith("未作任何更改。")
