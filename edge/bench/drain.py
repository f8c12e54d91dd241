"""Draining a backlog by HTTP against reading it: the real courier with its zstd, cursor, receipts and order per item.

Events of about 1.4 kB; a destination in a process of its own that decompresses, reads every eventID and answers. Time runs from
the courier's start to the last record's receipt; its first batches are small, as they are in a line that reconnects. The reading
is ``LogReader.read`` in batches of 1,000 over the same records.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

from edge.bench.filling import fill
from edge.bench.measure import REPETITIONS, clock, p50, plain
from edge.bench.result import Figure, Size, at_least
from edge.bench.scene import PROVENANCE
from edge.bench.sink import http_sink
from edge.log import Log
from edge.model import Kind
from edge.wording import Words
from sync.courier import Courier
from sync.http import Options, build

_RECORDS: Final = {Size.FULL: 100_000, Size.QUICK: 3_000}
_BATCH: Final = 1000
_LOOK_S: Final = 0.005


def run(place: Path, size: Size) -> tuple[Figure, ...]:
    """See the module."""
    with http_sink() as url:
        return asyncio.run(_measure(place, size, url))


async def _measure(place: Path, size: Size, url: str) -> tuple[Figure, ...]:
    records = _RECORDS[size]
    await fill(place / "state", records)
    log = Log.open(place / "state", clock=clock())
    drained, read = [], []
    try:
        for repetition in range(REPETITIONS if size is Size.FULL else 2):
            read.append(records / await asyncio.to_thread(_read, log, records))
            drained.append(records / await _drain(log, place / f"courier-{repetition}", url, records))
    finally:
        await log.close()
    return (
        Figure(
            what=Words(
                "drain by HTTP, batches of 1,000, zstd, against reading the log",
                "HTTP 送出（每批 1,000，zstd），对比读取日志",
            ),
            unit="%",
            samples=tuple(100 * ours / theirs for ours, theirs in zip(drained, read, strict=True)),
            target=at_least(15),
            note=plain(f"{p50(drained):,.0f}/s, {p50(read):,.0f}/s"),
        ),
    )


def _read(log: Log, records: int) -> float:
    reader = log.reader()
    try:
        began = time.perf_counter()
        seq = 0
        while seq < records:
            seq = reader.read(seq, _BATCH)[-1].seq
        return time.perf_counter() - began
    finally:
        reader.close()


async def _drain(log: Log, state_dir: Path, url: str, records: int) -> float:
    options = Options.model_validate({"url": url})
    courier = Courier(
        "bench",
        lambda shelf: build("bench", options, shelf, lambda name: ""),
        log=log,
        state_dir=state_dir,
        clock=clock(),
        provenance=lambda: PROVENANCE,
    )
    began = time.perf_counter()
    task = asyncio.create_task(courier.run())
    try:
        while courier.status().delivered < records:
            if task.done():
                task.result()
            await asyncio.sleep(_LOOK_S)
        took = time.perf_counter() - began
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        courier.close()
    # its last word, so that the next one begins as a new destination does
    await log.append([], {"sync/bench": None})
    assert log.counts[Kind.EVENT] == records
    return took
