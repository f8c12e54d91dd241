"""What a site shares: files that are included, and errors that name the right one."""

from edge.config.loader import load
from tests.config import FILES, TABLES


def told(mistakes, path):
    return [(problem.file, problem.line, problem.path, problem.say.en) for problem in mistakes(path).problems]


def test_things_from_several_files_are_one_line(loaded, right):
    line = loaded(right)
    assert list(line.site.procedures) == ["press-bearing"]
    assert list(line.site.masters.materials) == ["PUMP-100", "BRG-6204", "SHAFT-9"]
    assert [file.path.name for file in line.files] == ["right.yaml", "press-bearing.yaml", "masters.yaml"]
    assert line.files[0].text == (FILES / "right.yaml").read_text("utf-8")
    assert "include" not in line.effective


def test_a_mistake_names_the_file_it_stands_in_and_paths_are_relative_to_the_including_one(write, tmp_path, mistakes):
    (tmp_path / "site").mkdir()
    write("include: inner.yaml\nformats: {f: {pattern: x}}\n", "site/shared.yaml")
    write("shifts: {s: {start: 6, end: 06:00}}\n", "site/inner.yaml")
    assert told(mistakes, write("include: [site/shared.yaml]\n")) == [
        ("site/shared.yaml", 2, "formats.f.pattern", "a format needs at least one named group such as (?P<lot>…)"),
        ("site/inner.yaml", 1, "shifts.s.start", "a time is written 06:30 (got '6')"),
    ]


def test_a_thing_defined_in_two_files_shows_both_places(write, mistakes):
    write("devices: {a: {driver: scanner, port: /b}}\nsite: T\n", "more.yaml")
    found = mistakes(write("include: more.yaml\ndevices: {a: {driver: scanner, port: /a}}\n"))
    assert str(found) == (
        "line.yaml:2:1: site: 'site' is defined here and a second time in more.yaml:2:1\n"
        "     2 | site: S\n       | ^\n     2 | site: T\n       | ^\n"
        "line.yaml:11:11: devices.a: 'a' is defined here and a second time in more.yaml:1:11\n"
        "    11 | devices: {a: {driver: scanner, port: /a}}\n       |           ^\n"
        "     1 | devices: {a: {driver: scanner, port: /b}}\n       |           ^\n"
        "2 errors. Nothing was changed."
    )


def test_lists_of_lots_are_put_together(write, loaded):
    write("masters: {lots: [{material: M, lot: B}]}\n", "more.yaml")
    path = write("include: more.yaml\nmasters: {lots: [{material: M, lot: A}], materials: {M: {name: M}}}\n")
    assert [lot.lot for lot in loaded(path).site.masters.lots] == ["A", "B"]


def test_a_loop_is_refused(write, mistakes):
    write("include: b.yaml\n", "a.yaml")
    write("include: a.yaml\n", "b.yaml")
    assert told(mistakes, write("include: a.yaml\n")) == [
        ("b.yaml", 1, "include", "'a.yaml' includes itself: a.yaml → b.yaml → a.yaml")
    ]
    assert told(mistakes, write("include: line.yaml\n")) == [
        ("line.yaml", 10, "include", "'line.yaml' includes itself: line.yaml → line.yaml")
    ]


def test_files_that_include_one_another_without_end_are_refused(write, mistakes):
    for number in range(30):
        write(f"include: f{number + 1}.yaml\n", f"f{number}.yaml")
    assert told(mistakes, write("include: f0.yaml\n")) == [
        ("f18.yaml", 1, "include", "more than 20 files include one another in a row")
    ]


def test_a_file_included_twice_is_told_once(write, mistakes):
    write("shifts: {}\n", "a.yaml")
    assert told(mistakes, write("include: [a.yaml, ./a.yaml]\n")) == [
        ("line.yaml", 10, "include", "'./a.yaml' is included here and in line.yaml:10:11")
    ]


def test_an_included_file_that_is_not_there_is_told_where_it_is_included(write, mistakes):
    write("shifts: {}\n", "masters.yaml")
    found = mistakes(write("include: [mastres.yaml]\nstroage: {}\n"))
    assert str(found) == (
        "line.yaml:10:11: include: there is no file 'mastres.yaml'; did you mean 'masters.yaml'?\n"
        "    10 | include: [mastres.yaml]\n       |           ^\n"
        "The rest of the file is checked once this can be read.\n1 error. Nothing was changed."
    )


def test_include_takes_names_only(write, mistakes):
    assert told(mistakes, write("include: [5, {a: b}]\n")) == [
        ("line.yaml", 10, "include", "include takes a file name or a list of file names"),
        ("line.yaml", 10, "include", "include takes a file name or a list of file names"),
    ]


def test_mistakes_of_all_unreadable_files_are_told_together(write, mistakes):
    write("a: 'x\n", "a.yaml")
    write("", "b.yaml")
    assert [name for name, *_ in told(mistakes, write("include: [a.yaml, b.yaml]\n"))] == ["a.yaml", "b.yaml"]


def test_a_procedure_is_called_by_its_key_and_may_not_be_called_otherwise(write, mistakes, loaded):
    assert loaded(write("")).site.procedures["p"].procedure == "p"
    path = write("")
    path.write_text(path.read_text().replace("{revision", "{procedure: q, revision"))
    assert told(mistakes, path) == [("line.yaml", 8, "procedures.p.procedure", "is called 'q', but stands under 'p'")]


def test_the_fingerprint_is_of_the_meaning_not_of_the_files(write, tmp_path):
    one = load(write("web: {port: 1}\nshifts: {}\n"), **TABLES)
    write("shifts: {}\n", "more.yaml")
    other = load(write("# a remark\ninclude: more.yaml\nweb: {port:   1}\n"), **TABLES)
    changed = load(write("web: {port: 2}\nshifts: {}\n"), **TABLES)
    assert one.fingerprint == other.fingerprint != changed.fingerprint
    assert len(one.fingerprint) == 64
