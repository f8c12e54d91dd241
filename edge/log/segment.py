"""One file of the log: the records from a first seq on, and beside them the working state they left behind.

::

    records-00000000000000000001.db
      records(seq, kind, leaf, data)   written once; triggers refuse UPDATE and DELETE
      state(key, value)                the stations' working state, changed in the transaction of the records
      tally(kind, records)             how many of each kind were ever written, up to the last one here
      meta(key, value)                 origin, first, created, format, before: written once

A new segment is born with a copy of state and tally in one transaction, so at every instant exactly one file is the
live one: the last whose ``meta`` is complete. A file without ``meta`` was interrupted at birth and is removed.

The write-ahead log is filled with zeros to its full size at birth and never truncated: overwriting in place makes a
commit cost one ``fdatasync`` and no metadata. SQLite stops reading it at the first frame without a valid checksum, so
zeros mean "empty".
"""

from __future__ import annotations

import ctypes
import hashlib
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import apsw
import msgspec
from msgspec import Struct

from edge.errors import LogDamaged, LotlineError
from edge.log.sql import fetch, value
from edge.model import Entry, Kind

FORMAT: Final = "1"
OLDEST_SQLITE: Final = 3_051_003  # earlier ones may corrupt a WAL that two connections checkpoint (sqlite.org/wal.html)
PAGE_BYTES: Final = 4096
WAL_BYTES: Final = 16 << 20
ROWS_PER_INSERT: Final = (
    100,
    10,
    1,
)  # every call gives the interpreter away and has to wait for it: few, with many rows
BUSY_MS: Final = 5000


def require_sqlite(number: int, name: str) -> None:
    """Raise LotlineError for a SQLite that is too old."""
    if number < OLDEST_SQLITE:
        raise LotlineError(
            f"This apsw carries SQLite {name}, which can corrupt a log.",
            "Install the versions named in requirements.lock (SQLite 3.51.3 or later).",
        )


require_sqlite(apsw.SQLITE_VERSION_NUMBER, apsw.sqlite_lib_version())

