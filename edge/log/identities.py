"""Which ids exist already: the answer to "was this serial made before", also long after its record is gone.

::

    lookup = {reserved, or recorded and not yet indexed}  in memory     ∪     index.db  a follower of the log

A serial is reserved before its record is enqueued, and released if the commit fails; the follower takes it out of
memory only after its row is in the index. So no check depends on how far the follower has come. Rows and cursor commit
together; after a power cut both may be a little older (synchronous NORMAL) and ``catch_up`` replays. Records are held
until the index that read them is itself on disk for good.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import apsw
import msgspec
from msgspec import Struct

from edge.errors import LogDamaged, StorageStop
from edge.log.segment import BUSY_MS
from edge.log.sql import fetch, value
from edge.log.writer import Log
from edge.model import Kind, Record

OUTPUT: Final = "output"  #: produced here
COMPONENT: Final = "component"  #: built into something
#: the roles that are remembered; what is loaded or used up recurs with every unit and says nothing about existence
ROLES: Final = frozenset({OUTPUT, COMPONENT, "made", "received"})
RECORDS_PER_STEP: Final = 2000
SETTLE_EVERY_S: Final = 600.0  # only retention waits for it, and an fsync here would delay a scan's

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS item(
    id TEXT NOT NULL, role TEXT NOT NULL, seq INTEGER NOT NULL, station TEXT NOT NULL, time TEXT NOT NULL,
    PRIMARY KEY(id, role)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cursor(origin TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""
_INSERT: Final = "INSERT INTO item(id, role, seq, station, time) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_ADVANCE: Final = "INSERT INTO cursor(origin, seq) VALUES (?, ?) ON CONFLICT(origin) DO UPDATE SET seq = excluded.seq"
_LOOKUP: Final = "SELECT id, role, seq, station, time FROM item WHERE id IN ({})"


class Sighting(Struct, frozen=True, kw_only=True):
    """Where an id was first seen in a role. ``seq`` 0: reserved, its record is not yet on disk."""

    seq: int
    station: str
    time: str
    role: str = OUTPUT


class _Item(Struct):
    role: str = ""
    id: str = ""


class _Event(Struct):
    time: str = msgspec.field(name="eventTime", default="")
    station: str = msgspec.field(name="lotline:station", default="")
    items: list[_Item] = msgspec.field(name="lotline:items", default_factory=list)


_events: Final = msgspec.json.Decoder(_Event)


class Identities:
    """Look up, reserve and release in the loop; index in a thread of its own."""

    def __init__(self, log: Log, state_dir: Path) -> None:
        self._log = log
        self._path = state_dir / "log" / "index.db"
        self._reserved: dict[tuple[str, str], Sighting] = {}
        self._indexed: deque[tuple[str, str]] = deque()  # of these the index now knows; told by its thread
        self._lock = threading.Lock()
        self._index = _open(self._path)
        for statement in _SCHEMA.split(";"):
            self._index.execute(statement)
        self._lookup = _open(self._path)
        self._cursor = self._stored_cursor()
        self._durable = 0  # how far the index is beyond the reach of a power cut
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="lotline-identities")
        log.hold("identities", lambda: self._durable)

    def sightings(self, items: Sequence[str]) -> dict[str, dict[str, Sighting]]:
        """item -> role -> its first sighting in that role; memory first, then one read of the index for all of them."""
        found: dict[str, dict[str, Sighting]] = {item: {} for item in items}
        if not found:
            return found
        sql = _LOOKUP.format(",".join("?" * len(found)))
        for item, role, seq, station, moment in fetch(self._lookup, sql, tuple(found)):
            found[item][role] = Sighting(seq=seq, station=station, time=moment, role=role)
        for item, roles in found.items():
            roles |= {role: seen for role in ROLES if (seen := self._reserved.get((item, role))) is not None}
        return found

    def lookup_now(self, item: str, role: str = OUTPUT) -> Sighting | None:
        """The first sighting of ``item`` in ``role``."""
        return self.sightings((item,))[item].get(role)

    async def lookup(self, item: str, role: str = OUTPUT) -> Sighting | None:
        """As ``lookup_now``."""
        return self.lookup_now(item, role)

    def reserve(self, item: str, sighting: Sighting) -> None:
        """From now on ``item`` exists in ``sighting.role``."""
        self._reserved[item, sighting.role] = sighting

    def release(self, item: str, role: str = OUTPUT) -> None:
        """Its record was not taken."""
        self._reserved.pop((item, role), None)

    def catch_up(self) -> None:
        """Index everything up to the head: before the first scan, and when the log's generation has changed. Blocks.

        Raises LogDamaged, or StorageStop where the index cannot be written.
        """
        reader = self._log.reader()
        try:
            while self._cursor < self._log.head:
                self._step(self._log.head, reader.read(self._cursor, RECORDS_PER_STEP, Kind.EVENT))
        finally:
            reader.close()

    async def run(self) -> None:
        """Follow the log until cancelled. Raises as ``catch_up``."""
        loop = asyncio.get_running_loop()
        settle_at = time.monotonic()
        while True:
            await self._log.beyond(self._cursor)
            await loop.run_in_executor(self._pool, self.catch_up)
            self._forget_indexed()
            if time.monotonic() >= settle_at:
                settle_at = time.monotonic() + SETTLE_EVERY_S
                await loop.run_in_executor(self._pool, self._settle)

    def close(self) -> None:
        self._pool.shutdown()
        self._index.close()
        self._lookup.close()

    def _step(self, head: int, records: Sequence[Record]) -> None:
        """``records``: the events after the cursor; fewer than asked for means there are no more up to ``head``."""
        with self._lock:
            cursor = records[-1].seq if len(records) == RECORDS_PER_STEP else head
            if cursor <= self._cursor:
                return
            rows = []
            for record in records:
                event = _events.decode(record.data)
                rows += [
                    (item.id, item.role, record.seq, event.station, event.time)
                    for item in event.items
                    if item.role in ROLES
                ]
            try:
                with self._index:
                    self._index.executemany(_INSERT, sorted(rows))
                    self._index.execute(_ADVANCE, (self._log.origin, cursor))
            except (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.BusyError) as exc:
                raise StorageStop(
                    f"The index of serials cannot be written ({exc}).", "Free space on the disk."
                ) from exc
            self._cursor = cursor
            self._indexed += [(item, role) for item, role, *_ in rows if (item, role) in self._reserved]

    def _settle(self) -> None:
        """Put the index itself on disk, so that what it has read need not be held for it."""
        with self._lock:
            total, taken = self._index.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            if total == taken:
                self._durable = self._cursor

    def _forget_indexed(self) -> None:
        """In the loop: drop from memory what the index answers by itself."""
        while self._indexed:
            self._reserved.pop(self._indexed.popleft(), None)

    def _stored_cursor(self) -> int:
        cursor = int(value(self._index, "SELECT seq FROM cursor WHERE origin = ?", (self._log.origin,)) or 0)
        reader = self._log.reader()
        try:
            oldest = next(iter(reader.read(0, 1)), None)
        finally:
            reader.close()
        if oldest is not None and oldest.seq > cursor + 1:
            raise LogDamaged(
                f"{self._path} lacks the serials of records {cursor + 1} to {oldest.seq - 1}, which are gone.",
                "Restore index.db from the last backup.",
            )
        if cursor > self._log.head:
            raise LogDamaged(
                f"The log ends at record {self._log.head}, but {self._path} has seen record {cursor}: its end is lost.",
                "Run 'lotline verify' and restore the last backup; going on would give numbers a second time.",
            )
        return cursor


def _open(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(BUSY_MS)
    fetch(connection, "PRAGMA journal_mode = WAL")
    fetch(connection, "PRAGMA synchronous = NORMAL")
    return connection
