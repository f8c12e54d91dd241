"""Reading the log: in order of seq over all its files, on a connection of one's own, never holding a transaction open.

What a retention has removed is skipped; its leaf hashes are still there (``leaves``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import apsw

from edge.errors import LogDamaged
from edge.log.leaves import kept, read_kept
from edge.log.segment import Meta, first_seqs, open_read_only, read_meta
from edge.log.sql import fetch
from edge.model import Kind, Record

_KINDS: Final = {kind.value: kind for kind in Kind}
_READ: Final = "SELECT seq, kind, leaf, data FROM records WHERE seq > ? ORDER BY seq LIMIT ?"
_READ_KIND: Final = "SELECT seq, kind, leaf, data FROM records WHERE seq > ? AND kind = ? ORDER BY seq LIMIT ?"


class LogReader:
    """One reader for one thread. Files are opened when they are first needed and kept until another is."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._first = 0
        self._db: apsw.Connection | None = None
        self._meta: Meta | None = None

    def read(self, after: int, limit: int, kind: Kind | None = None) -> list[Record]:
        """Up to ``limit`` records with seq > ``after``, ascending; of ``kind`` only where one is given.

        Fewer than ``limit`` means: no others up to the head the log had before the call.
        """
        records: list[Record] = []
        while len(records) < limit:
            firsts = first_seqs(self._directory)  # before reading: a file that has a successor is complete
            first = max((number for number in firsts if number <= after + 1), default=firsts[0] if firsts else 0)
            if not first:
                break
            live = first == firsts[-1]
            wanted = limit - len(records)
            rows = (
                self._rows(first, live, _READ, (after, wanted))
                if kind is None
                else self._rows(first, live, _READ_KIND, (after, kind.value, wanted))
            )
            if rows is None:
                continue  # removed by retention between looking and opening
            records += rows
            if live:
                break
            if len(rows) < wanted:
                after = firsts[firsts.index(first) + 1] - 1
        return records

    def get(self, seq: int) -> Record | None:
        """One record; None where there is none, or none any more."""
        found = self.read(seq - 1, 1)
        return found[0] if found and found[0].seq == seq else None

    def leaves(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """(seq, leaf) of up to ``limit`` records with seq > ``after``: no gap where the records themselves are gone."""
        leaves: list[tuple[int, bytes]] = []
        for first, count in kept(self._directory):
            if first <= after + 1 < first + count and len(leaves) < limit:
                leaves += read_kept(self._directory, first, after + 1 - first, limit - len(leaves))
                after = leaves[-1][0]
        if len(leaves) < limit:
            leaves += [(record.seq, record.leaf) for record in self.read(after, limit - len(leaves))]
        return leaves

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db, self._first = None, 0

    def _rows(self, first: int, live: bool, sql: str, bindings: tuple[int | str, ...]) -> list[Record] | None:
        db = self._open(first, live)
        if db is None:
            return None
        if self._meta is None:  # at its birth: nothing is in it yet; looked at again the next time
            self.close()
            return []
        origin = self._meta.origin
        try:
            rows = fetch(db, sql, bindings)
        except (apsw.CorruptError, apsw.NotADBError) as exc:
            raise LogDamaged(f"The log's file {db.filename} cannot be read ({exc}).", "Run 'lotline verify'.") from exc
        return [Record(origin=origin, seq=row[0], kind=_KINDS[row[1]], leaf=row[2], data=row[3]) for row in rows]

    def _open(self, first: int, live: bool) -> apsw.Connection | None:
        if self._db is not None and self._first == first:
            return self._db
        self.close()
        try:
            db = open_read_only(self._directory, first, live=live)
            self._meta = read_meta(db)
        except (apsw.CantOpenError, FileNotFoundError):
            if first in first_seqs(self._directory):
                raise
            return None
        self._db, self._first = db, first
        return db
