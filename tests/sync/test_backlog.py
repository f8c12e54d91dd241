"""A long time offline is normal work: what waits costs disk, not memory."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from edge.contracts import Accepted, Rejected, Verdict
from edge.model import Record
from tests.sync.conftest import HURRY, Bench, Stub, settled, until
from tests.sync.events import event

MB = 1_000_000


def resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Counting(Stub):
    """Only counts, so that the test's own memory stays flat too."""

    def __init__(self, refused: bytes = b"\0") -> None:
        super().__init__(keeps_order=True)
        self.count = 0
        self.sampled: list[int] = []
        self._refused = refused

    async def deliver(self, batch: Sequence[Record]) -> Sequence[Verdict | None]:
        self.count += len(batch)
        if len(self.sampled) < self.count // 10_000:
            self.sampled.append(resident())
        return [Rejected(reason="no") if self._refused in record.data else Accepted(receipt="ok") for record in batch]


async def test_a_backlog_of_100_000_drains_with_flat_memory(bench: Bench) -> None:
    note = "x" * 600
    for n in range(100):
        await bench.log.append([event(f"L{n}", f"S{n}-{m}", note=note) for m in range(1000)])
    sink = Counting()
    before = resident()
    async with bench.running(sink.make) as courier:
        assert courier.status().waiting == 100_000
        await until(settled(courier))
        assert courier.status().delivered == 100_000
    assert sink.count == 100_000
    assert len(sink.sampled) == 10
    assert max(sink.sampled) - before < 40 * MB  # what waited is 120 MB of bytes alone


async def test_20_000_events_behind_a_parked_one_wait_on_disk(bench: Bench) -> None:
    await bench.log.append([event("L", note="poison")])
    for n in range(20):
        await bench.log.append([event("L", f"S{n}-{m}") for m in range(1000)])
    sink = Counting(b"poison")
    async with bench.running(sink.make, replace(HURRY, first=1)) as courier:
        await until(lambda: courier._file.tally.waiting == 20_000)
        assert (courier.status().parked, courier.status().waiting) == (1, 20_000)
        assert sink.count == 1
        sink._refused = b"\0"
        await courier.retry(courier.parked()[0].id)
        await until(settled(courier))
        assert courier.status().delivered == 20_001
