"""Re-hash everything: every record against its leaf, every number against the next, every count against what was
written, every block of readings against its digest in the log. Stops at the first bad record and names it.

Reads in short steps on connections of its own, so it runs beside the daemon: it checks up to the head the log had at
its start. It needs no key and trusts only SQLite and SHA-256.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import apsw
import msgspec
from msgspec import Struct

from edge.errors import LogDamaged
from edge.log.envelope import kind_inside
from edge.log.leaves import kept
from edge.log.readingsfile import Sealed, digest_faults
from edge.log.segment import Meta, first_seqs, leaf_hash, open_read_only, read_meta, segment_path
from edge.log.sql import fetch, value
from edge.log.walcheck import damage
from edge.model import Kind
from edge.wording import Words
from edge.wording.storage import FAULTS

RECORDS_PER_READ: Final = 1000


class Fault(Struct, frozen=True, kw_only=True):
    """The first thing that is wrong. ``seq`` 0: no single record."""

    seq: int
    file: str
    what: Words


class Verification(Struct, frozen=True, kw_only=True):
    """What was checked: ``records`` from ``first`` to ``head``, ``retired`` before them by their leaves alone."""

    origin: str
    records: int
    first: int
    head: int
    retired: int
    blocks: int  #: blocks of readings whose digests were right
    fault: Fault | None


class _Broken(Exception):
    """The finding that ends the check."""

    def __init__(self, at: int, file: str, fault: str, **fields: object) -> None:
        super().__init__(fault)
        self.fault = Fault(seq=at, file=file, what=FAULTS[fault].fill(fields))


def verify(state_dir: Path, progress: Callable[[int, int], None]) -> Verification:
    """Check the log and the readings in ``state_dir``. ``progress(done, all)`` counts records. Raises OSError."""
    check = _Check(state_dir)
    fault = None
    try:
        check.run(progress)
    except _Broken as broken:
        fault = broken.fault
    return Verification(
        origin=check.origin,
        records=check.records,
        first=check.first,
        head=check.seq,
        retired=check.first - 1 if check.first else 0,
        blocks=check.blocks,
        fault=fault,
    )


class _Audit(Struct):
    act: str = ""
    file: str = ""


class _Check:
    def __init__(self, state_dir: Path) -> None:
        self.origin = ""
        self.records = self.first = self.seq = self.blocks = 0
        self._directory = state_dir / "log"
        self._readings = state_dir / "readings"
        self._counted: Counter[str] = Counter()
        self._tally: dict[str, int] = {}
        self._missing: dict[str, int] = {}  # day files that are not there -> the first record that speaks of one
        self._file = ""

    def run(self, progress: Callable[[int, int], None]) -> None:
        followed = self._followed()  # before the head: a follower is never ahead of the log
        firsts = first_seqs(self._directory)
        last = firsts[-1] if firsts else 0
        self.first = firsts[0] if firsts else 1
        self.seq = self.first - 1
        self._check_leaves()
        if firsts and not self._is_complete(firsts[-1]):
            firsts.pop()  # at its birth, or interrupted then: nothing is in it, its predecessor is the live one
        head = self._head(firsts[-1]) if firsts else 0
        for first in firsts:
            self._file = segment_path(self._directory, first).name
            try:
                self._segment(first, head, progress, live=first == firsts[-1])
            except (apsw.Error, LogDamaged, msgspec.MsgspecError) as exc:
                raise _Broken(self.seq + 1, self._file, "unreadable", detail=str(exc)) from exc
        for name, seq in self._missing.items():
            raise _Broken(seq, name, "file_missing")
        self._check_end(last, followed)

    def _followed(self) -> int:
        """The last record that the index of identities has seen: a witness of its own to how long the log was."""
        path = self._directory / "index.db"
        if not path.exists():
            return 0
        self._file = path.name
        try:
            connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            try:
                return int(value(connection, "SELECT max(seq) FROM cursor") or 0)
            finally:
                connection.close()
        except apsw.Error as exc:
            raise _Broken(0, self._file, "unreadable", detail=str(exc)) from exc

    def _check_end(self, last: int, followed: int) -> None:
        """SQLite says nothing of what stands behind a damaged frame of its write-ahead log; this does."""
        lost = followed > self.seq
        if last:
            wal = Path(f"{segment_path(self._directory, last)}-wal")
            found = damage(wal)
            if found is not None and (found.certain or lost):
                # not lost: it was taken over into the file before it was damaged, and every record is there
                seq = 0 if followed == self.seq else self.seq + 1
                raise _Broken(seq, wal.name, "frame", frame=found.frame)
        if lost:
            raise _Broken(self.seq + 1, self._file, "lost", head=self.seq, followed=followed)

    def _is_complete(self, first: int) -> bool:
        self._file = segment_path(self._directory, first).name
        connection = open_read_only(self._directory, first, live=True)
        try:
            return read_meta(connection) is not None
        except (apsw.Error, LogDamaged) as exc:
            raise _Broken(first, self._file, "unreadable", detail=str(exc)) from exc
        finally:
            connection.close()

    def _head(self, first: int) -> int:
        """The end of the last segment as it is now, with its tally; both in one look."""
        self._file = segment_path(self._directory, first).name
        connection = open_read_only(self._directory, first, live=True)
        try:
            connection.execute("BEGIN")
            last = value(connection, "SELECT max(seq) FROM records")
            self._tally = dict(fetch(connection, "SELECT kind, records FROM tally"))
            connection.execute("COMMIT")
        except apsw.Error as exc:
            raise _Broken(0, self._file, "unreadable", detail=str(exc)) from exc
        finally:
            connection.close()
        return int(last) if last is not None else first - 1

    def _check_leaves(self) -> None:
        expected = 1
        for first, count in kept(self._directory):
            if first >= self.first:
                break  # kept already, its segment not yet removed
            if first != expected:
                break
            expected = first + count
        if expected != self.first:
            raise _Broken(expected, "leaves", "leaves", seq=expected)

    def _segment(self, first: int, head: int, progress: Callable[[int, int], None], *, live: bool) -> None:
        connection = open_read_only(self._directory, first, live=live)
        try:
            meta = read_meta(connection)
            if meta is None:
                raise _Broken(first, self._file, "gap", seq=first, found=head)
            self._check_meta(meta)
            for seq, filed, leaf, data in self._rows(connection, head):
                if seq != self.seq + 1:
                    raise _Broken(self.seq + 1, self._file, "gap", seq=self.seq + 1, found=seq)
                self._record(seq, filed, leaf, data)
                self.seq = seq
                self.records += 1
                self._counted[filed] += 1
                if self.records % RECORDS_PER_READ == 0:
                    progress(seq, head)
            progress(self.seq, head)
            written = self._tally if live else dict(fetch(connection, "SELECT kind, records FROM tally"))
            self._check_counts(written)
        finally:
            connection.close()

    def _check_meta(self, meta: Meta) -> None:
        if not self.origin:
            self.origin = meta.origin
            self._counted = Counter(meta.before)
        if meta.origin != self.origin:
            raise _Broken(meta.first, self._file, "origin", found=meta.origin)
        if meta.first != self.seq + 1:
            raise _Broken(self.seq + 1, self._file, "gap", seq=self.seq + 1, found=meta.first)
        self._check_counts(meta.before)

    def _check_counts(self, written: dict[str, int]) -> None:
        for kind in sorted(self._counted.keys() | written.keys()):
            if self._counted[kind] != written.get(kind, 0):
                counts = {"counted": self._counted[kind], "written": written.get(kind, 0)}
                raise _Broken(self.seq, self._file, "count", kind=kind, **counts)

    def _rows(self, connection: apsw.Connection, head: int) -> Iterator[tuple[int, str, bytes, bytes]]:
        after = self.seq
        sql = "SELECT seq, kind, leaf, data FROM records WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
        while True:
            rows = fetch(connection, sql, (after, head, RECORDS_PER_READ))
            yield from rows
            if len(rows) < RECORDS_PER_READ:
                return
            after = rows[-1][0]

    def _record(self, seq: int, filed: str, leaf: bytes, data: bytes) -> None:
        if leaf_hash(data) != leaf:
            raise _Broken(seq, self._file, "leaf")
        try:
            said = kind_inside(data)
        except msgspec.MsgspecError:
            raise _Broken(seq, self._file, "json") from None
        if said != filed:
            raise _Broken(seq, self._file, "kind", filed=filed, said=said)
        if filed == Kind.READINGS:
            self._readings_record(seq, msgspec.json.decode(data, type=Sealed))
        elif filed == Kind.AUDIT:
            audit = msgspec.json.decode(data, type=_Audit)
            if audit.act == "retention":
                self._missing.pop(audit.file, None)

    def _readings_record(self, seq: int, sealed: Sealed) -> None:
        if not re.fullmatch(r"readings-\d{4}-\d\d-\d\d\.db", sealed.file):
            raise _Broken(seq, self._file, "json")
        path = self._readings / sealed.file
        if not path.exists():
            self._missing.setdefault(sealed.file, seq)
            return
        try:
            for tag, fault in digest_faults(path, sealed):
                if fault:
                    raise _Broken(seq, sealed.file, fault, tag=tag)
                self.blocks += 1
        except apsw.Error as exc:
            raise _Broken(seq, sealed.file, "unreadable", detail=str(exc)) from exc
