"""A small real line: one network scanner that calls, one station, one spool. And its daemon, as a technician starts it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

REPOSITORY = Path(__file__).resolve().parents[2]
LOTLINE = (sys.executable, "-m", "edge")
WAIT_S = 60.0  # nothing here takes a tenth of it; a machine under load may

TEXT = """\
lotline: 1
site: SZ1
area: assembly
line: L3
timezone: Asia/Shanghai
identity: https://id.example.com
web: {{port: {page}}}
storage: {{reserve_mb: 1}}
devices:
  dock-1: {{driver: tcp_scanner, mode: listen, host: 127.0.0.1, port: {scanner}, allow: [127.0.0.1]}}
formats:
  badge: {{pattern: 'BDG:(?P<badge>[A-Za-z0-9-]+)'}}
stations:
  ST05:
    name: {{en: Goods receipt, zh: 收货}}
    scanners: [dock-1]
    procedure: receiving
procedures:
  receiving:
    revision: 1
    steps:
      operator: {{role: operator}}
      goods: {{receive: any, needs: [lot, quantity, expiry], quantity: 500}}
masters:
  version: '1'
  materials:
    BRG-6204: {{name: {{en: Bearing 6204, zh: 轴承 6204}}, gtin: '09506000134352', tracking: lot}}
  people:
    op-17: {{badge: '17', name: Li Wei, roles: [operator]}}
destinations:
  archive: {{sink: spool, directory: {spool}}}
"""
BADGE = b"BDG:17\r"
GOODS = b"]d201095060001343521727053110L77\r"


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Line:
    """The files of one line under ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "line.yaml"
        self.state = folder / "state"
        self.spool = folder / "spool"
        self.page = free_port()
        self.scanner = free_port()
        self.spool.mkdir()
        self.write()

    def write(self) -> None:
        """The good file."""
        self.file.write_text(TEXT.format(page=self.page, scanner=self.scanner, spool=self.spool), encoding="utf-8")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.page}"

    def verb(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """``lotline …`` to its end."""
        return lotline(*words, **environment)

    def status(self) -> Any:
        """What ``lotline status --json`` prints."""
        found = self.verb("status", "--json", "--state", str(self.state))
        assert found.returncode == 0, found.stderr
        return json.loads(found.stdout)

    def scan(self, *codes: bytes) -> None:
        """As the reader does: call, send, hang up."""
        for _ in until("the scanner's door"):
            try:
                connection = socket.create_connection(("127.0.0.1", self.scanner), timeout=5)
            except ConnectionRefusedError:
                continue
            with connection:
                connection.sendall(b"".join(codes))
                connection.shutdown(socket.SHUT_WR)
            return

    def until_recorded(self, kind: str, count: int) -> None:
        for _ in until(f"{count} records of kind {kind}"):
            if self.status()["log"]["kinds"].get(kind, 0) >= count:
                return


def lotline(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One verb, to its end, in English unless ``environment`` or the words say otherwise."""
    return subprocess.run(
        [*LOTLINE, *words],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        cwd=REPOSITORY,
        env=environment_of(environment),
        check=False,
    )


def environment_of(extra: Mapping[str, str]) -> dict[str, str]:
    """Ours, without what would change what verbs say or where they look."""
    dropped = {"LC_ALL", "LC_MESSAGES", "LANG", "LOTLINE_STATE", "STATE_DIRECTORY", "NOTIFY_SOCKET", "WATCHDOG_USEC"}
    return {name: value for name, value in os.environ.items() if name not in dropped} | {"LANG": "C.UTF-8", **extra}


def until(what: str) -> Iterator[float]:
    """Try again, for WAIT_S at most."""
    end = time.monotonic() + WAIT_S
    while (now := time.monotonic()) < end:
        yield now
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {WAIT_S:g} s")


class Daemon:
    """A running ``lotline run``; what it printed is in ``said()`` and ``warned()``."""

    def __init__(self, process: subprocess.Popen[bytes], line: Line, out: Path) -> None:
        self.process = process
        self.line = line
        self._out = out

    def said(self) -> str:
        return (self._out / "stdout").read_text("utf-8")

    def warned(self) -> str:
        return (self._out / "stderr").read_text("utf-8")

    def until_answering(self) -> None:
        """The page says 200."""
        for _ in until("the page"):
            assert self.process.poll() is None, self.warned()
            if self.answers():
                return

    def answers(self) -> bool:
        try:
            with urlopen(f"{self.line.address}/s/ST05", timeout=10) as page:
                return bool(page.status == 200)
        except ConnectionRefusedError:
            return False
        except OSError as exc:
            if isinstance(getattr(exc, "reason", None), ConnectionRefusedError):
                return False
            raise

    def stop(self) -> int:
        """SIGTERM, and the status it exits with."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WAIT_S)


@contextmanager
def running(line: Line, *words: str, before: tuple[str, ...] = (), **environment: str) -> Iterator[Daemon]:
    """The daemon of ``line``; killed at the end if it still runs."""
    folder = line.file.parent
    command = [*before, *LOTLINE, "run", str(line.file), "--state", str(line.state), *words]
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, cwd=REPOSITORY, env=environment_of(environment))
        try:
            yield Daemon(process, line, folder)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(WAIT_S)
