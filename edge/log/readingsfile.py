"""One file of readings: everything measured on one UTC day.

::

    stage(boot, number)     one blob per second, as the frames came; gone in the transaction that seals it
    span(boot, number)      a minute of one layout: the instants and qualities its tags share
    block(span, place)      the values of one tag in that minute (edge.log.codec)
    owed(span)              sealed, its digests not yet in a record of the log
    layout(id)              which tags, in which order, with unit and scale
    total                   readings ever stored, up to the last stage here

A frame stands in the file of the UTC day it was captured on. Within a file the key is the boot's id and a number that
only grows in a boot, so a clock that steps back writes beside what is there, never over it.
"""

from __future__ import annotations

import hashlib
import os
import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, cast

import apsw
import msgspec
from msgspec import Struct

from edge.log import codec
from edge.log.segment import BUSY_MS
from edge.log.sql import fetch, value
from edge.model import Layout, Quality, Tag

DAY_US: Final = 86_400_000_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
QUALITIES: Final = tuple(Quality)
_STAGES_PER_SEAL: Final = 120
_LAYOUTS_SEEN: Final = 256  # a device makes a new one at each reconnect

_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS total(one INTEGER PRIMARY KEY CHECK(one = 1), readings INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS layout(id INTEGER PRIMARY KEY, text BLOB NOT NULL UNIQUE) STRICT",
    "CREATE TABLE IF NOT EXISTS stage(boot TEXT NOT NULL, number INTEGER NOT NULL, data BLOB NOT NULL, "
    "PRIMARY KEY(boot, number)) STRICT",
    "CREATE TABLE IF NOT EXISTS span(id INTEGER PRIMARY KEY, layout INTEGER NOT NULL, boot TEXT NOT NULL, "
    "number INTEGER NOT NULL, first_us INTEGER NOT NULL, last_us INTEGER NOT NULL, frames INTEGER NOT NULL, "
    "data BLOB NOT NULL, UNIQUE(layout, boot, number)) STRICT",
    "CREATE TABLE IF NOT EXISTS block(span INTEGER NOT NULL, place INTEGER NOT NULL, data BLOB NOT NULL, "
    "PRIMARY KEY(span, place)) STRICT",
    "CREATE TABLE IF NOT EXISTS owed(span INTEGER PRIMARY KEY) STRICT",
)


class Part(Struct):
    """Frames of one layout, in the order they came. Arrays travel as their bytes."""

    layout: int
    times_us: bytes
    quality: bytes
    values: bytes


class SealedSpan(Struct, frozen=True, kw_only=True):
    """Digests (SHA-256, hex) of one span: of its instants, and of each tag's block."""

    number: int
    layout: int
    device: str
    start: str
    end: str
    frames: int
    times: str
    blocks: dict[str, str]


class Sealed(Struct, frozen=True):
    """The body of a ``readings`` record."""

    file: str
    boot: str
    spans: tuple[SealedSpan, ...]


class Sample(Struct, frozen=True):
    """One stored reading, raw as the device gave it."""

    tag: Tag
    time_us: int
    raw: float
    quality: Quality


_stages: Final = msgspec.msgpack.Decoder(list[Part])
_shared: Final = msgspec.msgpack.Decoder(tuple[bytes, bytes])


def day_path(directory: Path, day: int) -> Path:
    """``day`` counts UTC days from 1970-01-01."""
    return directory / f"readings-{EPOCH + timedelta(days=day):%Y-%m-%d}.db"


