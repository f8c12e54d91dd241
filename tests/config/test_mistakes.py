"""Every mistake of a file at once, at its place, in both languages."""

from pathlib import Path

import pytest

from edge.config.loader import load
from edge.config.problem import Mistakes
from tests.config import FILES, TABLES


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_mistake_in_one_file_is_told_at_once(monkeypatch, language):
    monkeypatch.chdir(FILES)
    with pytest.raises(Mistakes) as caught:
        load(Path("wrong.yaml"), **TABLES)
    assert caught.value.to(language) + "\n" == Path(f"wrong.{language}.txt").read_text("utf-8")


def test_the_message_of_the_error_is_the_whole_list(monkeypatch):
    monkeypatch.chdir(FILES)
    with pytest.raises(Mistakes) as caught:
        load(Path("wrong.yaml"), **TABLES)
    assert str(caught.value) == caught.value.to("en")
    assert str(caught.value).endswith("\n73 errors. Nothing was changed.")
    assert caught.value.say.zh.endswith("\n共 73 处错误，未作任何更改。")


def test_a_mistake_gives_place_path_sentence_line_and_caret(write, mistakes):
    path = write("devices:\n  press-2: {driver: plc, host: h, tags: {force: {holding: 0, unit: Nm/s}}}\n")
    assert str(mistakes(path)) == (
        "line.yaml:11:68: devices.press-2.tags.force.unit: 'Nm/s' is no unit;"
        " did you mean 'N' (newton) or 'Nm' (newton metre)?\n"
        "    11 |   press-2: {driver: plc, host: h, tags: {force: {holding: 0, unit: Nm/s}}}\n"
        "       |                                                                    ^\n"
        "1 error. Nothing was changed."
    )


def test_the_caret_stands_under_the_mistake_behind_wide_characters(write, mistakes):
    path = write('devices:\n  a: {driver: plc, host: "压装机", unit_id: x}\n')
    problem = mistakes(path).problems[0]
    assert (problem.line, problem.col) == (11, 42)
    source, caret = problem.snippet.split("\n")
    assert source == '    11 |   a: {driver: plc, host: "压装机", unit_id: x}'
    # three characters are two columns wide each
    assert caret.index("^") == source.index("x}") + 3


