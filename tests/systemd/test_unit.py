"""The unit file: systemd accepts it, it is as closed as we say, and the daemon can live in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge.files import shipped
from tests.cli.line import BADGE, GOODS, Line, running

EXPOSURE_MAX = 2.0
UNIT = shipped("systemd") / "lotline.service"
PROGRAM = "/opt/lotline/bin/lotline"

analyze = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(analyze is None, reason="systemd-analyze is not installed")


def systemd_analyze(*words: str | Path) -> str:
    assert analyze is not None
    ran = subprocess.run([analyze, *words], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit as shipped, with a program that is there: systemd looks."""
    text = UNIT.read_text("utf-8")
    assert text.count(PROGRAM) == 1
    path = tmp_path / "lotline.service"
    path.write_text(text.replace(PROGRAM, sys.executable), "utf-8")
    return path


def settings() -> dict[str, list[str]]:
    """Every setting of [Service], all its lines."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in UNIT.read_text("utf-8").splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found.setdefault(name, []).append(value)
    return found


@needs_systemd
def test_systemd_accepts_the_unit_without_a_word(unit: Path) -> None:
    assert systemd_analyze("verify", unit) == ""


@needs_systemd
def test_the_exposure_is_two_at_most(unit: Path) -> None:
    said = systemd_analyze("security", "--offline=true", "--no-pager", unit)
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert level is not None, said
    assert float(level[1]) <= EXPOSURE_MAX, said


def test_the_unit_has_every_device_class_that_a_driver_opens() -> None:
    allowed = {value.split()[0] for value in settings()["DeviceAllow"]}
    assert {
        "char-ttyS",
        "char-ttyUSB",
        "char-ttyACM",
        "char-ttyAMA",
        "char-hidraw",
        "char-input",
        "char-usb",
    } <= allowed
    assert settings()["DevicePolicy"] == ["closed"]


def test_a_refused_file_is_not_started_again_and_everything_else_is() -> None:
    service = settings()
    assert service["RestartPreventExitStatus"] == ["78"]  # edge.cli.EX_CONFIG
    assert service["Restart"] == ["on-failure"]
    assert "StartLimitIntervalSec=0" in UNIT.read_text("utf-8")


def test_the_watchdog_leaves_the_writer_its_ten_seconds() -> None:
    from edge.notify import ANSWER_S

    watchdog_s = float(settings()["WatchdogSec"][0])
    assert watchdog_s / 3 + ANSWER_S < watchdog_s, "an answer just in time must still be fed in time"


def test_the_clock_may_be_read() -> None:
    """ProtectClock= and a filter without adjtimex would make every record say 'not synchronised', and stop retention."""
    assert "ProtectClock" not in settings()
    assert settings()["SystemCallFilter"][-1] == "adjtimex clock_adjtime"
    assert settings().get("ProcSubset", ["all"]) == ["all"], "edge.clock reads /proc/sys/kernel/random/boot_id"


@needs_systemd
@pytest.mark.alone
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_the_daemon_makes_no_call_that_the_unit_forbids(line: Line, tmp_path: Path) -> None:
    """Start, a badge, a delivery, a verb, a page, a stop: every system call is in the filter and no memory is W and X."""
    trace = tmp_path / "trace"
    strace = ("strace", "-f", "-qq", "-o", str(trace))
    with running(line, before=strace) as daemon:
        daemon.until_answering()
        line.scan(BADGE, GOODS)
        line.until_recorded("receipt", 1)
        pid = int(trace.read_text("utf-8", "replace").split(maxsplit=1)[0])
        subprocess.run(["kill", "-TERM", str(pid)], check=True)
        assert daemon.process.wait(60) == 0
    made = trace.read_text("utf-8", "replace")
    calls = set(re.findall(r"^\d+ +(\w+)\(", made, re.MULTILINE))
    assert {"fdatasync", "clock_adjtime", "sendto", "socket"} <= calls, "the trace is not that of the daemon"
    as_root = {"fchown"} if os.geteuid() == 0 else set()  # SQLite's, and only for root; the unit's user is not
    assert calls - allowed_calls() == as_root & calls
    assert re.findall(r"mprotect\(.*PROT_EXEC.*", made) == []
    assert re.findall(r"mmap\(.*PROT_WRITE\|PROT_EXEC.*", made) == []
    families = set(re.findall(r"socket(?:pair)?\((AF_\w+)", made))
    assert families <= set(settings()["RestrictAddressFamilies"][0].split()) | {"AF_NETLINK"}


def allowed_calls() -> set[str]:
    """SystemCallFilter= as systemd reads it: the first line allows, ~ takes away, later lines add."""
    allowed: set[str] = set()
    for value in settings()["SystemCallFilter"]:
        names = value.removeprefix("~").split()
        calls = set().union(*(expanded(name) for name in names))
        allowed = allowed - calls if value.startswith("~") else allowed | calls
    return allowed | expanded("@default")  # always there (systemd.exec(5))


def expanded(name: str) -> set[str]:
    if not name.startswith("@"):
        return {name}
    lines = systemd_analyze("syscall-filter", name).splitlines()
    members = {line.strip() for line in lines[1:] if line.strip() and not line.strip().startswith("#")}
    return set().union(*(expanded(member) for member in members))
