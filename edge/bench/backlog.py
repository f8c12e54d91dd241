"""Append, read and acknowledge with 3 million records waiting, against the same with 10 thousand, in turns.

append        one record of about 1.7 kB, ``Log.append`` until it is durable, paced
read          the next 1,000 events, ``LogReader.read`` from where the courier stands
acknowledge   1,000 of them delivered, ``ShelfFile.settle``: the cursor moves and is durable

The courier's file is made anew for every round, so that in both logs it begins before the first record.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from edge.bench.filling import fill
from edge.bench.measure import REPETITIONS, clock, p50, pause_s, plain
from edge.bench.result import Figure, Size, at_most
from edge.bench.scene import record
from edge.contracts import Accepted
from edge.log import Log
from edge.wording import Words
from sync.offer import Sharing
from sync.shelf import ShelfFile

_FEW: Final = {Size.FULL: 10_000, Size.QUICK: 3_000}
_MANY: Final = {Size.FULL: 3_000_000, Size.QUICK: 9_000}
_ROUNDS: Final = {Size.FULL: 8, Size.QUICK: 1}  # of a repetition
_BATCHES: Final = {Size.FULL: 8, Size.QUICK: 2}  # of 1,000, a round
_APPENDS: Final = 5  # beside each batch
_BATCH: Final = 1000
_ACTS: Final = {
    "append": Words("append one record", "追加一条记录"),
    "read": Words("read 1,000", "读取 1,000 条"),
    "settle": Words("acknowledge 1,000", "确认 1,000 条"),
}


class _Times(Struct):
    """Seconds of one repetition, by act."""

    append: list[float] = field(default_factory=list)
    read: list[float] = field(default_factory=list)
    settle: list[float] = field(default_factory=list)


def run(place: Path, size: Size) -> tuple[Figure, ...]:
    """See the module."""
    return asyncio.run(_measure(place, size))


async def _measure(place: Path, size: Size) -> tuple[Figure, ...]:
    await fill(place / "few", _FEW[size])
    await fill(place / "many", _MANY[size])
    few, many = (Log.open(place / name, clock=clock()) for name in ("few", "many"))
    ratios: dict[str, list[float]] = {act: [] for act in _ACTS}
    base: dict[str, list[float]] = {act: [] for act in _ACTS}
    try:
        for _ in range(REPETITIONS if size is Size.FULL else 2):
            small, large = _Times(), _Times()
            for _ in range(_ROUNDS[size]):
                shelves = [_shelf(place / "few", few), _shelf(place / "many", many)]
                for _ in range(_BATCHES[size]):
                    for log, shelf, times in zip((few, many), shelves, (small, large), strict=True):
                        await _append(log, times)
                        _batch(log, shelf, times)
                for shelf in shelves:
                    shelf.close()
                for name in ("few", "many"):
                    _remove_shelf(place / name)
            for act in _ACTS:
                base[act].append(p50(getattr(small, act)))
                ratios[act].append(p50(getattr(large, act)) / base[act][-1])
    finally:
        for log in (few, many):
            await log.close()
    return tuple(
        Figure(
            what=words,
            unit="×",
            samples=tuple(ratios[act]),
            target=at_most(1.25),
            note=plain(f"{p50(base[act]) * 1e6:,.0f} µs → {p50(base[act]) * p50(ratios[act]) * 1e6:,.0f} µs"),
        )
        for act, words in _ACTS.items()
    )


async def _append(log: Log, times: _Times) -> None:
    for _ in range(_APPENDS):
        entry = record(log.head)
        await asyncio.sleep(pause_s())
        began = time.perf_counter()
        await log.append([entry])
        times.append.append(time.perf_counter() - began)


def _batch(log: Log, shelf: ShelfFile, times: _Times) -> None:
    reader = log.reader()
    try:
        reader.read(shelf.tally.cursor, 1)  # the file is open, as a courier's is
        began = time.perf_counter()
        reader.read(shelf.tally.cursor, _BATCH)
        times.read.append(time.perf_counter() - began)
    finally:
        reader.close()
    offer = shelf.plan(_BATCH, time.monotonic(), Sharing.FREE)
    verdicts = [Accepted(receipt="bench")] * len(offer.events)
    began = time.perf_counter()
    shelf.settle(offer, verdicts, at="", receipt_at="", again=lambda tries: 0.0)
    times.settle.append(time.perf_counter() - began)


def _shelf(state_dir: Path, log: Log) -> ShelfFile:
    return ShelfFile(state_dir / "sync" / "bench.db", log.origin, log.reader())


def _remove_shelf(state_dir: Path) -> None:
    for path in (state_dir / "sync").glob("bench.db*"):
        path.unlink()
