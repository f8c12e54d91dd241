"""A clock that stands where a test puts it, a log with small files, and a disk that fills up."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from edge.log import Log, Provenance, entry
from edge.model import Entry, Kind, Moment, Record

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SMALL = {"wal_bytes": 64 << 10, "ballast_bytes": 64 << 10, "reserve_bytes": 0}


class ManualClock:
    """Stands still until it is moved."""

    def __init__(self, utc: datetime = NOON, *, synchronised: bool = True) -> None:
        self.utc = utc
        self.monotonic_ns = 1_000_000_000
        self.boot_id = "boot-1"
        self.synchronised = synchronised

    def now(self) -> Moment:
        return Moment(
            utc=self.utc,
            offset_s=28800,
            monotonic_ns=self.monotonic_ns,
            boot_id=self.boot_id,
            synchronised=self.synchronised,
            bound_s=0.01,
        )

    def pass_time(self, seconds: float) -> None:
        self.utc += timedelta(seconds=seconds)
        self.monotonic_ns += int(seconds * 1e9)

    def step_wall(self, seconds: float) -> None:
        self.utc += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def scan(number: int, size: int = 300, kind: Kind = Kind.SCAN) -> Entry:
    """An ordinary record that carries ``number``."""
    return entry(kind, ManualClock().now(), "ST10", Provenance(build="test"), {"number": number, "raw": "x" * size})


def number_of(record: Record) -> int:
    return int(msgspec.json.decode(record.data)["number"])


def body_of(record: Record) -> Mapping[str, object]:
    return msgspec.json.decode(record.data)


def all_records(log: Log, kind: Kind | None = None) -> list[Record]:
    reader = log.reader()
    try:
        return reader.read(0, 1_000_000, kind)
    finally:
        reader.close()


@pytest.fixture
def opened(tmp_path: Path, clock: ManualClock) -> Callable[..., object]:
    """``async with opened() as log``: a log in the test's directory, closed at the end."""

    @asynccontextmanager
    async def open_log(state_dir: Path = tmp_path, **options: int) -> AsyncIterator[Log]:
        log = Log.open(state_dir, clock=clock, **{**SMALL, **options})
        try:
            yield log
        finally:
            await log.close()

    return open_log


@pytest.fixture
async def log(opened: Callable[..., object]) -> AsyncIterator[Log]:
    async with opened() as log:
        yield log


async def until(condition: Callable[[], object], within_s: float = 20.0) -> None:
    """Wait for what happens in another thread; a bound, not a measure."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 4 MB; skips, saying so, where mounting is not allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("a small tmpfs needs root: the full disk is not tried here")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "lotline-test", place], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"mounting a small tmpfs was refused: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def fill(place: Path, leave: int = 0) -> Path:
    """Fill the disk under ``place`` but for ``leave`` bytes; the file that does it."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 16, 4096):
            while os.statvfs(place).f_bavail * 4096 - leave >= size:
                file.write(bytes(size))
    return filler


def strace_or_skip() -> str:
    found = shutil.which("strace")
    if not found:
        pytest.skip("strace is not installed: system calls are not counted here")
    return found