def days(directory: Path) -> list[int]:
    """The days that have a file, ascending."""
    names = (re.fullmatch(r"readings-(\d{4}-\d\d-\d\d)\.db", name) for name in os.listdir(directory))
    return sorted(to_us(datetime.fromisoformat(f"{name[1]}T00:00:00+00:00")) // DAY_US for name in names if name)


def to_us(instant: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (instant - EPOCH) // timedelta(microseconds=1)


class ReadingsFile:
    """One day's file, open for writing; lives in the thread of the readings. Raises apsw.Error."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = apsw.Connection(str(path))
        self._db.set_busy_timeout(BUSY_MS)
        fetch(self._db, "PRAGMA journal_mode = WAL")
        fetch(self._db, "PRAGMA synchronous = FULL")
        if not fetch(self._db, "SELECT 1 FROM sqlite_schema WHERE name = 'owed'"):
            with self._db:
                for statement in _SCHEMA:
                    self._db.execute(statement)
        self._layouts: dict[bytes, int] = {row[1]: row[0] for row in fetch(self._db, "SELECT id, text FROM layout")}
        self._seen: dict[int, tuple[Layout, int]] = {}  # by identity; held, so that no other gets it

    def close(self) -> None:
        self._db.close()

    def total(self) -> int:
        return int(value(self._db, "SELECT readings FROM total") or 0)

    def is_settled(self) -> bool:
        """Nothing staged, nothing owed."""
        sql = "SELECT EXISTS(SELECT 1 FROM stage) OR EXISTS(SELECT 1 FROM owed)"
        return not value(self._db, sql)

    def stage(self, boot: str, number: int, parts: Iterable[tuple[Layout, Part]], total: int) -> None:
        """One second of frames, durable when this returns."""
        made: dict[bytes, int] = {}
        with self._db:
            staged = []
            for layout, part in parts:
                part.layout = self._number(layout, made)
                staged.append(part)
            data = codec.pack(msgspec.msgpack.encode(staged))
            self._db.execute("INSERT INTO stage(boot, number, data) VALUES (?, ?, ?)", (boot, number, data))
            self._db.execute("INSERT OR REPLACE INTO total(one, readings) VALUES (1, ?)", (total,))
        self._layouts.update(made)

    def seal(self) -> bool:
        """Turn what is staged into spans and blocks; whether there may be more to seal."""
        sql = "SELECT boot, number, data FROM stage ORDER BY rowid LIMIT ?"
        staged = fetch(self._db, sql, (_STAGES_PER_SEAL,))
        gathered: dict[tuple[str, int], list[tuple[int, Part]]] = defaultdict(list)
        for boot, number, data in staged:
            for part in _stages.decode(codec.unpack(data)):
                gathered[boot, part.layout].append((number, part))
        layouts = _layouts(self._db)
        with self._db:
            for (boot, layout_id), parts in gathered.items():
                self._seal_span(boot, layout_id, layouts[layout_id], parts)
            self._db.executemany("DELETE FROM stage WHERE boot = ? AND number = ?", [row[:2] for row in staged])
        return len(staged) == _STAGES_PER_SEAL

    def owed(self) -> list[tuple[Sealed, list[int]]]:
        """What the log has still to be told of, per boot, with the spans it settles."""
        sql = (
            "SELECT span.id, layout, boot, number, first_us, last_us, frames, data "
            "FROM owed JOIN span ON span.id = owed.span ORDER BY span.id"
        )
        layouts = _layouts(self._db)
        spans: dict[str, list[SealedSpan]] = defaultdict(list)
        ids: dict[str, list[int]] = defaultdict(list)
        for span, layout_id, boot, number, first_us, last_us, frames, data in fetch(self._db, sql):
            layout = layouts[layout_id]
            blocks = fetch(self._db, "SELECT place, data FROM block WHERE span = ? ORDER BY place", (span,))
            sealed = SealedSpan(
                number=number,
                layout=layout_id,
                device=layout.device,
                start=_time(first_us),
                end=_time(last_us),
                frames=frames,
                times=_digest(data),
                blocks={layout.tags[place].name: _digest(block) for place, block in blocks},
            )
            spans[boot].append(sealed)
            ids[boot].append(span)
        return [(Sealed(file=self.path.name, boot=boot, spans=tuple(spans[boot])), ids[boot]) for boot in spans]

    def settle(self, spans: Sequence[int]) -> None:
        """Their digests are in the log."""
        with self._db:
            self._db.executemany("DELETE FROM owed WHERE span = ?", [(span,) for span in spans])

    def _number(self, layout: Layout, made: dict[bytes, int]) -> int:
        """Of ``layout`` in this file; ``made`` gets what is new and becomes known with the commit."""
        seen = self._seen.get(id(layout))
        if seen is not None:
            return seen[1]
        text = msgspec.json.encode(layout)
        number = self._layouts.get(text) or made.get(text)
        if number is None:
            self._db.execute("INSERT INTO layout(text) VALUES (?)", (text,))
            number = made[text] = self._db.last_insert_rowid()
        elif text in self._layouts:
            if len(self._seen) >= _LAYOUTS_SEEN:
                self._seen.clear()
            self._seen[id(layout)] = (layout, number)
        return number

    def _seal_span(self, boot: str, layout_id: int, layout: Layout, parts: Sequence[tuple[int, Part]]) -> None:
        times: array[int] = array("q", b"".join(part.times_us for _, part in parts))
        quality = array("q", b"".join(part.quality for _, part in parts))
        values = _values(layout, b"".join(part.values for _, part in parts))
        shared = msgspec.msgpack.encode((codec.encode(times), codec.encode(quality)))
        sql = "INSERT INTO span(layout, boot, number, first_us, last_us, frames, data) VALUES (?, ?, ?, ?, ?, ?, ?)"
        self._db.execute(sql, (layout_id, boot, parts[0][0], min(times), max(times), len(times), shared))
        span = self._db.last_insert_rowid()
        width = len(layout.tags)
        blocks = ((span, place, codec.encode(values[place::width])) for place in range(width))
        self._db.executemany("INSERT INTO block(span, place, data) VALUES (?, ?, ?)", blocks)
        self._db.execute("INSERT INTO owed(span) VALUES (?)", (span,))


def read_samples(path: Path, tag: str, start_us: int, end_us: int) -> list[Sample]:
    """The readings of ``tag`` in one day's file with start ≤ time ≤ end, sealed or staged, in the order they came."""
    db = _open_read_only(path)
    try:
        with db:  # one look: what is sealed meanwhile must not be seen twice, nor not at all
            layouts = _layouts(db)
            places = {
                number: place
                for number, layout in layouts.items()
                for place, named in enumerate(layout.tags)
                if named.name == tag
            }
            samples: list[Sample] = []
            sql = (
                "SELECT span.data, block.data FROM span JOIN block ON block.span = span.id "
                "WHERE block.place = ? AND span.layout = ? AND last_us >= ? AND first_us <= ? ORDER BY span.id"
            )
            for number, place in places.items():
                named = layouts[number].tags[place]
                for shared, block in fetch(db, sql, (place, number, start_us, end_us)):
                    times, quality = _shared.decode(shared)
                    rows = zip(_ints(times), _ints(quality), codec.decode(block), strict=True)
                    samples += [
                        Sample(named, time, raw, QUALITIES[mark])
                        for time, mark, raw in rows
                        if start_us <= time <= end_us
                    ]
            for (data,) in fetch(db, "SELECT data FROM stage ORDER BY rowid"):
                samples += _staged_samples(_stages.decode(codec.unpack(data)), layouts, places, start_us, end_us)
    finally:
        db.close()
    return samples


def _staged_samples(
    parts: Sequence[Part], layouts: dict[int, Layout], places: dict[int, int], start_us: int, end_us: int
) -> Iterator[Sample]:
    for part in parts:
        place = places.get(part.layout)
        if place is None:
            continue
        layout = layouts[part.layout]
        raws = _values(layout, part.values)[place :: len(layout.tags)]
        for time, mark, raw in zip(array("q", part.times_us), array("q", part.quality), raws, strict=True):
            if start_us <= time <= end_us:
                yield Sample(layout.tags[place], time, raw, QUALITIES[mark])


def digest_faults(path: Path, sealed: Sealed) -> Iterator[tuple[str, str]]:
    """(tag, "" or what is wrong with its block) for every block that ``sealed`` names. Raises apsw.Error."""
    db = _open_read_only(path)
    try:
        layouts = _layouts(db)
        sql = "SELECT id, data FROM span WHERE layout = ? AND boot = ? AND number = ?"
        for told in sealed.spans:
            found = fetch(db, sql, (told.layout, sealed.boot, told.number))
            layout = layouts.get(told.layout)
            if not found or layout is None:
                yield next(iter(told.blocks), told.device), "block_missing"
                continue
            span, data = found[0]
            yield told.device, "" if _digest(data) == told.times else "block"
            rows = fetch(db, "SELECT place, data FROM block WHERE span = ?", (span,))
            blocks = {layout.tags[place].name: block for place, block in rows}
            for tag, digest in told.blocks.items():
                block = blocks.get(tag)
                yield tag, "block_missing" if block is None else "" if _digest(block) == digest else "block"
    finally:
        db.close()


def _open_read_only(path: Path) -> apsw.Connection:
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    db.set_busy_timeout(BUSY_MS)
    return db


def _layouts(db: apsw.Connection) -> dict[int, Layout]:
    return {row[0]: msgspec.json.decode(row[1], type=Layout) for row in fetch(db, "SELECT id, text FROM layout")}


def _values(layout: Layout, data: bytes) -> array[int] | array[float]:
    return array("q", data) if layout.typecode == "q" else array("d", data)


def _ints(block: bytes) -> array[int]:
    return cast("array[int]", codec.decode(block))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _time(time_us: int) -> str:
    return f"{EPOCH + timedelta(microseconds=time_us):%Y-%m-%dT%H:%M:%S.%fZ}"
