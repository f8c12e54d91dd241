"""The whole daemon as a process of its own, and everything that stands around it: its file, its scanners, its disk.

Nothing of the daemon runs in the test's process. What is true is read from three places only: what the scanner heard, what the
control socket answers, and what stands in the log on disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from edge import control
from edge.config.secrets import SecretName
from edge.errors import LotlineError
from edge.log import LogReader
from edge.model import Kind
from edge.simulate.scanner import PtyScanner

GOOD: Final = b"\x06"
BAD: Final = b"\x15"
GS: Final = "\x1d"
BEARING: Final = "09506000134352"
SHAFT: Final = "09506000134369"
GREASE: Final = "09506000134376"
PUMP: Final = "09506000134383"
LOT_SIZE: Final = 100_000
KEY: Final = "a key that no file may hold"
PEOPLE: Final = {
    "op-17": {
        "badge": "Q7ZX1717",
        "name": "Li Wei 李伟",
        "roles": ["operator"],
        "training": ["press"],
    },
    "op-23": {"badge": "Q7ZX2323", "name": "Anna Berg", "roles": ["operator"]},
}
BADGE, OTHER_BADGE = "BDG:Q7ZX1717", "BDG:Q7ZX2323"
START_S: Final = 60.0  # a start takes a second; eight of them on two cores take longer
ANSWER_S: Final = 30.0
LOOK_S: Final = 0.01


def bearing(lot: str) -> str:
    """The label of a lot of bearings."""
    return f"]d201{BEARING}10{lot}"


def shaft(serial: str) -> str:
    return f"]d201{SHAFT}21{serial}"


def pump(serial: str) -> str:
    return f"]d201{PUMP}21{serial}"


async def eventually(true: Callable[[], Awaitable[Any] | Any], what: str, seconds: float = ANSWER_S) -> Any:
    """What ``true()`` gave once it was true; waits, bounded."""
    last: Any = None
    try:
        async with asyncio.timeout(seconds):
            while True:
                last = true()
                if isinstance(last, Awaitable):
                    last = await last
                if last:
                    return last
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        raise AssertionError(f"{what}: not within {seconds:g} s") from None


# --- the line's file ---------------------------------------------------------------------------------------------------


def document(folder: Path, **changes: Any) -> dict[str, Any]:
    """One station ST10, one hand scanner on a pty, no machine, no destination. ``changes`` replace whole top-level keys."""
    today = datetime.now(UTC).date()
    later = (today + timedelta(days=180)).isoformat()
    return {
        "lotline": 1,
        "site": "SZ1",
        "area": "assembly",
        "line": "L3",
        "timezone": "Asia/Shanghai",
        "identity": "https://id.example.com",
        "web": {"port": 0},
        "storage": {"reserve_mb": 64},
        "devices": {"hand-1": hand(folder / "hand-1")},
        "formats": {
            "badge": {"pattern": "BDG:(?P<badge>[A-Za-z0-9-]+)"},
            "order": {"pattern": "(?P<order>WO-[0-9]+)"},
        },
        "stations": {
            "ST10": {
                "name": {"en": "Press bearing", "zh": "压装轴承"},
                "scanners": ["hand-1"],
                "procedure": "assemble",
                "repeat_s": 0.02,  # a test scans faster than any trigger bounces
            }
        },
        "procedures": {"assemble": assemble()},
        "masters": {
            "version": "2026-11-22",
            "materials": {
                "BRG-6204": {
                    "name": {"en": "Bearing 6204", "zh": "轴承 6204"}, "gtin": BEARING, "tracking": "lot",
                    "label": ["gtin", "lot", "expiry"],
                },
                "SHAFT-9": {"name": {"en": "Shaft 9", "zh": "轴 9"}, "gtin": SHAFT, "tracking": "serial"},
                "GREASE-1": {"name": {"en": "Grease", "zh": "油脂"}, "gtin": GREASE, "unit": "g", "tracking": "lot"},
                "PUMP-100": {"name": {"en": "Pump 100", "zh": "水泵 100"}, "gtin": PUMP, "tracking": "serial"},
            },
            "bills": {"PUMP-100": {"revision": "3", "needs": {"BRG-6204": 2, "SHAFT-9": 1}}},
            "work_orders": {"WO-1001": {"material": "PUMP-100", "quantity": 1_000_000}},
            "lots": [{"material": "BRG-6204", "lot": lot, "expiry": later, "quantity": LOT_SIZE} for lot in ("L77", "L78")],
            "people": PEOPLE,
        },
        "destinations": {},
    } | changes  # fmt: skip


def hand(path: Path, **changes: Any) -> dict[str, Any]:
    """A scanner on a pty that beeps with one byte."""
    return {"driver": "serial_scanner", "port": str(path), "feedback": {"good": "\x06", "bad": "\x15"}} | changes


def on_network(port: int, **changes: Any) -> dict[str, Any]:
    """A reader on the network that beeps with one byte."""
    beeps = {"good": "\x06", "bad": "\x15"}
    return {"driver": "tcp_scanner", "host": "127.0.0.1", "port": port, "feedback": beeps} | changes


def assemble(**steps: Any) -> dict[str, Any]:
    """Badge, order, lot at tray-1, shaft, ``steps``, unit; complete with the unit's own number."""
    return {
        "procedure": "assemble",
        "revision": 4,
        "makes": {"material": "PUMP-100", "as": "serial"},
        "steps": {
            "operator": {"role": "operator", "training": "press"},
            "work_order": {"state": "running"},
            "bearings": {"load": "BRG-6204", "position": "tray-1", "per_unit": "bill"},
            "shaft": {"consume": "SHAFT-9", "identify": "serial"},
            **steps,
            "unit": {"scan": "serial"},
            "done": {"event": "assembling"},
            "close": {"close": "order", "when": "quantity"},
        },
    }


