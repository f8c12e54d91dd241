"""What the daemon tells systemd: a real process, a real socket of ours in systemd's place, a disk that hangs or fails."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.line import BADGE, GOODS, WAIT_S, Line, running, until

pytestmark = pytest.mark.alone

#: systemd asks to be told within this; the daemon feeds at a third of it
WATCHDOG_S = 0.6
FED_EVERY_S = WATCHDOG_S / 3
SILENCE_S = 8 * FED_EVERY_S


class Systemd:
    """The other end of $NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6))}

    def told(self, within_s: float = WAIT_S) -> str:
        """The next message; "" for silence."""
        self.socket.settimeout(within_s)
        try:
            return self.socket.recv(4096).decode()
        except TimeoutError:
            return ""

    def until_told(self, line: str) -> None:
        while message := self.told():
            if line in message.splitlines():
                return
        raise AssertionError(f"never told {line}")

    def until_silent(self) -> None:
        """Nothing for many times as long as feeding would take. What was under way before is let through."""
        for _ in range(20):
            if not self.told(SILENCE_S):
                return
        raise AssertionError("still fed")

    def fill_queue(self) -> None:
        """As if other services had much to say, and systemd no time to listen."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as other:
            other.connect(self.socket.getsockname())
            with contextlib.suppress(BlockingIOError):
                while True:
                    other.send(b"STATUS=other")

    def nothing_so_far(self) -> bool:
        return not self.told(0.01)


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@lotline-test-{os.getpid()}"
    server = Systemd(address)
    yield server
    server.socket.close()


@pytest.fixture(scope="module")
def stall(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that makes fdatasync hang or fail."""
    library = tmp_path_factory.mktemp("stall") / "stall.so"
    source = Path(__file__).with_name("stall.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source], check=True)
    return library


class Disk:
    """Its fdatasync hangs or fails on demand."""

    def __init__(self, library: Path, flag: Path) -> None:
        self.environment = {"LD_PRELOAD": str(library), "STALL_FLAG": str(flag)}
        self._flag = flag
        self._hanging = flag.with_name(flag.name + ".hanging")

    def hang(self) -> None:
        self._flag.write_text("hang")

    def fail(self) -> None:
        self._flag.write_text("eio")

    def recover(self) -> None:
        self._flag.unlink()

    def until_hanging(self) -> None:
        for _ in until("a hanging fdatasync"):
            if self._hanging.exists():
                return


@pytest.fixture
def disk(stall: Path, tmp_path: Path) -> Disk:
    return Disk(stall, tmp_path / "stall")


def test_ready_is_said_once_the_page_answers_and_stopping_before_the_end(line: Line, systemd: Systemd) -> None:
    with running(line, **systemd.environment) as daemon:
        assert "READY=1" in systemd.told().splitlines()
        assert daemon.answers()
        for _ in range(5):
            assert systemd.told() == "WATCHDOG=1"
        daemon.process.terminate()
        systemd.until_told("STOPPING=1")
        assert daemon.process.wait(3) == 0  # the promise of `make run`: everything has stopped within 3 s


def test_ready_is_not_said_while_the_disk_hangs_at_the_start(line: Line, systemd: Systemd, disk: Disk) -> None:
    disk.hang()
    with running(line, **systemd.environment, **disk.environment) as daemon:
        disk.until_hanging()
        assert systemd.nothing_so_far()
        assert not daemon.answers()
        disk.recover()
        assert "READY=1" in systemd.told().splitlines()
        assert daemon.answers()


def test_a_writer_that_hangs_in_fdatasync_is_not_fed_for(line: Line, systemd: Systemd, disk: Disk) -> None:
    with running(line, **systemd.environment, **disk.environment):
        systemd.until_told("READY=1")
        disk.hang()
        line.scan(BADGE)
        disk.until_hanging()
        systemd.until_silent()
        disk.recover()  # before systemd lost its patience: the line goes on, and the scan is there
        systemd.until_told("WATCHDOG=1")
        line.until_recorded("scan", 1)


def test_a_storage_stop_that_is_named_is_fed_for(line: Line, systemd: Systemd, disk: Disk) -> None:
    with running(line, **systemd.environment, **disk.environment):
        systemd.until_told("READY=1")
        disk.fail()
        line.scan(BADGE)
        for _ in until("the storage stop"):
            if not (log := line.status()["log"])["ok"]:
                break
        assert log["reason"]["en"].startswith(f"The disk of {line.state}")
        while systemd.told(0.001):
            pass  # what was said until now
        for _ in range(5):
            assert systemd.told() == "WATCHDOG=1"
        disk.recover()
        for _ in until("the end of the storage stop"):
            if line.status()["log"]["ok"]:
                break
        line.scan(BADGE, GOODS)
        line.until_recorded("event", 1)


def test_a_systemd_that_does_not_listen_holds_nothing_up(line: Line, systemd: Systemd) -> None:
    with running(line, **systemd.environment) as daemon:
        systemd.until_told("READY=1")
        systemd.fill_queue()
        line.scan(BADGE, GOODS)
        line.until_recorded("event", 1)
        assert daemon.stop() == 0
