"""A real log, a courier on it, and a sink that answers what a test says."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge.contracts import Accepted, Shelf, Sink, Verdict
from edge.log import Log, Provenance
from edge.model import Kind, Record
from sync.courier import Courier, Pace
from sync.keys import keys_of
from tests.sync.events import StillClock

HURRY = Pace(base_s=0.001, cap_s=0.004, pending_s=0.004, fault_s=0.05, deadline_s=2.0)
PATIENCE = 10_000  # polls of 2 ms


class Stub:
    """Answers by ``answer(record)`` (a verdict, None or an exception) and remembers what it took."""

    def __init__(self, *, keeps_order: bool = False) -> None:
        self.keeps_order = keeps_order
        self.answer: Callable[[Record], Verdict | Exception | None] = lambda record: Accepted(receipt="ok")
        self.before: Callable[[Sequence[Record]], None] = lambda batch: None
        self.batches: list[list[str]] = []
        self.offered: Counter[str] = Counter()
        self.effects: list[str] = []
        self.order: defaultdict[str, list[int]] = defaultdict(list)
        self.shelf: Shelf | None = None
        self.closed = 0

    def make(self, shelf: Shelf) -> Sink:
        self.shelf = shelf
        return self

    async def deliver(self, batch: Sequence[Record]) -> Sequence[Verdict | None]:
        await asyncio.sleep(0)
        self.batches.append([keys_of(record.data).id for record in batch])
        self.offered.update(self.batches[-1])
        self.before(batch)
        verdicts: list[Verdict | None] = []
        barred: set[str] = set()
        for record in batch:
            keys = keys_of(record.data)
            verdict = None if self.keeps_order and not barred.isdisjoint(keys.waits) else self.answer(record)
            if isinstance(verdict, Exception):
                raise verdict
            if isinstance(verdict, Accepted) or type(verdict).__name__ == "Gathered":
                self.effects.append(keys.id)
                for name in keys.items:
                    self.order[name].append(record.seq)
            else:
                barred.update(keys.holds)
            verdicts.append(verdict)
        return verdicts

    async def aclose(self) -> None:
        self.closed += 1


class Bench:
    """One state directory with its log; couriers come and go."""

    def __init__(self, directory: Path, log: Log, clock: StillClock) -> None:
        self.directory = directory
        self.log = log
        self.clock = clock

    def courier(self, make: Callable[[Shelf], Sink], pace: Pace = HURRY, name: str = "erp") -> Courier:
        return Courier(
            name, make, log=self.log, state_dir=self.directory, clock=self.clock, provenance=Provenance, pace=pace
        )

    @asynccontextmanager
    async def running(self, make: Callable[[Shelf], Sink], pace: Pace = HURRY) -> AsyncIterator[Courier]:
        courier = self.courier(make, pace)
        task = asyncio.create_task(courier.run())
        try:
            yield courier
        finally:
            task.cancel()
            results = await asyncio.gather(task, return_exceptions=True)
            courier.close()
            if not isinstance(results[0], asyncio.CancelledError):
                raise results[0]

    def receipts(self) -> list[dict[str, object]]:
        reader = self.log.reader()
        try:
            return [json.loads(record.data) for record in reader.read(0, 1_000_000, Kind.RECEIPT)]
        finally:
            reader.close()

    def covered(self) -> Counter[str]:
        """How many receipts cover each delivery key."""
        return Counter(key for receipt in self.receipts() for key in receipt["records"])


async def until(true: Callable[[], bool], told: Callable[[], object] = str) -> None:
    """Polls, and fails after PATIENCE polls with what ``told`` says."""
    for _ in range(PATIENCE):
        if true():
            return
        await asyncio.sleep(0.002)
    raise AssertionError(f"it never came true {told()}")


def settled(courier: Courier) -> Callable[[], bool]:
    return lambda: courier.status().waiting == 0


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    clock = StillClock()
    log = Log.open(tmp_path, clock=clock, reserve_bytes=1, ballast_bytes=4096)
    yield Bench(tmp_path, log, clock)
    await log.close()