RECEIVING: Final = {
    "procedure": "receiving",
    "revision": 1,
    "steps": {
        "operator": {"role": "operator"},
        "goods": {"receive": "any", "needs": ["lot", "quantity", "expiry"], "collect_s": 1},
    },
}


def to_http(url: str, **changes: Any) -> dict[str, Any]:
    """A destination that is posted to with the rig's key."""
    return {"erp": {"sink": "http", "url": url, "key": SecretName("erp-key"), "timeout_s": 3} | changes}


def write(folder: Path, line: Mapping[str, Any], name: str = "line.yaml") -> Path:
    """The line's file."""
    path = folder / name
    path.write_text(yaml.dump(line, Dumper=_Dumper, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


class _Dumper(yaml.SafeDumper):
    """Writes a secret as the name it is."""


_Dumper.add_representer(SecretName, lambda dumper, value: dumper.represent_scalar("!secret", str(value)))


# --- the daemon ----------------------------------------------------------------------------------------------------------


class Daemon:
    """One state directory and the process on it; started again it goes on with the same state."""

    def __init__(self, file: Path, state: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self.file = file
        self.state = state
        self.said = file.parent / f"{state.name}.said"  #: stdout and stderr of every life
        self.environment = {**os.environ, "LOTLINE_SECRET_ERP_KEY": KEY, "LANG": "C.UTF-8", **(environment or {})}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> int:
        """The process id of a new life; ``ready`` waits until it answers."""
        assert self.process is None, "the daemon runs already"
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edge", "run", str(self.file), "--state", str(self.state)],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            )  # fmt: skip
        return self.process.pid

    async def ready(self) -> dict[str, Any]:
        """The first status in which the pages answer."""

        async def answers() -> dict[str, Any] | None:
            assert self.process is not None and self.process.poll() is None, self.words()
            with contextlib.suppress(LotlineError):
                status = await self.ask("status")
                return status if status["address"] else None
            return None

        return await eventually(answers, f"the daemon answers; it said {self.words()}", START_S)

    def kill(self) -> None:
        """SIGKILL, and the body."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    async def stop(self, seconds: float = 10.0) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        status = await self.ended(seconds)
        self.process = None
        return status

    async def ended(self, seconds: float = START_S) -> int:
        """The exit status of a process that ends by itself."""
        process = self.process
        assert process is not None
        await eventually(lambda: process.poll() is not None, "the daemon ends", seconds)
        return process.wait()

    def words(self) -> str:
        """Everything it has printed."""
        return self.said.read_text(encoding="utf-8", errors="replace") if self.said.exists() else ""

    async def ask(self, verb: str, **fields: object) -> Any:
        return await asyncio.to_thread(control.ask, self.state / "control.sock", verb, **fields)

    async def view(self, station: str = "ST10") -> dict[str, Any]:
        """What the page of ``station`` shows."""
        status = await self.ask("status")
        return next(view for view in status["stations"] if view["station"] == station)

    async def sync(self) -> dict[str, Any]:
        """The only destination."""
        (courier,) = await self.ask("sync.status")
        return courier

    async def delivered(self, seconds: float = ANSWER_S) -> dict[str, Any]:
        """The only destination, once nothing waits there."""

        async def empty() -> dict[str, Any] | None:
            courier = await self.sync()
            return courier if not courier["waiting"] else None

        return await eventually(empty, "everything is delivered", seconds)

    def verb(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another ``lotline`` on the same state, as a technician types it."""
        return subprocess.run(
            [sys.executable, "-m", "edge", *words, "--state", str(self.state), "--lang", "en"],
            env=self.environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def rss_kb(self) -> int:
        """Resident memory of the process, in kB (proc(5))."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1])


@contextlib.asynccontextmanager
async def running(file: Path, state: Path, *, environment: Mapping[str, str] | None = None) -> AsyncIterator[Daemon]:
    """A daemon that answers; killed at the end if the test has not stopped it."""
    daemon = Daemon(file, state, environment=environment)
    try:
        daemon.start()
        await daemon.ready()
        yield daemon
    finally:
        daemon.kill()


# --- people and disks ------------------------------------------------------------------------------------------------------


class Person:
    """Somebody with a scanner who works by ear: the next scan comes after the answer to the last."""

    def __init__(self, scanner: PtyScanner) -> None:
        self.scanner = scanner

    async def scan(self, code: str | bytes, *, seconds: float = ANSWER_S) -> bytes:
        """GOOD or BAD; AssertionError when the scanner stays silent."""
        heard = self.scanner.heard.count
        async with asyncio.timeout(seconds):
            await self.scanner.scan(code.encode() if isinstance(code, str) else code)
        await eventually(lambda: self.scanner.heard.count > heard, f"an answer to {code!r}", seconds)
        return self.scanner.heard.tail[-1:]

    async def good(self, *codes: str) -> None:
        """Every one of ``codes`` is answered GOOD."""
        for code in codes:
            answer = await self.scan(code)
            assert answer == GOOD, code

    async def silent(self, code: str, seconds: float) -> bytes:
        """What is heard within ``seconds`` after ``code``; b"" for nothing."""
        heard = self.scanner.heard.count
        await self.scanner.scan(code.encode())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.scanner.heard.count == heard:
                    await asyncio.sleep(LOOK_S)
        return self.scanner.heard.tail[-1:] if self.scanner.heard.count > heard else b""


def records(state: Path, kind: Kind | None = None) -> list[tuple[int, dict[str, Any]]]:
    """(seq, record) of everything on disk, or of one kind."""
    found: list[tuple[int, dict[str, Any]]] = []
    reader = LogReader(state / "log")
    try:
        while rows := reader.read(found[-1][0] if found else 0, 5000, kind):
            found += [(row.seq, json.loads(row.data)) for row in rows]
    finally:
        reader.close()
    return found


def scans(state: Path) -> list[dict[str, Any]]:
    return [record for _, record in records(state, Kind.SCAN)]


def events(state: Path) -> list[dict[str, Any]]:
    return [record for _, record in records(state, Kind.EVENT)]


def last_code(state: Path) -> tuple[str, str]:
    """(verdict, code) of the last scan."""
    last = scans(state)[-1]
    return last["verdict"], last["code"]


def can_mount() -> str:
    """Why a file system cannot be mounted here; "" when it can."""
    if os.geteuid() != 0:
        return "mounting a small disk needs root"
    tried = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "mounting is not allowed on this machine"
