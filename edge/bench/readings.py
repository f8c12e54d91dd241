"""Readings to disk: the reading store with its stages and blocks against the bare rows that one would write first.

Both get the same seconds of 5,000 readings: 200 tags of five devices, 25 frames a second each. The store takes frames, stages
after each second (one commit, ``synchronous=FULL``) and seals after each minute, digests to the log included. The rows are
``(tag, time, value)`` by ``executemany`` on a table without index, one commit of 5,000, also FULL, in the same kind of file.

Bytes per reading are those of the day's file when it has settled, write-ahead log taken over, for two kinds of values: int16
registers that wander by a few counts, and doubles with noise of a few hundredths that are quantised to two decimals.
"""

from __future__ import annotations

import asyncio
import random
import time
from array import array
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import apsw
from msgspec import Struct

from edge.bench.measure import REPETITIONS, p50, plain
from edge.bench.result import Figure, Size, at_least, at_most
from edge.bench.scan import DEVICES, FRAMES_PER_S, TAGS
from edge.bench.scene import Floorspace
from edge.log import ReadingStore
from edge.model import Layout, Readings, Tag
from edge.wording import Words

_SECONDS: Final = {Size.FULL: 60, Size.QUICK: 3}  # of readings, a repetition
_KINDS: Final = ("q", "d")
_START: Final = datetime(2026, 11, 22, 1, tzinfo=UTC)


class _Source(Struct):
    """Frames of one kind of values, made beforehand: what is measured is storing them."""

    layouts: list[Layout]
    seconds: list[list[Readings]]

    @property
    def count(self) -> int:
        return len(self.seconds) * DEVICES * TAGS * FRAMES_PER_S


def run(place: Path, size: Size) -> tuple[Figure, ...]:
    """See the module."""
    return asyncio.run(_measure(place, size))


async def _measure(place: Path, size: Size) -> tuple[Figure, ...]:
    repetitions = REPETITIONS if size is Size.FULL else 2
    rates: dict[str, list[float]] = {kind: [] for kind in _KINDS}
    rows: dict[str, list[float]] = {kind: [] for kind in _KINDS}
    stored: dict[str, float] = {}
    for kind in _KINDS:
        floor = Floorspace.open(place / f"state-{kind}")
        try:
            layouts = _layouts(kind)
            levels = [[20.0 + place + device for place in range(TAGS)] for device in range(DEVICES)]
            for repetition in range(repetitions):
                source = _source(
                    layouts, levels, _START + timedelta(seconds=repetition * _SECONDS[size]), _SECONDS[size]
                )
                rates[kind].append(source.count / await _store(floor.readings, source))
                rows[kind].append(source.count / _executemany(place / f"rows-{kind}-{repetition}.db", source))
            stored[kind] = floor.readings.count
        finally:
            await floor.close()
        (file,) = (place / f"state-{kind}" / "readings").glob("readings-*.db")
        stored[kind] = file.stat().st_size / stored[kind]
    return tuple(_figures(rates, rows, stored))


def _figures(rates: dict[str, list[float]], rows: dict[str, list[float]], stored: dict[str, float]) -> Iterator[Figure]:
    for kind, name in (("q", Words("int16 registers", "int16 寄存器")), ("d", Words("two decimals", "两位小数"))):
        yield Figure(
            what=Words("readings to disk against bare rows: {kind}", "读数落盘，对比逐行写入：{kind}").fill(
                {"kind": name}
            ),
            unit="%",
            samples=tuple(100 * ours / theirs for ours, theirs in zip(rates[kind], rows[kind], strict=True)),
            target=at_least(300),
            note=plain(f"{p50(rates[kind]):,.0f}/s, {p50(rows[kind]):,.0f}/s"),
        )
        yield Figure(
            what=Words("stored per reading: {kind}", "每个读数占用：{kind}").fill({"kind": name}),
            unit="B",
            samples=(stored[kind],),
            target=at_most(4),
        )


async def _store(store: ReadingStore, source: _Source) -> float:
    """Seconds of work until everything is in its blocks and the log has their digests."""
    began = time.perf_counter()
    for second in source.seconds:
        for frame in second:
            store.take(frame)
        await store.flush()
    await store.seal()
    return time.perf_counter() - began


def _executemany(path: Path, source: _Source) -> float:
    """Seconds of work for the same readings as rows."""
    db = apsw.Connection(str(path))
    try:
        db.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").fetchall()
        db.execute("CREATE TABLE reading(tag INTEGER NOT NULL, time_us INTEGER NOT NULL, value REAL NOT NULL) STRICT")
        number = {layout.device: place * TAGS for place, layout in enumerate(source.layouts)}
        began = time.perf_counter()
        for second in source.seconds:
            batch = [
                (number[frame.layout.device] + place, frame.monotonic_ns // 1000, value)
                for frame in second
                for place, value in enumerate(frame.values)
            ]
            with db:
                db.executemany("INSERT INTO reading VALUES (?, ?, ?)", batch)
        return time.perf_counter() - began
    finally:
        db.close()
        path.unlink()


def _layouts(kind: str) -> list[Layout]:
    scale, digits = (0.01, 2) if kind == "q" else (1.0, 2)
    return [
        Layout(
            device=f"plc-{device}",
            tags=tuple(
                Tag(name=f"plc-{device}.t{place}", unit="CEL", scale=scale, digits=digits) for place in range(TAGS)
            ),
            typecode=kind,
        )
        for device in range(DEVICES)
    ]


def _source(layouts: list[Layout], levels: list[list[float]], start: datetime, seconds: int) -> _Source:
    """Every value wanders slowly and carries noise of some hundredths; ``levels`` go on from one call to the next."""
    made: list[list[Readings]] = []
    noise = random.Random(start.timestamp()).gauss
    as_stored: Callable[[float], float] = (
        (lambda value: round(value * 100)) if layouts[0].typecode == "q" else (lambda value: round(value, 2))
    )
    for second in range(seconds):
        frames = []
        for frame in range(FRAMES_PER_S):
            # a poll does not come at the same microsecond every time
            at = start + timedelta(
                seconds=second, milliseconds=1000 * frame / FRAMES_PER_S, microseconds=round(abs(noise(0, 300)))
            )
            for layout, own in zip(layouts, levels, strict=True):
                for place in range(TAGS):
                    own[place] += noise(0, 0.005)
                values = array(layout.typecode, [as_stored(level + noise(0, 0.03)) for level in own])
                frames.append(
                    Readings(layout=layout, values=values, captured_at=at, monotonic_ns=int(at.timestamp() * 1e9))
                )
        made.append(frames)
    return _Source(layouts=layouts, seconds=made)
