"""A scan's bytes in, its durable acknowledgement out, while 5,000 readings a second arrive in the same loop.

What is timed: ``Scan`` from bytes, then ``Station.scan``: identify, look up, bind, build, validate, fdatasync, back in the loop.
What runs beside it, as in the daemon: frames of five devices, each taken by the reading store and by the station, staged each
second; the identity index following the log. Units are made one after another, so every second scan completes one.
F is of the very bytes each kind of scan commits.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from array import array
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from edge.bench.measure import REPETITIONS, Disk, joined, micros, p50, p99, pause_s, plain
from edge.bench.result import Figure, Size, at_most
from edge.bench.scene import Floorspace, open_station, scan, unit_codes
from edge.contracts import Signal
from edge.model import Layout, Readings, Tag
from edge.station.live import Station
from edge.wording import Words

DEVICES: Final = 5
TAGS: Final = 40
FRAMES_PER_S: Final = 25  # of each device: 5 × 40 × 25 = 5,000 readings a second
_FRAMES_MADE: Final = 500
_SAMPLES: Final = {Size.FULL: 300, Size.QUICK: 10}  # scans a repetition
_WARM: Final = {Size.FULL: 600, Size.QUICK: 4}


def run(place: Path, size: Size) -> tuple[Figure, ...]:
    """See the module."""
    return asyncio.run(_measure(place, size))


async def _measure(place: Path, size: Size) -> tuple[Figure, ...]:
    floor = Floorspace.open(place / "state")
    station = floor.station("ST10")
    codes = unit_codes(1)
    ratios, halves, figures = [], [], []
    try:
        async with _line(floor, station):
            await open_station(floor, station, "hand-1")
            for _ in range(_WARM[size]):
                await _timed(floor, station, next(codes))
            committed = [await _committed(floor, station, next(codes)) for _ in range(2)]
            with Disk(place) as disk:
                for _ in range(REPETITIONS if size is Size.FULL else 2):
                    ours: tuple[list[float], list[float]] = ([], [])
                    theirs: tuple[list[float], list[float]] = ([], [])
                    for number in range(_SAMPLES[size]):
                        which = number % 2
                        await asyncio.sleep(pause_s())
                        theirs[which].append(disk.write(committed[which]))
                        await asyncio.sleep(pause_s())
                        ours[which].append(await _timed(floor, station, next(codes)))
                    all_ours, all_theirs = [*ours[0], *ours[1]], [*theirs[0], *theirs[1]]
                    ratios.append(p50(all_ours) / p50(all_theirs))
                    halves.append([p50(ours[which]) / p50(theirs[which]) for which in range(2)])
                    figures.append((p50(all_theirs), p50(all_ours), p99(all_ours) / p99(all_theirs)))
    finally:
        await floor.close()
    base, ours_s, tail = (p50([each[column] for each in figures]) for column in range(3))
    sizes = f"{len(committed[0])} / {len(committed[1])} B"
    return (
        Figure(
            what=Words("scan bytes to durable acknowledgement, p50", "扫码字节到落盘确认，p50"),
            unit="F",
            samples=tuple(ratios),
            target=at_most(2),
            note=joined(micros("F", base), micros("ack", ours_s), plain(f"p99 {tail:.2f} F99"), plain(sizes)),
        ),
        Figure(
            what=Words("of these: a scan that adds to a unit", "其中：为产品添加部件的扫码"),
            unit="F",
            samples=tuple(half[0] for half in halves),
        ),
        Figure(
            what=Words("of these: a scan that completes a unit", "其中：完成产品的扫码"),
            unit="F",
            samples=tuple(half[1] for half in halves),
        ),
    )


async def _timed(floor: Floorspace, station: Station, code: bytes) -> float:
    began = time.perf_counter()
    signal = await station.scan(scan("hand-1", code, floor.clock.now()))
    took = time.perf_counter() - began
    if signal is not Signal.GOOD:
        raise AssertionError(f"the bench's own station refused {code!r}")
    return took


async def _committed(floor: Floorspace, station: Station, code: bytes) -> bytes:
    """Everything a scan of ``code`` makes durable."""
    before = floor.log.head
    await _timed(floor, station, code)
    reader = floor.log.reader()
    try:
        return b"".join(record.data for record in reader.read(before, 100))
    finally:
        reader.close()


@contextlib.asynccontextmanager
async def _line(floor: Floorspace, station: Station) -> AsyncIterator[None]:
    """What else a daemon's loop does."""
    async with asyncio.TaskGroup() as group:
        beside = [
            group.create_task(floor.readings.run()),
            group.create_task(floor.identities.run()),
            *(group.create_task(_device(floor, station, number)) for number in range(DEVICES)),
        ]
        yield
        for task in beside:
            task.cancel()


async def _device(floor: Floorspace, station: Station, number: int) -> None:
    """Frames at their rate, as a Modbus driver yields them."""
    made = list(itertools.islice(frames(number), _FRAMES_MADE))  # beforehand: a device does not use our processor
    due = time.monotonic() + number / DEVICES / FRAMES_PER_S
    for values in itertools.cycle(made):
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        due += 1 / FRAMES_PER_S
        frame = Readings(
            layout=values.layout,
            values=values.values,
            captured_at=datetime.now(UTC),
            monotonic_ns=time.monotonic_ns(),
        )
        floor.readings.take(frame)
        station.take(frame)


def frames(number: int) -> Iterator[Readings]:
    """Frames of int16 raws that wander, for ever: what registers of a process look like."""
    tags = tuple(Tag(name=f"plc-{number}.t{place}", unit="CEL", scale=0.01, digits=2) for place in range(TAGS))
    layout = Layout(device=f"plc-{number}", tags=tags, typecode="q")
    levels = [2000 + 10 * place for place in range(TAGS)]
    epoch = datetime(2026, 1, 1, tzinfo=UTC)
    while True:
        levels = [level + round(random.gauss(0, 3)) for level in levels]
        yield Readings(layout=layout, values=array("q", levels), captured_at=epoch, monotonic_ns=0)
