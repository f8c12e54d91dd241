"""A thousand stations scan at once: the whole path against a bare loop that shares nothing with it but the thinking.

The whole path: a thousand ``Station``s on one floor and one log, each answering one scan after another, all in one loop.
The bare loop: one thread, no asyncio, no stations; for every scan the same ``identify``, ``asks``, ``bind`` and ``entries``, then leaf
hash and INSERT, and a commit with ``synchronous=FULL`` after every 1,000 records. It keeps desks and balances in plain dicts and
stores none of them, looks up no serial and answers nobody. The second comparison is the same loop with a commit per record.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import apsw

from edge.bench.measure import REPETITIONS, clock, p50, plain
from edge.bench.result import Figure, Size, at_least
from edge.bench.scene import (
    FORMATS,
    OPENING,
    PROVENANCE,
    Floorspace,
    masters,
    open_station,
    place_of,
    procedure,
    scan,
    unit_codes,
)
from edge.epcis import Place
from edge.identify import Code, identify
from edge.log import leaf_hash
from edge.model import Entry, Moment
from edge.station.bind import asks, bind
from edge.station.context import Context, Read
from edge.station.desk import Desk, LotState, OrderState
from edge.station.live import Station
from edge.station.record import entries
from edge.wording import Words

PRODUCERS: Final = {Size.FULL: 1000, Size.QUICK: 50}
_SCANS: Final = {Size.FULL: 10, Size.QUICK: 2}  # of each producer, a repetition
_BATCH: Final = 1000
_SINGLES: Final = {Size.FULL: 1000, Size.QUICK: 20}


def run(place: Path, size: Size) -> tuple[Figure, ...]:
    """See the module."""
    return asyncio.run(_measure(place, size))


async def _measure(place: Path, size: Size) -> tuple[Figure, ...]:
    count, scans = PRODUCERS[size], _SCANS[size]
    floor = Floorspace.open(place / "state")
    whole, bare, single = [], [], []
    try:
        stations = [floor.station(f"ST{number:04d}") for number in range(count)]
        await asyncio.gather(*(open_station(floor, station, station.place.station) for station in stations))
        codes = [unit_codes(number) for number in range(count)]
        loop = _BareLoop(place / "bare.db", count)
        async with asyncio.TaskGroup() as group:
            index = group.create_task(floor.identities.run())
            for _ in range(REPETITIONS if size is Size.FULL else 2):
                began = time.perf_counter()
                await asyncio.gather(
                    *(_produce(floor, station, own, scans) for station, own in zip(stations, codes, strict=True))
                )
                whole.append(count * scans / (time.perf_counter() - began))
                await asyncio.to_thread(
                    floor.identities.catch_up
                )  # what it has still to do is not the bare loop's burden
                bare.append(loop.rate(count * scans, _BATCH))
                single.append(loop.rate(_SINGLES[size], 1))
            index.cancel()
        loop.close()
    finally:
        await floor.close()
    return (
        Figure(
            what=Words(
                "1,000 producers, whole path, against the bare loop in batches of 1,000",
                "1,000 个生产者的完整路径，对比每批 1,000 的裸循环",
            ),
            unit="×",
            samples=tuple(ours / theirs for ours, theirs in zip(whole, bare, strict=True)),
            target=at_least(0.6),
            note=plain(f"{p50(whole):,.0f}/s, {p50(bare):,.0f}/s"),
        ),
        Figure(
            what=Words(
                "1,000 producers, whole path, against a commit per record",
                "1,000 个生产者的完整路径，对比每条记录单独提交",
            ),
            unit="×",
            samples=tuple(ours / theirs for ours, theirs in zip(whole, single, strict=True)),
            target=at_least(10),
            note=plain(f"{p50(whole):,.0f}/s, {p50(single):,.0f}/s"),
        ),
    )


async def _produce(floor: Floorspace, station: Station, codes: Iterator[bytes], scans: int) -> None:
    for _ in range(scans):
        await station.scan(scan(station.place.station, next(codes), floor.clock.now()))


class _BareLoop:
    """What binding and committing cost at least, with the same functions."""

    def __init__(self, path: Path, stations: int) -> None:
        self._db = apsw.Connection(str(path))
        self._db.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").fetchall()
        self._db.execute("CREATE TABLE records(seq INTEGER PRIMARY KEY, kind TEXT, leaf BLOB, data BLOB) STRICT")
        self._clock = clock()
        self._masters, self._procedure, self._zone = masters(), procedure(), ZoneInfo("Asia/Shanghai")
        self._places = [place_of(f"ST{number:04d}") for number in range(stations)]
        self._desks = [Desk() for _ in range(stations)]
        self._lots: dict[str, LotState] = {}
        self._orders: dict[str, OrderState] = {}
        self._codes = [unit_codes(number) for number in range(stations)]
        self._seq = 0
        for number in range(stations):
            for code in OPENING:
                self._act(number, code)

    def rate(self, scans: int, batch: int) -> float:
        """Scans a second, with a commit after every ``batch`` records."""
        began = time.perf_counter()
        rows: list[tuple[int, str, bytes, bytes]] = []
        for number in range(scans):
            station = number % len(self._desks)
            for entry in self._act(station, next(self._codes[station])):
                self._seq += 1
                rows.append((self._seq, entry.kind.value, leaf_hash(entry.data), entry.data))
                if len(rows) == batch:
                    self._commit(rows)
        self._commit(rows)
        return scans / (time.perf_counter() - began)

    def close(self) -> None:
        self._db.close()

    def _commit(self, rows: list[tuple[int, str, bytes, bytes]]) -> None:
        with self._db:
            self._db.executemany("INSERT INTO records VALUES (?, ?, ?, ?)", rows)
        rows.clear()

    def _act(self, station: int, code: bytes) -> list[Entry]:
        moment, place = self._clock.now(), self._places[station]
        trigger = scan(place.station, code, moment)
        found = identify(trigger, FORMATS)
        assert isinstance(found, Code)
        act = Read(scan=trigger, code=found)
        context = self._context(place, self._desks[station], moment)
        asks(act, context)
        outcome = bind(act, context)
        self._desks[station] = outcome.desk
        self._lots.update((lot.item, lot) for lot in outcome.lots)
        self._orders.update((order.order, order) for order in outcome.orders)
        return entries(
            act, outcome, moment, place=place, procedure=self._procedure, provenance=PROVENANCE, salt=b"bench", shift=""
        )

    def _context(self, place: Place, desk: Desk, moment: Moment) -> Context:
        return Context(
            place=place,
            procedure=self._procedure,
            masters=self._masters,
            desk=desk,
            lots=self._lots,
            orders=self._orders,
            now=moment,
            today=moment.utc.astimezone(self._zone).date(),
            windows={},
            sightings={},
            watching_since_ns=0,
            repeat_s=2.0,
            salt=b"bench",
        )
