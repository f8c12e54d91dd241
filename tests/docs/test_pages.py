"""The pages cannot lag behind: what there is, is in them, and what stands in them works."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from drivers import DRIVERS
from edge.cli import VERBS
from edge.config.loader import load
from edge.errors import ConfigError
from edge.files import shipped
from sync import SINKS
from tests.docs.options import in_page, options_of

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")])
SAMPLES = sorted(shipped("config").glob("samples/*.yaml"))

#: what a sample leaves to the line's file
HEAD = """\
lotline: 1
site: SZ1
area: assembly
line: L3
timezone: Asia/Shanghai
identity: https://id.example.com
"""
STATION = """\
stations: {ST1: {name: Receipt, procedure: receiving}}
procedures: {receiving: {revision: 1, steps: {operator: {role: operator}, goods: {receive: any}}}}
"""


def page(name: str) -> str:
    return (REPOSITORY / name).read_text("utf-8")


def tables(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("|")]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_stands_in_a_table(verb: str) -> None:
    rows = [row for path in PAGES for row in tables(path.read_text("utf-8"))]
    assert any(re.match(rf"\| `lotline {verb}\b", row) for row in rows)


@pytest.mark.parametrize(
    ("name", "module", "of"),
    [(name, module, "docs/drivers.md") for name, module in DRIVERS.items()]
    + [(name, module, "docs/destinations.md") for name, module in SINKS.items()],
)
class TestEveryDriverAndDestination:
    def test_stands_in_the_table_of_its_page(self, name: str, module: str, of: str) -> None:
        assert any(row.startswith(f"| [`{name}`](#{name}) |") for row in tables(page(of)))

    def test_has_every_option_there_with_its_default(self, name: str, module: str, of: str) -> None:
        written = {option: default for option, (default, _) in in_page(page(of), name).items()}
        assert written == {option.path: option.default for option in options_of(module)}

    def test_means_there_what_the_model_says(self, name: str, module: str, of: str) -> None:
        written = in_page(page(of), name)
        for option in options_of(module):
            _, meaning = written[option.path]
            assert meaning.startswith(option.meaning), option.path
            assert meaning, f"{option.path} has no meaning"

    def test_has_a_sample(self, name: str, module: str, of: str) -> None:
        assert f"{name}.yaml" in {path.name for path in SAMPLES}


def test_every_profile_stands_in_the_page() -> None:
    profiles = {path.stem for path in shipped("config").glob("profiles/*.yaml")}
    assert profiles <= set(re.findall(r"^\| `([\w-]+)` \|", page("docs/drivers.md"), re.MULTILINE))


def whole(text: str) -> str:
    """``text`` as a line's file: what it lacks of one is put in front."""
    sections = yaml.compose(text)
    given = {key.value for key, _ in sections.value} if sections else set()
    head = "" if "lotline" in given else HEAD
    return head + ("" if "stations" in given else STATION) + text


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_is_taken_by_check(sample: Path, tmp_path: Path) -> None:
    file = tmp_path / "line.yaml"
    file.write_text(whole(sample.read_text("utf-8")), "utf-8")
    loaded = load(file, drivers=DRIVERS, sinks=SINKS)
    assert loaded.devices or loaded.destinations


def blocks() -> Iterator[tuple[str, str]]:
    for path in PAGES:
        for number, text in enumerate(
            re.findall(r"^```yaml\n(.*?)^```$", path.read_text("utf-8"), re.DOTALL | re.MULTILINE), 1
        ):
            yield f"{path.name} {number}", text


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in blocks()])
def test_every_yaml_in_a_page_is_taken_by_check(text: str, tmp_path: Path) -> None:
    file = tmp_path / "line.yaml"
    file.write_text(whole(text), "utf-8")
    try:
        load(file, drivers=DRIVERS, sinks=SINKS)
    except ConfigError as exc:
        pytest.fail(str(exc))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        assert there.exists(), f"{path.name} links to {target}"
        if anchor:
            assert anchor in anchors(there.read_text("utf-8")), f"{path.name} links to {target}"


def anchors(text: str) -> set[str]:
    """As the usual renderers make them of headings."""
    headings = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_changelog_has_the_version_that_is_built() -> None:
    from edge import __version__

    assert f"\n## [{__version__}] - " in page("CHANGELOG.md")


@pytest.mark.parametrize(
    "name", ["lotline.service", "sysusers.d/lotline.conf", "tmpfiles.d/lotline.conf", "udev/62-lotline.rules"]
)
def test_what_the_installation_copies_is_shipped(name: str) -> None:
    assert (shipped("systemd") / name).is_file()
    folder, _, _ = name.rpartition("/")
    assert f"$SHIPPED/systemd/{folder or 'lotline.service'}" in page("docs/install.md")
