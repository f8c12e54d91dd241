"""The bench runs: every row, in small, gives numbers. How large they are is for ``make bench`` and a reader, never for a test."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from edge.bench import ROWS
from edge.bench.machine import describe
from edge.bench.result import Figure, at_least, at_most, exactly, head, lines
from edge.wording import Words

#: figures of a row that stand beside a promise of the speed table
PROMISED = {"commit": 2, "scan": 1, "producers": 2, "readings": 4, "backlog": 3, "drain": 1, "start": 1, "memory": 1}


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge", "bench", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.alone
@pytest.mark.parametrize("row", ROWS)
def test_every_row_gives_finite_numbers_and_leaves_nothing(row: str, tmp_path: Path) -> None:
    done = bench(row, "--quick", "--json", "--state", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (figures,) = json.loads(done.stdout)["rows"].values()
    promised = [figure for figure in figures if figure["target"] is not None]
    assert len(promised) == PROMISED[row]
    for figure in figures:
        assert all(math.isfinite(sample) and sample >= 0 for sample in figure["samples"])
        assert figure["samples"] or "strace" in figure["note"], figure["what"]
    assert list(tmp_path.iterdir()) == []


def test_the_table_names_rows_measures_and_verdicts() -> None:
    figure = Figure(what=Words("commit, p50", "提交，p50"), unit="F", samples=(1.0, 1.3, 1.1), target=at_most(1.2))
    assert lines("commit", [figure], "en") == [
        "| commit | commit, p50 | **1.10** F | ≤ 1.20 F | pass | 3: 1 … 1.30 |  |"
    ]
    assert lines("commit", [figure], "zh")[0].startswith("| commit | 提交，p50 |")
    assert (
        len(head("en")[0].split("|"))
        == len(head("zh")[0].split("|"))
        == len(lines("commit", [figure], "en")[0].split("|"))
    )


@pytest.mark.parametrize(
    ("target", "samples", "verdict"),
    [
        (at_most(2), (1.0, 2.0, 9.0), "pass"),
        (at_most(2), (1.0, 2.1, 9.0), "MISS"),
        (at_least(10), (9.9,), "MISS"),
        (exactly(1), (1.0,), "pass"),
        (exactly(1), (1.01,), "MISS"),
        (at_most(2), (), "–"),
        (None, (1.0,), "–"),
    ],
)
def test_a_figure_is_judged_by_its_median(target, samples, verdict) -> None:
    assert Figure(what=Words("", ""), unit="", samples=samples, target=target).verdict == verdict


def test_the_machine_is_named_in_words_only(tmp_path: Path) -> None:
    words = str(describe(tmp_path))
    assert str(tmp_path) not in words and "/" not in words
    assert Path("/proc/sys/kernel/hostname").read_text().strip() not in words
    assert "cores of" in words and "Linux" in words and "Python" in words


def test_a_row_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = bench("comit", "--state", str(tmp_path), "--lang", "en")
    assert done.returncode == 1
    assert done.stderr.startswith("lotline bench: there is no row 'comit'; there is: commit, scan, producers, ")
