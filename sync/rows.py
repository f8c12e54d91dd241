"""Every event that a courier has passed and that is not simply delivered: one row each.

============  =======================================================================  ==========  =================
state         meaning                                                                  blocks?     bytes kept here?
============  =======================================================================  ==========  =================
``waiting``   offered again when ``due``, or when what it waits for is settled         yes         once parked
``gathered``  will be part of a document that a later event completes                  no          once parked
``parked``    refused for good; waits for a person                                     yes         yes
============  =======================================================================  ==========  =================

Invariant: a waiting row has a ``due`` exactly when no earlier event about one of its items is waiting or parked.

Writes belong to the caller's transaction; the caller counts.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Final

import apsw

from edge.errors import TechnicianError
from edge.log import LogReader
from edge.model import Kind, Record
from edge.wording.sync import OWN_FILE
from sync.held import Held
from sync.keys import keys_of
from sync.offer import Offered, Parked, Sharing

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS kept(
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'gathered', 'parked')),
    document TEXT NOT NULL DEFAULT '',
    due REAL,
    tries INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    at TEXT NOT NULL DEFAULT '',
    leaf BLOB,
    data BLOB
) STRICT;
CREATE INDEX IF NOT EXISTS kept_by_state ON kept(state, seq);
CREATE INDEX IF NOT EXISTS kept_by_due ON kept(due, seq) WHERE state = 'waiting' AND due IS NOT NULL;
CREATE INDEX IF NOT EXISTS kept_by_document ON kept(document, seq) WHERE state = 'gathered';
CREATE INDEX IF NOT EXISTS parked_by_id ON kept(id) WHERE state = 'parked';
"""

READY: Final = 0.0  # a due time in the past


