"""check, show and schema, as they are called."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from edge.cli import main
from edge.config import nodes
from edge.config.base import ID_PATTERN
from edge.config.dump import to_yaml
from edge.config.loader import load
from edge.config.schema import schema
from edge.config.source import decode
from edge.config.widechars import Mended
from tests.config import LINE, TABLES

EXAMPLES = sorted((Path(__file__).parents[2] / "config" / "examples").glob("*line*.yaml"))
REAL = LINE + "devices: {hand-1: {driver: serial_scanner, port: /dev/x}}\n"


def test_check_says_what_a_right_file_holds(write, capsys):
    path = write(REAL, bare=True)
    assert main(["check", str(path), "--lang", "en"]) == 0
    said = "no errors. Devices 1, stations 1, procedures 1, destinations 0."
    assert capsys.readouterr().out == f"{path}: {said}\n"
    assert main(["check", str(path), "--lang", "zh"]) == 0
    assert capsys.readouterr().out == f"{path}：没有错误。设备 1 台，工位 1 个，工序 1 个，目标 0 个。\n"


def test_check_exits_78_and_speaks_the_language_of_the_environment(write, capsys, monkeypatch):
    path = write("stroage: {}\n")
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert main(["check", str(path)]) == 78
    assert "不认识的键 'stroage'；是否指 'storage'？" in capsys.readouterr().out
    assert main(["check", str(path), "--lang", "en"]) == 78
    assert capsys.readouterr().out.endswith("1 error. Nothing was changed.\n")


def test_check_gives_programs_one_json_object(write, capsys):
    path = write("stroage: {}\n")
    assert main(["check", "--json", str(path)]) == 78
    assert json.loads(capsys.readouterr().out) == {
        "file": str(path),
        "ok": False,
        "complete": True,
        "problems": [
            {
                "file": str(path),
                "line": 10,
                "column": 1,
                "path": "stroage",
                "rule": "unknown_key",
                "en": "unknown key 'stroage'; did you mean 'storage'?",
                "zh": "不认识的键 'stroage'；是否指 'storage'？",
                "other": "",
            }
        ],
    }
    assert main(["check", "--json", str(write("", name="line.yaml"))]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True


def test_check_loads_neither_the_page_nor_the_log(write):
    code = (
        "import sys; from edge.cli import main; main(sys.argv[1:]);"
        "heavy = {'aiohttp', 'starlette', 'uvicorn', 'apsw', 'jinja2', 'asyncio'} & set(sys.modules); print(sorted(heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "check", str(write(LINE, bare=True)), "--lang", "en"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_show_prints_the_whole_line_as_one_file_that_means_the_same(write, capsys, tmp_path):
    write("devices: {hand-1: {driver: serial_scanner, port: /dev/x}}\n", "devices.yaml")
    path = write("include: devices.yaml\ndestinations: {e: {sink: http, url: 'https://h', key: !secret k}}\n")
    assert main(["show", str(path), "--effective"]) == 0
    text = capsys.readouterr().out
    assert "    key: !secret k\n" in text
    (tmp_path / "one.yaml").write_text(text, encoding="utf-8")
    assert main(["show", str(tmp_path / "one.yaml"), "--effective"]) == 0
    assert capsys.readouterr().out == text


def test_show_names_the_files_that_were_read(write, capsys, tmp_path):
    write("shifts: {}\n", "more.yaml")
    assert main(["show", str(write("include: more.yaml\n")), "--lang", "en"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [f"{tmp_path}/line.yaml  10 lines", f"{tmp_path}/more.yaml  1 lines"]
    assert lines[2].startswith("fingerprint ")


SCALARS = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False) | st.text(max_size=12)
WORDS = st.sampled_from(
    ["0o17", "1e3", "NO", "12:30", "017", "null", "~", "", "<<", "- a", "a: b", "：", " x ", "0x1F", ".5"]
)


@given(
    st.recursive(SCALARS | WORDS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4))
)
def test_what_is_written_as_yaml_reads_back_the_same(value):
    source, flaw = decode(to_yaml({"a": value}).encode(), Path("x"), "x")
    if flaw is None:  # characters that YAML does not carry are escaped by the writer; others are told on reading
        root = nodes.compose(source, Mended(text=source.text)).root
        assert nodes.data(root, str) == {"a": value}


def test_the_schema_is_a_schema_and_knows_every_driver():
    document = schema(**TABLES)
    jsonschema.Draft202012Validator.check_schema(document)
    devices = document["properties"]["devices"]["patternProperties"][ID_PATTERN]
    assert devices["oneOf"] == [{"$ref": "#/$defs/driver.scanner"}, {"$ref": "#/$defs/driver.plc"}]


def test_the_schema_accepts_what_the_loader_accepts(loaded, right):
    jsonschema.validate(loaded(right).effective, schema(**TABLES))


@pytest.mark.parametrize(
    "text",
    [
        "devices: {a: {driver: scanner, port: /x, prot: 1}}",
        "devices: {a: {driver: nothing, port: /x}}",
        "devices: {a: {port: /x}}",
        "stroage: {}",
        "web: {port: x}",
        "destinations: {e: {sink: erp, url: u, compress: zst}}",
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(write, mistakes, text):
    path = write(text + "\n")
    assert mistakes(path).problems
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(path.read_text()), schema(**TABLES))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_shipped_examples_are_right_and_the_schema_agrees(path, capsys):
    import drivers
    import sync

    line = load(path, drivers=drivers.DRIVERS, sinks=sync.SINKS)
    assert main(["schema"]) == 0
    jsonschema.validate(line.effective, json.loads(capsys.readouterr().out))
