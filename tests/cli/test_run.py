"""``lotline run`` with a file that has mistakes: a running line never stops for one, and nobody can overlook it."""

from __future__ import annotations

import pytest

from edge.wording import Words
from tests.cli.line import Line, running

pytestmark = pytest.mark.alone

REFUSED = Words(
    "THE FILE HAS ERRORS AND WAS NOT APPLIED. The line runs with the last configuration that was good.",
    "配置文件有错误，未被采用！产线正使用上一次正确的配置运行。",
)
RUNNING = Words("The line is running. Page: {address}", "产线已运行。页面：{address}")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_where_nothing_ever_ran_it_is_refused_with_78(line: Line, language: str) -> None:
    line.file.write_text(line.file.read_text("utf-8").replace("tcp_scanner", "tcp_scaner"), "utf-8")
    ran = line.verb("run", str(line.file), "--state", str(line.state), "--lang", language)
    checked = line.verb("check", str(line.file), "--lang", language)
    assert (ran.returncode, ran.stdout) == (78, "")
    assert ran.stderr == checked.stdout, "run and check say the same"
    assert "'tcp_scanner'" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("language", ["en", "zh"])
def test_otherwise_the_last_good_one_runs_and_says_so_loudly(line: Line, language: str) -> None:
    with running(line) as daemon:
        daemon.until_answering()
        assert daemon.stop() == 0
    line.file.write_text("lotline: 2\n", "utf-8")
    with running(line, "--lang", language) as daemon:
        daemon.until_answering()
        assert RUNNING.fill({"address": line.address}).to(language) in daemon.said()
        assert REFUSED.to(language) in daemon.warned()
        assert f"{line.file}:1:" in daemon.warned(), "and what is wrong with it, where"
        status = line.verb("status", "--state", str(line.state), "--lang", language)
        assert status.returncode == 0
        assert status.stdout.splitlines()[0] == REFUSED.to(language)
        assert line.status()["note"] == {"en": REFUSED.en, "zh": REFUSED.zh}
        assert daemon.stop() == 0
    line.write()
    with running(line) as daemon:
        daemon.until_answering()
        assert daemon.warned() == ""
        assert line.status()["note"] is None


def test_a_file_that_is_not_there_is_one_sentence(line: Line) -> None:
    ran = line.verb("run", str(line.file.with_name("absent.yaml")), "--state", str(line.state))
    assert ran.returncode == 78
    assert ran.stderr.count("\n") <= 3
    assert "absent.yaml" in ran.stderr
    assert "Traceback" not in ran.stderr