class Rows:
    """The tables in ``db``; ``reader`` gives the bytes of what is still in the log of ``origin``."""

    def __init__(self, db: apsw.Connection, reader: LogReader, origin: str) -> None:
        self._db = db
        self._reader = reader
        self._origin = origin
        self._held = Held(db)
        db.execute(_SCHEMA)
        # A due time is monotonic and means nothing in another process: everything that had one is due now.
        db.execute("UPDATE kept SET due = ? WHERE state = 'waiting' AND due IS NOT NULL", (READY,))

    # ---- reading

    def event(self, seq: int) -> Offered:
        """The kept event ``seq``."""
        record = self.record(seq)
        tries, failures = next(self._db.execute("SELECT tries, failures FROM kept WHERE seq = ?", (seq,)))
        return Offered(record=record, kept=True, tries=tries, failures=failures)

    def record(self, seq: int) -> Record:
        """Its bytes, from here or from the log. Raises TechnicianError when neither has them."""
        for leaf, data in self._db.execute("SELECT leaf, data FROM kept WHERE seq = ? AND data IS NOT NULL", (seq,)):
            return Record(origin=self._origin, seq=seq, kind=Kind.EVENT, leaf=leaf, data=data)
        record = self._reader.get(seq)
        if record is None:
            raise TechnicianError(OWN_FILE["record_gone"].fill({"seq": seq}), OWN_FILE["record_gone_do"])
        return record

    def is_kept(self, seq: int) -> bool:
        """Has it a row?"""
        return self._number("SELECT seq FROM kept WHERE seq = ?", seq) is not None

    def oldest(self, state: str) -> int | None:
        """The first seq in ``state``."""
        return self._number("SELECT min(seq) FROM kept WHERE state = ?", state)

    def next_due(self) -> float | None:
        """When the first waiting event is due."""
        return self._real("SELECT min(due) FROM kept WHERE state = 'waiting' AND due IS NOT NULL")

    def suspect(self, now: float) -> int | None:
        """A due event that failed alone before."""
        return self._number(
            "SELECT seq FROM kept WHERE state = 'waiting' AND due <= ? AND failures > 0 ORDER BY due, seq LIMIT 1", now
        )

    def document_ids(self, document: str) -> list[str]:
        """The delivery keys gathered for ``document``, in log order."""
        sql = "SELECT id FROM kept WHERE state = 'gathered' AND document = ? ORDER BY seq"
        return [str(row[0]) for row in self._db.execute(sql, (document,))]

    def document_records(self, document: str) -> list[Record]:
        """The records gathered for ``document``, in log order."""
        sql = "SELECT seq FROM kept WHERE state = 'gathered' AND document = ? ORDER BY seq"
        return [self.record(seq) for seq in self._numbers(sql, document)]

    def ready(self, limit: int, now: float, sharing: Sharing) -> list[Offered]:
        """Waiting events that may be offered; with free sharing also those that wait only for others of this offer."""
        sql = "SELECT seq FROM kept WHERE state = 'waiting' AND due <= ? AND failures = 0 ORDER BY due, seq LIMIT ?"
        events = {seq: self.event(seq) for seq in self._numbers(sql, now, limit)}
        if sharing is Sharing.FREE:
            self._add_followers(events, limit)
        return [events[seq] for seq in sorted(events)]

    def is_behind(self, event: Offered, offered: Iterable[int] = ()) -> bool:
        """Does an earlier unsettled event, other than those ``offered``, stand before this one?"""
        return self._held.is_behind(event.keys.waits, event.record.seq, frozenset(offered))

    # ---- writing

    def wait(self, event: Offered, due: float) -> None:
        """Keeps it as waiting; ``due`` counts only if nothing earlier blocks, so call this in log order."""
        when = None if self.is_behind(event) else due
        if event.kept:
            self._db.execute("UPDATE kept SET due = ?, tries = tries + 1 WHERE seq = ?", (when, event.record.seq))
        else:
            self._db.execute(
                "INSERT INTO kept(seq, id, state, due) VALUES (?, ?, 'waiting', ?)",
                (event.record.seq, event.id, when),
            )
            self._held.add(event.keys.holds, event.record.seq)

    def count_failure(self, seq: int) -> None:
        """One more round set aside."""
        self._db.execute("UPDATE kept SET failures = failures + 1 WHERE seq = ?", (seq,))

    def gather(self, event: Offered, document: str) -> None:
        """It blocks nothing any more and belongs to ``document``."""
        if event.kept:
            self._held.remove(event.keys.holds, event.record.seq)
        self._db.execute(
            "INSERT INTO kept(seq, id, state, document) VALUES (?, ?, 'gathered', ?)"
            " ON CONFLICT (seq) DO UPDATE SET state = 'gathered', document = excluded.document, due = NULL",
            (event.record.seq, event.id, document),
        )

    def park(self, event: Offered, reason: str, at: str) -> None:
        """Keeps its bytes and the destination's words."""
        record = event.record
        self._db.execute(
            "INSERT INTO kept(seq, id, state, reason, at, leaf, data) VALUES (?, ?, 'parked', ?, ?, ?, ?)"
            " ON CONFLICT (seq) DO UPDATE SET state = 'parked', due = NULL, reason = excluded.reason, at = excluded.at,"
            " leaf = excluded.leaf, data = excluded.data",
            (record.seq, event.id, reason, at, record.leaf, record.data),
        )
        self._held.add(event.keys.holds, record.seq)

    def drop(self, event: Offered) -> None:
        """It is delivered."""
        self._held.remove(event.keys.holds, event.record.seq)
        self._db.execute("DELETE FROM kept WHERE seq = ?", (event.record.seq,))

    def drop_document(self, document: str) -> int:
        """Everything gathered for ``document`` is delivered; how many that were."""
        self._db.execute("DELETE FROM kept WHERE state = 'gathered' AND document = ?", (document,))
        return self._db.changes()

    def free(self, settled: Iterable[Offered]) -> None:
        """Wakes what waited only for ``settled``."""
        for event in settled:
            for seq in self._held.followers(event.keys.holds, event.record.seq):
                if self._is_blocked(seq) and not self.is_behind(self.event(seq)):
                    self._db.execute("UPDATE kept SET due = ? WHERE seq = ?", (READY, seq))

    # ---- parked

    def parked(self, limit: int) -> list[Parked]:
        """The oldest ``limit`` parked events."""
        sql = "SELECT seq, id, reason, at, data FROM kept WHERE state = 'parked' ORDER BY seq LIMIT ?"
        return [
            Parked(id=id_, seq=seq, reason=reason, at=at, items=keys_of(data).items)
            for seq, id_, reason, at, data in self._db.execute(sql, (limit,))
        ]

    def newest_reason(self) -> str:
        """Why the newest parked event is parked, "" when none is."""
        for (reason,) in self._db.execute("SELECT reason FROM kept WHERE state = 'parked' ORDER BY seq DESC LIMIT 1"):
            return str(reason)
        return ""

    def find_parked(self, record_id: str) -> Offered:
        """By its id, with or without ``urn:uuid:``. Raises TechnicianError when no parked event has it."""
        seq = self._number(
            "SELECT min(seq) FROM kept WHERE state = 'parked' AND id IN (?, ?)", record_id, f"urn:uuid:{record_id}"
        )
        if seq is None:
            raise TechnicianError(OWN_FILE["not_parked"].fill({"id": record_id}), OWN_FILE["not_parked_do"])
        return self.event(seq)

    def unpark(self, event: Offered) -> None:
        """It waits again, as if it had never been offered."""
        due = None if self.is_behind(event) else READY
        self._db.execute(
            "UPDATE kept SET state = 'waiting', due = ?, tries = 0, failures = 0 WHERE seq = ?", (due, event.record.seq)
        )

    # ---- helpers

    def _add_followers(self, events: dict[int, Offered], limit: int) -> None:
        heap = [seq for event in events.values() for seq in self._held.followers(event.keys.holds, event.record.seq)]
        heapq.heapify(heap)
        looked = set(events)
        while heap and len(events) < limit:
            seq = heapq.heappop(heap)
            if seq in looked:
                continue
            looked.add(seq)
            if self._is_blocked(seq) and not self.is_behind(event := self.event(seq), events):
                events[seq] = event
                for follower in self._held.followers(event.keys.holds, seq):
                    heapq.heappush(heap, follower)

    def _is_blocked(self, seq: int) -> bool:
        sql = "SELECT seq FROM kept WHERE seq = ? AND state = 'waiting' AND due IS NULL"
        return self._number(sql, seq) is not None

    def _number(self, sql: str, *values: int | float | str) -> int | None:
        return next((None if row[0] is None else int(row[0]) for row in self._db.execute(sql, values)), None)

    def _real(self, sql: str) -> float | None:
        return next((None if row[0] is None else float(row[0]) for row in self._db.execute(sql)), None)

    def _numbers(self, sql: str, *values: int | float | str) -> list[int]:
        return [int(seq) for (seq,) in self._db.execute(sql, values).fetchall() if isinstance(seq, int)]