def test_a_very_long_line_is_cut_around_the_caret(write, mistakes):
    path = write("devices: {a: {driver: scanner, port: /" + "x" * 5000 + ", prot: 1}}\n")
    source, caret = mistakes(path).problems[0].snippet.split("\n")
    assert len(source) < 130
    assert source[caret.index("^") :] == "prot: 1}}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("devices: {a: {driver: scaner}}", "there is no driver 'scaner'; did you mean 'scanner'?"),
        ("devices: {a: {driver: x}}", "there is no driver 'x' (there are: scanner, plc)"),
        ("devices: {a: {port: /x}}", "'driver' is missing; there are: scanner, plc"),
        ("devices: {a: {drive: scanner, port: /x}}", "unknown key 'drive'; did you mean 'driver'?"),
        ("devices: {a: /dev/x}", "a group of 'key: value' is needed here (got '/dev/x')"),
        ("devices:\n  a:", "a group of 'key: value' is needed here (got nothing)"),
        ("devices: {a: {driver: scanner}}", "'port' is missing"),
        ("devices: {a: {driver: scanner, port: [1]}}", "a text is needed here (got a list)"),
        ("devices: {a: {driver: scanner, port: /x, baudrate: fast}}", "a whole number is needed here (got 'fast')"),
        ("devices: {a: {driver: scanner, port: /x, baudrate: true}}", "a whole number is needed here (got 'true')"),
        ("devices: {a: {driver: plc}}", "give either host (network) or port (serial line)"),
        ("devices: {a: {driver: plc, host: h, stopbits: 3}}", "has to be '1' or '2' (got '3')"),
        ("devices: {a: {driver: plc, host: h, unit_id: 300}}", "has to be at most 247 (got '300')"),
        ("destinations: {e: {sink: erp, url: u, verify: 1}}", "write true or false (got '1')"),
        ("destinations: {e: {sink: erp, url: u, verify: on}}", "write true or false (got 'on')"),
        ("destinations: {e: {sink: erp, url: u, wait_s: .nan}}", "has to be a finite number (got '.nan')"),
        ("destinations: {e: {sink: erp, url: u, wait_s: 1e999}}", "has to be a finite number (got '1e999')"),
        ("shifts: {s: {start: 25:00, end: 06:00}}", "a time is written 06:30 (got '25:00')"),
        ("shifts: {s: {start: 6, end: 06:00}}", "a time is written 06:30 (got '6')"),
        ("masters: {lots: [{material: M, lot: L, expiry: 86400}], materials: {M: {name: M}}}",
         "a date is written 2027-05-31 (got '86400')"),
        ("storage: {retention_days: 0}", "has to be at least 1 (got '0')"),
        ("strorage: {retention_days: 1}", "unknown key 'strorage'; did you mean 'storage'?"),
        ("web: []", "a group of 'key: value' is needed here (got a list)"),
        ("time: {max_error_s: 0}", "has to be more than 0 (got '0')"),
        ("devices: {a b: {driver: scanner, port: /x}}",
         "an id has 1 to 64 letters A-Z a-z, digits, '.', '_' or '-', and begins with a letter or digit (got 'a b')"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_a_sentence(write, mistakes, text, said):
    assert [problem.say.en for problem in mistakes(write(text)).problems] == [said]


STEP = "procedure: q\nrevision: 1\nsteps:\n  one: {step}\n"


@pytest.mark.parametrize(
    ("step", "where", "said"),
    [
        ("{laod: M}", "steps.one",
         "a step says one of: role, state, receive, load, scan, consume, measure, event, close; did you mean 'load'?"),
        ("{load: M, positon: p, per_unit: 1}", "steps.one.positon", "unknown key 'positon'; did you mean 'position'?"),
        ("{load: M, position: p, per_unit: two}", "steps.one.per_unit",
         "a number or 'bill' is needed here (got 'two')"),
        ("{consume: M, count: 0, per_scan: 1}", "steps.one.count", "has to be at least 1 (got '0')"),
        ("{scan: serail}", "steps.one.scan", "has to be 'serial' or 'lot' (got 'serail'); did you mean 'serial'?"),
        ("{receive: M}", "steps.one.receive", "a list or 'any' is needed here (got 'M')"),
        ("{measure: {f: {tag: d.t, within: {lo: 1}}}}", "steps.one.measure.f.within.lo",
         "unknown key 'lo'; did you mean 'low'?"),
        ("{measure: {f: {tag: d}}}", "steps.one.measure.f.tag",
         "a tag is written device.tag, e.g. press-2.force (got 'd')"),
        ("load", "steps.one", "a step says one of: role, state, receive, load, scan, consume, measure, event, close"),
    ],
)  # fmt: skip
def test_a_step_is_explained_by_its_kind(write, mistakes, step, where, said):
    write(STEP.replace("{step}", step), "q.yaml")
    path = write("include: q.yaml\ndevices: {d: {driver: plc, host: h, tags: {t: {holding: 1}}}}\n"
                 "masters: {materials: {M: {name: M}}}\n")  # fmt: skip
    told = [(problem.file, problem.path, problem.say.en) for problem in mistakes(path).problems]
    assert told == [("q.yaml", f"procedures.q.{where}", said)]


def test_a_key_that_is_misspelt_is_not_told_as_missing_too(write, mistakes):
    found = mistakes(write("devices: {a: {driver: scanner, prot: /dev/x}}\n"))
    assert [(problem.path, problem.say.en) for problem in found.problems] == [
        ("devices.a.prot", "unknown key 'prot'; did you mean 'port'?")
    ]


def test_a_package_that_is_not_installed_is_named(write):
    path = write("devices: {a: {driver: robot, port: /x}}\n")
    with pytest.raises(Mistakes) as caught:
        load(path, label="line.yaml", drivers={"robot": "tests.config.tables.robot"}, sinks={})
    assert [problem.say.en for problem in caught.value.problems] == [
        "'robot' needs the Python package 'no_such_robot', which is not installed on this PC"
    ]


def test_a_validators_own_sentence_is_told_in_both_languages(write, mistakes):
    problem = mistakes(write("devices: {a: {driver: plc}}\n")).problems[0]
    assert problem.say.en == "give either host (network) or port (serial line)"
    assert problem.say.zh == "请二选一：host（网络）或 port（串口）"
