"""A real Tryton 8.2 for the demo and the tests: installed into a venv of its own, seeded with the demo line, served on loopback.

Tryton is under GPL-3: it stays another process, spoken to over HTTP, and nothing of it is imported here. The first
``prepare()`` takes about a minute (pip, 24 modules, seed) and leaves a venv and a seeded SQLite file in ``cache``, under a name
made of the pins, the seed and the plan; after that a site stands in about three seconds. Any number of processes may
share a cache: a file lock lets one of them build it while the others wait.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from edge.errors import MachineError, TechnicianError

#: Everything that pip may install, to the patch level: the seed and the tests know these.
PINS: Final = (
    "trytond==8.2.1",
    "proteus==8.2.0",
    "trytond-account==8.2.1",
    "trytond-account-invoice==8.2.0",
    "trytond-account-invoice-stock==8.2.0",
    "trytond-account-product==8.2.0",
    "trytond-company==8.2.0",
    "trytond-country==8.2.0",
    "trytond-currency==8.2.0",
    "trytond-party==8.2.0",
    "trytond-product==8.2.0",
    "trytond-production==8.2.0",
    "trytond-purchase==8.2.0",
    "trytond-quality==8.2.0",
    "trytond-stock==8.2.1",
    "trytond-stock-lot==8.2.0",
    "trytond-stock-lot-sled==8.2.0",
    "trytond-stock-lot-unit==8.2.0",
    "argon2-cffi==25.1.0",
    "argon2-cffi-bindings==26.2.0",
    "cffi==2.1.1",
    "defusedxml==0.7.1",
    "Genshi==0.7.12",
    "lxml==6.1.3",
    "MarkupSafe==3.0.4",
    "polib==1.2.0",
    "puremagic==1.30",
    "pwdlib==0.3.1",
    "pycparser==3.12",
    "python-dateutil==4.0.0",
    "python-sql==1.8.1",
    "python-stdnum==2.2",
    "relatorio==1.0.0",
    "simpleeval==1.0.8",
    "tzdata==2026.6",
    "Werkzeug==3.1.9",
)
MODULES: Final = ("stock_lot_sled", "stock_lot_unit", "production", "quality", "purchase")
DATABASE: Final = "lotline"

_SEED: Final = Path(__file__).with_name("tryton_seed.py")
_READY_S: Final = 60.0  # a cold start takes 2.5 s alone and 20 s on a busy machine
_BUILD_S: Final = 900.0  # pip over a slow line
_STOP_S: Final = 5.0
_PORTS_TRIED: Final = 3


class SeedMaterial(Struct, frozen=True, kw_only=True):
    """One product. ``unit`` is the symbol in Tryton: u, kg, g, m, L."""

    name: str
    tracking: str  #: none, lot, serial
    gtin: str = ""
    unit: str = "u"
    made: bool = False


class SeedStock(Struct, frozen=True, kw_only=True):
    """One lot (or serial) that lies in the storage zone."""

    material: str
    quantity: str
    lot: str = ""
    expiry: str = ""


class SeedOrder(Struct, frozen=True, kw_only=True):
    """One production, waiting."""

    material: str
    quantity: str


class SeedPurchase(Struct, frozen=True, kw_only=True):
    """One confirmed purchase order."""

    supplier: str
    lines: dict[str, str]


class SeedControl(Struct, frozen=True, kw_only=True):
    """A quality control on finishing ``material``: point -> (label, lower, upper)."""

    name: str
    material: str
    points: dict[str, tuple[str, float, float]]


def _years_on(month_day: str, years: int) -> str:
    return f"{datetime.now(UTC).year + years}-{month_day}"


def demo_stock() -> tuple[SeedStock, ...]:
    """Two good lots of bearings, one expired, and a tray of shafts."""
    shafts = tuple(SeedStock(material="SHAFT-9", quantity="1", lot=f"S{number}") for number in range(1, 61))
    return (
        SeedStock(material="BRG-6204", quantity="400", lot="L77", expiry=_years_on("05-31", 2)),
        SeedStock(material="BRG-6204", quantity="400", lot="L78", expiry=_years_on("09-30", 2)),
        SeedStock(material="BRG-6204", quantity="50", lot="L60", expiry=_years_on("01-31", -1)),
        *shafts,
    )


class Plan(Struct, frozen=True, kw_only=True):
    """What the database holds. Orders get WO-1001, WO-1002, … and purchases PO-1, PO-2, … in the order given."""

    materials: dict[str, SeedMaterial] = msgspec.field(
        default_factory=lambda: {
            "BRG-6204": SeedMaterial(name="Ball bearing 6204", tracking="lot", gtin="09506000134352"),
            "SHAFT-9": SeedMaterial(name="Pump shaft 9 mm", tracking="serial", gtin="09506000134376"),
            "PUMP-100": SeedMaterial(name="Coolant pump 100", tracking="serial", gtin="09506000134369", made=True),
        }
    )
    bills: dict[str, dict[str, str]] = msgspec.field(
        default_factory=lambda: {"PUMP-100": {"BRG-6204": "2", "SHAFT-9": "1"}}
    )
    suppliers: dict[str, str] = msgspec.field(default_factory=lambda: {"SUP-1": "Kugel Bearings Ltd"})
    stock: tuple[SeedStock, ...] = msgspec.field(default_factory=demo_stock)
    purchases: tuple[SeedPurchase, ...] = (
        SeedPurchase(supplier="SUP-1", lines={"BRG-6204": "1000", "SHAFT-9": "500"}),
    )
    orders: tuple[SeedOrder, ...] = (
        SeedOrder(material="PUMP-100", quantity="20"),
        SeedOrder(material="PUMP-100", quantity="5"),
        SeedOrder(material="PUMP-100", quantity="600"),
    )
    first_order: int = 1001
    control: SeedControl | None = None
    timezone: str = "Asia/Shanghai"


class Access(Struct, frozen=True, kw_only=True):
    """How the edge and a test get in."""

    company: int
    key: str
    user: str
    password: str
    admin_password: str
    control: str
    orders: tuple[str, ...]
    purchases: tuple[str, ...]


def _quiet(_line: str) -> None:
    pass


class TrytonSite:
    """One running Tryton with a database of its own. ``say`` hears one line per step of a long preparation."""

    def __init__(
        self, workdir: Path, *, cache: Path | None = None, plan: Plan | None = None, say: Callable[[str], None] = _quiet
    ) -> None:
        self._workdir = workdir
        self._cache = cache or workdir / "cache"
        self._plan = msgspec.json.encode(plan or Plan())
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where it listens; the same after ``reset``."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def database(self) -> str:
        return DATABASE

    @property
    def pid(self) -> int | None:
        """The server's process, None while it is stopped."""
        return self._process.pid if self._process else None

    @property
    def access(self) -> Access:
        """Valid after ``prepare``."""
        return msgspec.json.decode((self._seeded / "access.json").read_bytes(), type=Access)

    def prepare(self) -> None:
        """Venv and seeded database in the cache. Raises TechnicianError with the last lines of the tool that failed."""
        self._cache.mkdir(parents=True, exist_ok=True)
        with _locked(self._cache / "lock", self._say):
            if not (self._venv / "complete").exists():
                self._install()
            if not (self._seeded / "complete").exists():
                self._seed()

    def start(self) -> None:
        """A fresh copy of the seeded database, served. Prepares first where that has not been done."""
        self.prepare()
        self._workdir.mkdir(parents=True, exist_ok=True)
        if not self._database_file.exists():
            self._restore()
        for _ in range(_PORTS_TRIED - 1):
            self._port = _free_port()
            try:
                self._serve()
            except TechnicianError:
                continue  # somebody took the port between our asking for it and Tryton's using it
            return
        self._port = _free_port()
        self._serve()

    def stop(self) -> None:
        """Ends the server; the database stays as it is."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def reset(self) -> None:
        """The database as seeded, on the same port."""
        self.stop()
        self._restore()
        self._serve()

    # -- what stands where -------------------------------------------------------------------------------------------

    @property
    def _venv(self) -> Path:
        return self._cache / f"venv-{_digest(sys.version.encode(), *map(str.encode, PINS))}"

    @property
    def _seeded(self) -> Path:
        parts = (self._venv.name.encode(), *map(str.encode, MODULES), _SEED.read_bytes(), self._plan)
        return self._cache / f"seeded-{_digest(*parts)}"

    @property
    def _database_file(self) -> Path:
        return self._workdir / f"{DATABASE}.sqlite"

    def _install(self) -> None:
        began = time.monotonic()
        self._say("Tryton: making its own Python environment and installing 36 pinned packages …")
        shutil.rmtree(self._venv, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(self._venv)])
        _run([self._python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", *PINS])
        (self._venv / "complete").touch()
        self._say(f"Tryton: installed in {time.monotonic() - began:.0f} s")

    def _seed(self) -> None:
        began = time.monotonic()
        self._say("Tryton: activating its modules and seeding the demo line …")
        build = self._seeded.with_suffix(".building")
        shutil.rmtree(build, ignore_errors=True)
        shutil.rmtree(self._seeded, ignore_errors=True)
        build.mkdir(parents=True)
        (build / f"{DATABASE}.sqlite").touch()  # trytond-admin opens a SQLite database only where the file exists
        conf = _write_conf(build, 0)
        admin_password = hashlib.sha256(os.urandom(32)).hexdigest()[:24]
        (build / "password").write_text(admin_password)
        admin = [self._tool("trytond-admin"), "-c", str(conf), "-d", DATABASE, "-u", *MODULES]
        _run(
            [*admin, "--activate-dependencies", "--no-indexes", "--email", "admin@example.invalid"],
            env={"TRYTONPASSFILE": str(build / "password")},
        )
        out = _run([self._python, str(_SEED), str(conf), DATABASE], stdin=self._plan)
        access = msgspec.json.encode({**json.loads(out), "admin_password": admin_password})
        (build / "access.json").touch(mode=0o600)
        (build / "access.json").write_bytes(access)
        (build / "password").unlink()
        (build / "complete").touch()
        build.rename(self._seeded)
        self._say(f"Tryton: seeded in {time.monotonic() - began:.0f} s")

    def _restore(self) -> None:
        for leftover in self._workdir.glob(f"{DATABASE}.sqlite*"):
            leftover.unlink()
        shutil.copyfile(self._seeded / f"{DATABASE}.sqlite", self._database_file)

    def _serve(self) -> None:
        conf = _write_conf(self._workdir, self._port)
        with (self._workdir / "trytond.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._tool("trytond"), "-c", str(conf), "-d", DATABASE],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C at the demo reaches it through stop(), after the couriers are done
            )
        self._await_answer()
        self._say(f"Tryton: answering at {self.url}")

    def _await_answer(self) -> None:
        deadline = time.monotonic() + _READY_S
        body = json.dumps({"id": 1, "method": "common.server.version", "params": []}).encode()
        request = urllib.request.Request(f"{self.url}/rpc/", body, {"Content-Type": "application/json"})
        while True:
            try:
                with urllib.request.urlopen(request, timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                if self._process is not None and self._process.poll() is not None:
                    self._process = None
                    raise TechnicianError(
                        f"Tryton ended while starting: {_tail(self._workdir / 'trytond.log')}",
                        f"Read {self._workdir / 'trytond.log'}.",
                    ) from None
                if time.monotonic() > deadline:
                    self.stop()
                    raise MachineError(f"Tryton did not answer within {_READY_S:.0f} s.", "Start again.") from None
                time.sleep(0.1)

    @property
    def _python(self) -> str:
        return str(self._venv / "bin" / "python")

    def _tool(self, name: str) -> str:
        return str(self._venv / "bin" / name)


def _write_conf(folder: Path, port: int) -> Path:
    conf = folder / "trytond.conf"
    conf.write_text(
        f"[database]\nuri = sqlite://\npath = {folder}\n"
        f"[web]\nlisten = 127.0.0.1:{port}\n"
        "[attachment]\nfilestore = False\n"
    )
    return conf


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _locked(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    """One builder at a time, across processes; the kernel releases the lock of a killed one."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Tryton: another process is preparing it; waiting …")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(command: list[str], *, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> bytes:
    """The output of ``command``; TechnicianError with the last lines it said when it fails."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "TRYTOND"))
    }
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, timeout=_BUILD_S, env={**clean, **(env or {})}, check=False
        )
    except subprocess.TimeoutExpired:
        raise MachineError(
            f"{Path(command[0]).name} took longer than {_BUILD_S:.0f} s.", "Look at the network and start again."
        ) from None
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()[-6:]
        raise TechnicianError(
            f"{' '.join(command[:5])} … failed:\n" + "\n".join(words), "The first start needs the package index."
        )
    return done.stdout


def _tail(path: Path) -> str:
    lines = path.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no word"