_SCHEMA: Final = (
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE tally(kind TEXT PRIMARY KEY, records INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE state(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT",
    "CREATE TABLE records(seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, leaf BLOB NOT NULL, data BLOB NOT NULL) STRICT",
    *(
        f"CREATE TRIGGER {table}_{act.lower()} BEFORE {act} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'the log is append-only: no {act} on {table}'); END"
        for table in ("records", "meta")
        for act in ("UPDATE", "DELETE")
    ),
    # REPLACE deletes without firing a trigger, so an insert may only be the next one
    "CREATE TRIGGER records_insert BEFORE INSERT ON records "
    "WHEN NEW.seq <> (SELECT coalesce(max(seq) + 1, NEW.seq) FROM records) "
    "BEGIN SELECT RAISE(ABORT, 'the log is append-only: this is not the next seq'); END",
    "CREATE TRIGGER meta_insert BEFORE INSERT ON meta WHEN EXISTS(SELECT 1 FROM meta WHERE key = NEW.key) "
    "BEGIN SELECT RAISE(ABORT, 'the log is append-only: no UPDATE on meta'); END",
)
_INSERT: Final = "INSERT INTO records(seq, kind, leaf, data) VALUES {rows}"
_UPSERT_STATE: Final = (
    "INSERT INTO state(key, value) VALUES {rows} ON CONFLICT(key) DO UPDATE SET value = excluded.value"
)
_UPSERT_TALLY: Final = (
    "INSERT INTO tally(kind, records) VALUES {rows} ON CONFLICT(kind) DO UPDATE SET records = excluded.records"
)


def leaf_hash(data: bytes) -> bytes:
    """RFC 6962 §2.1: SHA-256(0x00 ‖ data)."""
    return hashlib.sha256(b"\x00" + data).digest()


class Meta(Struct, frozen=True, kw_only=True):
    """What a segment says about itself. ``before``: records per kind in all segments before it."""

    origin: str
    first: int
    created: str
    before: dict[str, int]


class Row(Struct, frozen=True):
    """One record on its way in."""

    seq: int
    entry: Entry
    leaf: bytes


def segment_path(directory: Path, first: int) -> Path:
    return directory / f"records-{first:020d}.db"


def first_seqs(directory: Path) -> list[int]:
    """The first seq of every segment in ``directory``, ascending; from the names alone."""
    names = (name for name in os.listdir(directory) if name.startswith("records-") and name.endswith(".db"))
    return sorted(int(name[8:-3]) for name in names if name[8:-3].isdigit())


def remove_files(path: Path) -> None:
    """Remove a database, then what SQLite keeps beside it: from the first step on there is no half of it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def remove_stillborn(path: Path) -> None:
    """Remove a file that will be made again under its name: last, so that no old write-ahead log meets a new file."""
    for suffix in ("-wal", "-shm", "-journal", ""):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make names in ``directory`` durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_meta(connection: apsw.Connection) -> Meta | None:
    """None for a file interrupted at birth: all its tables come in one transaction. Raises LogDamaged, apsw.Error."""
    if not fetch(connection, "SELECT 1 FROM sqlite_schema"):
        return None
    rows = dict(fetch(connection, "SELECT key, value FROM meta"))
    if rows.get("format") != FORMAT:
        raise LogDamaged(
            f"{connection.filename} is a log of format {rows.get('format')}, this program reads format {FORMAT}.",
            "Use the version of Lotline that wrote it.",
        )
    before = msgspec.json.decode(rows["before"], type=dict[str, int])
    return Meta(origin=rows["origin"], first=int(rows["first"]), created=rows["created"], before=before)


class Segment:
    """The live file, open for appending. Lives in the writer thread; raises apsw.Error, never hides one."""

    def __init__(self, path: Path, *, wal_bytes: int) -> None:
        self.path = path
        self.frames = 0  #: pages in the write-ahead log that a checkpoint has not yet taken over
        self._taken = 0
        self._wal_bytes = wal_bytes
        self._db = apsw.Connection(str(path))
        self._db.set_busy_timeout(BUSY_MS)
        fetch(self._db, f"PRAGMA page_size = {PAGE_BYTES}")
        fetch(self._db, "PRAGMA journal_mode = WAL")
        fetch(self._db, "PRAGMA synchronous = FULL")
        fetch(self._db, "PRAGMA cache_size = -16384")
        self._db.set_wal_hook(self._committed)  # also takes the place of the automatic checkpoint
        self.meta = read_meta(self._db)

    @classmethod
    def create(cls, directory: Path, meta: Meta, state: Mapping[str, bytes], *, wal_bytes: int) -> Segment:
        """A new segment, durable with its copy of ``state`` when this returns."""
        segment = cls(segment_path(directory, meta.first), wal_bytes=wal_bytes)
        db = segment._db
        db.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA:
            db.execute(statement)
        before = msgspec.json.encode(meta.before).decode()
        rows = (
            ("format", FORMAT),
            ("origin", meta.origin),
            ("first", str(meta.first)),
            ("created", meta.created),
            ("before", before),
        )
        db.executemany("INSERT INTO meta(key, value) VALUES (?, ?)", rows)
        _write(db, _UPSERT_TALLY, list(meta.before.items()))
        _write(db, _UPSERT_STATE, list(state.items()))
        db.execute("COMMIT")
        sync_directory(directory)
        segment.meta = meta
        segment.ready()
        return segment

    def ready(self) -> None:
        """Fill the write-ahead log to its size and keep it when the file is closed."""
        self._keep_wal(1)
        _fill(Path(f"{self.path}-wal"), self._wal_bytes)

    def append(self, rows: Sequence[Row], state: Mapping[str, bytes | None], tally: Mapping[str, int]) -> None:
        """One transaction, one fdatasync. On an error nothing of it is kept in this connection."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            _write(self._db, _INSERT, [(row.seq, row.entry.kind.value, row.leaf, row.entry.data) for row in rows])
            _write(self._db, _UPSERT_STATE, [(key, value) for key, value in state.items() if value is not None])
            for key in [key for key, value in state.items() if value is None]:
                self._db.execute("DELETE FROM state WHERE key = ?", (key,))
            _write(self._db, _UPSERT_TALLY, list(tally.items()))
            self._db.execute("COMMIT")
        except apsw.Error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def checkpoint(self) -> None:
        """Take over into the file what no reader stands in the way of."""
        total, taken = self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        self._taken = max(taken, 0)
        self.frames = max(total - taken, 0)

    def turn(self) -> None:
        """Begin the write-ahead log anew, when idle: it costs a second fdatasync, for which no scan shall wait."""
        self._db.execute("UPDATE tally SET records = records WHERE kind = (SELECT min(kind) FROM tally)")

    def seal(self) -> None:
        """Take everything over into the file and close it for good."""
        self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        self._keep_wal(0)
        self._db.close()

    def close(self) -> None:
        self._db.close()

    def head(self) -> int:
        """The last seq; of an empty segment the one before its first."""
        last = value(self._db, "SELECT max(seq) FROM records")
        return int(last) if last is not None else self._required_meta().first - 1

    def tally(self) -> dict[str, int]:
        return dict(fetch(self._db, "SELECT kind, records FROM tally"))

    def state(self) -> dict[str, bytes]:
        return dict(fetch(self._db, "SELECT key, value FROM state"))

    def size(self) -> int:
        return int(value(self._db, "PRAGMA page_count")) * PAGE_BYTES

    def tail(self, records: int) -> Sequence[tuple[int, bytes, bytes]]:
        """(seq, leaf, data) of the last ``records`` records, newest first."""
        return fetch(self._db, "SELECT seq, leaf, data FROM records ORDER BY seq DESC LIMIT ?", (records,))

    def forget_cache(self) -> None:
        """Let what is read next come from the disk: after a failed fsync the kernel's copy proves nothing."""
        try:
            descriptor = os.open(f"{self.path}-wal", os.O_RDONLY)
        except FileNotFoundError:
            return
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)

    def _required_meta(self) -> Meta:
        if self.meta is None:
            raise LogDamaged(
                f"{self.path} was interrupted at birth.", "Start Lotline again; it removes the empty file."
            )
        return self.meta

    def _committed(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        if pages < self._taken:  # the write-ahead log began anew
            self._taken = 0
        self.frames = pages - self._taken
        return apsw.SQLITE_OK

    def _keep_wal(self, keep: int) -> None:
        flag = ctypes.c_int(keep)
        self._db.file_control("main", apsw.SQLITE_FCNTL_PERSIST_WAL, ctypes.addressof(flag))


def _write(db: apsw.Connection, sql: str, rows: Sequence[tuple[int | str | bytes, ...]]) -> None:
    """``sql`` for all ``rows``, whose places go to {rows}."""
    start = 0
    for size in ROWS_PER_INSERT:
        while len(rows) - start >= size:
            chunk = rows[start : start + size]
            db.execute(_placed(sql, len(chunk[0]), size), [value for row in chunk for value in row])
            start += size


@lru_cache
def _placed(sql: str, columns: int, rows: int) -> str:
    return sql.format(rows=", ".join(["(" + ", ".join("?" * columns) + ")"] * rows))


def _fill(wal: Path, size: int) -> None:
    """Append zeros up to ``size``. SQLite takes no lock on this file, so closing our descriptor releases none."""
    descriptor = os.open(wal, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        end = os.fstat(descriptor).st_size
        if end >= size:
            return
        zeros = bytes(1 << 20)
        while end < size:
            end += os.pwrite(descriptor, zeros[: size - end], end)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def open_read_only(directory: Path, first: int, *, live: bool) -> apsw.Connection:
    """A sealed file whose write-ahead log is empty is read without locks: so it can be read on a read-only disk too."""
    path = segment_path(directory, first)
    wal = Path(f"{path}-wal")
    sealed = not live and not (wal.exists() and wal.stat().st_size)
    uri = f"{path.absolute().as_uri()}?mode=ro" + ("&immutable=1" if sealed else "")
    connection = apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    connection.set_busy_timeout(BUSY_MS)
    return connection


def oldest_created(directory: Path) -> str | None:
    """When the oldest segment was begun; None for a log without one."""
    for first in first_seqs(directory)[:1]:
        connection = open_read_only(directory, first, live=True)
        try:
            meta = read_meta(connection)
        finally:
            connection.close()
        return meta.created if meta else None
    return None


def kinds(tally: Mapping[str, int]) -> dict[Kind, int]:
    """``tally`` with a number for every kind there is."""
    return {kind: tally.get(kind.value, 0) for kind in Kind}
