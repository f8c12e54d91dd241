"""``lotline demo``: what a newcomer starts first. It adds up, and Ctrl-C leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge import control
from tests.system.rig import eventually

pytestmark = pytest.mark.alone
STOP_S = 20.0  # the promise is 3; a busy machine gets more, and what it took is told


def _demo(state: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "edge", "demo", "--port", "0", "--state", str(state), "--lang", "en", *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def _family(state: Path) -> list[int]:
    """Process ids of everything that was started on ``state``."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue  # it ended while we looked
            if any(word.startswith(os.fsencode(state)) for word in words):
                found.append(int(folder.name))
    return found


def test_demo_adds_up(tmp_path: Path) -> None:
    demo = _demo(tmp_path / "demo", "--seconds", "15", "--json", "--pace", "0.3")
    out, words = demo.communicate(timeout=100)
    assert demo.returncode == 0, words
    counts = json.loads(out)
    assert list(counts) == [
        "sent", "scans", "accepted", "refused", "repeated", "bound", "delivered", "gathered", "parked", "pending", "readings",
    ]  # fmt: skip
    assert counts["sent"] == counts["scans"] == counts["accepted"] + counts["refused"] + counts["repeated"]
    assert counts["bound"] == counts["delivered"] + counts["gathered"] + counts["parked"] + counts["pending"]
    for name in ("sent", "accepted", "refused", "bound", "delivered", "gathered", "readings"):
        assert counts[name] > 0, name
    assert counts["parked"] == 0
    assert "The line is running. Page: http://127.0.0.1:" in words
    assert _family(tmp_path / "demo") == []


@pytest.mark.parametrize("how", ["ctrl_c", "sigint", "sigterm"])
async def test_ctrl_c_stops_the_demo_and_its_daemon(tmp_path: Path, how: str, measured: Callable[[str], None]) -> None:
    state = tmp_path / "demo"
    demo = _demo(state)
    try:
        await eventually(lambda: _scans(state) > 3, "the demo scans", 60)
        assert len(_family(state)) == 2
        began = time.monotonic()
        if how == "ctrl_c":
            os.killpg(demo.pid, signal.SIGINT)  # a terminal tells the demo and its daemon at once
        else:
            demo.send_signal(signal.SIGINT if how == "sigint" else signal.SIGTERM)
        out, words = demo.communicate(timeout=STOP_S)
        measured(f"everything stopped after {time.monotonic() - began:.2f} s")
        assert demo.returncode == 0, words
        assert _family(state) == []
        assert not (state / "line/control.sock").exists()
        assert not (state / "demo.sock").exists()
        assert "Traceback" not in out + words
    finally:
        demo.kill()
        demo.communicate()


def _scans(state: Path) -> int:
    try:
        kinds: dict[str, int] = control.ask(state / "line/control.sock", "status")["log"]["kinds"]
        return kinds.get("scan", 0)
    except control.NotRunning:
        return 0


async def test_demo_can_be_scanned_at_and_refuses_a_second_one(tmp_path: Path) -> None:
    state = tmp_path / "demo"
    demo = _demo(state, "--pace", "10")
    try:
        await eventually(lambda: _scans(state) > 0, "the demo scans", 60)
        scanned = _demo_verb(state, "scan", "strange")
        assert scanned.returncode == 0
        assert scanned.stdout == "Scanned a lot nobody announced: ]d2010950600013435210NOBODY\n"
        await eventually(lambda: _refused(state), "the scan is refused")
        unknown = _demo_verb(state, "scan", "nonsense")
        assert (unknown.returncode, unknown.stderr.split(";")[0]) == (1, "lotline demo: there is no 'nonsense' to scan")
        second = _demo_verb(state)
        assert (second.returncode, second.stderr) == (
            1,
            "lotline demo: a demo is already running here. Stop it with Ctrl-C, or use --state with another folder.\n",
        )
        assert _scans(state) > 0
    finally:
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=10)
    assert demo.returncode == 0
    assert _family(state) == []


def _demo_verb(state: Path, *words: str) -> subprocess.CompletedProcess[str]:
    verb = _demo(state, *words)
    out, err = verb.communicate(timeout=30)
    return subprocess.CompletedProcess(verb.args, verb.returncode, out, err)


def _refused(state: Path) -> bool:
    status = control.ask(state / "line/control.sock", "status")
    return any(view["verdict"] and view["verdict"]["kind"] in ("refused", "cannot_know") for view in status["stations"])
