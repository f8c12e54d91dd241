"""An installed Lotline is complete: built as a wheel, put somewhere else, run from there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.cli.line import REPOSITORY, WAIT_S, environment_of

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--no-input")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built offline, by the build backend that is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    words = ["wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(REPOSITORY)]
    ran = subprocess.run([*PIP, *words], capture_output=True, text=True, timeout=110, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with nothing but what the wheel holds."""
    target = tmp_path_factory.mktemp("installed")
    ran = subprocess.run(
        [*PIP, "install", "--no-index", "--no-deps", "--target", str(target), str(wheel)],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return target


def run_there(installed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """``lotline`` of the wheel; only its dependencies come from here."""
    return subprocess.run(
        [sys.executable, "-P", str(installed / "bin/lotline"), *words],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        cwd=installed,
        env=environment_of({"PYTHONPATH": str(installed)}),
        check=False,
    )


def shipped_in(tree: str) -> set[str]:
    """The files of git's own list under ``tree``; what is not committed is not shipped."""
    ran = subprocess.run(["git", "ls-files", "-z", tree], capture_output=True, text=True, cwd=REPOSITORY, check=False)
    if ran.returncode:
        pytest.skip(f"this is no git checkout: {ran.stderr.strip()}")
    return {name for name in ran.stdout.split("\0") if name and (REPOSITORY / name).exists()}


@pytest.mark.parametrize("tree", ["config", "systemd"])
def test_what_technicians_copy_and_systemd_reads_travels_along(wheel: Path, tree: str) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {f"edge/_shipped/{name}" for name in shipped_in(tree)}
    assert expected
    assert expected - names == set()


@pytest.mark.parametrize("tree", ["edge", "drivers", "sync"])
def test_every_file_of_the_packages_travels_along(wheel: Path, tree: str) -> None:
    """Templates, styles and scripts of the pages are files like the others."""
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = shipped_in(tree)
    assert any(not name.endswith(".py") for name in expected) or tree != "edge"
    assert expected - names == set()


def test_nothing_else_travels_along(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"edge", "drivers", "sync"}


def test_the_installed_lotline_is_the_one_that_runs(installed: Path) -> None:
    code = "import edge, drivers, sync; print(edge.__file__, drivers.__file__, sync.__file__)"
    ran = subprocess.run(
        [sys.executable, "-P", "-c", code],
        capture_output=True,
        text=True,
        cwd=installed,
        env=environment_of({"PYTHONPATH": str(installed)}),
        check=True,
    )
    assert all(name.startswith(f"{installed}{os.sep}") for name in ran.stdout.split())


def test_the_installed_lotline_checks_its_own_example(installed: Path) -> None:
    example = installed / "edge/_shipped/config/examples/press-line.yaml"
    ran = run_there(installed, "check", str(example))
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    assert ran.stdout.startswith(f"{example}: no errors.")


def test_the_installed_lotline_prints_its_schema(installed: Path) -> None:
    ran = run_there(installed, "schema")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_installed_lotline_finds_its_unit(installed: Path) -> None:
    code = "from edge.files import shipped; print(shipped('systemd') / 'lotline.service')"
    ran = subprocess.run(
        [sys.executable, "-P", "-c", code],
        capture_output=True,
        text=True,
        cwd=installed,
        env=environment_of({"PYTHONPATH": str(installed)}),
        check=True,
    )
    assert Path(ran.stdout.strip()).is_relative_to(installed)
    assert Path(ran.stdout.strip()).read_text("utf-8").startswith("# The daemon of one line PC.")
