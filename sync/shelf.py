"""The courier's own file: how far it has come, and the rows of what is not simply delivered.

What is delivered leaves no row, so the file stays small however long the log grows, and nothing here takes longer
because more waits beyond the cursor. Each public method that writes is one transaction: cursor, counters and rows move
together.

WAL with ``synchronous=FULL``: one more fdatasync per batch of up to 1,000, and what a person was shown as parked or
collected is there after a power cut. With NORMAL a cut could take back several batches and repeat their receipts.

Everything runs in the courier's one thread, which names SQLite's errors by ``plain_errors``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw
from msgspec.structs import replace

from edge.contracts import Accepted, Gathered, Rejected, Verdict
from edge.errors import StorageStop, TechnicianError
from edge.log import LogReader
from edge.model import Kind, Record
from edge.wording.sync import OWN_FILE
from sync.offer import Offer, Offered, Parked, Sharing, Tally
from sync.rows import READY, Rows

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS tally(
    one INTEGER PRIMARY KEY CHECK (one = 1),
    origin TEXT NOT NULL,
    cursor INTEGER NOT NULL,
    settlement INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    gathered INTEGER NOT NULL,
    parked INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    absent INTEGER,
    receipt_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS ahead(seq INTEGER PRIMARY KEY) STRICT;
"""
# ahead: delivered beyond the cursor; only after a crash between a receipt and the cursor, and at most one batch

LOOK: Final = 1000  # how far a small batch looks past events that must wait


class ShelfFile:
    """``path`` is opened or made, for the log ``origin`` that ``reader`` reads."""

    def __init__(self, path: Path, origin: str, reader: LogReader) -> None:
        self._path = path
        self._reader = reader
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._db = apsw.Connection(str(path))
        self._db.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-4096").fetchall()
        with _written(self._db):
            self._db.execute(_SCHEMA)
            self._db.execute("INSERT OR IGNORE INTO tally VALUES (1, ?, 0, 0, 0, 0, 0, 0, NULL, '')", (origin,))
            self._rows = Rows(self._db, reader, origin)
        row = next(self._db.execute(f"SELECT {', '.join(Tally.__struct_fields__)} FROM tally"))
        self._tally = Tally(**dict(zip(Tally.__struct_fields__, row, strict=True)))
        self._ahead = self._load_ahead()
        self._seen = self._tally.cursor
        self._next: tuple[int, list[Record]] = (-1, [])
        self._floor = self._compute_floor()
        self._newest_reason = self._rows.newest_reason()

    @property
    def tally(self) -> Tally:
        """The counters as committed. From any thread."""
        return self._tally

    @property
    def floor(self) -> int:
        """Everything up to here may leave the log. From any thread."""
        return self._floor

    @property
    def newest_reason(self) -> str:
        """Why the newest parked event is parked, "" when none is. From any thread."""
        return self._newest_reason

    def belongs_to(self, origin: str, head: int) -> None:
        """Raises TechnicianError when this file was made beside another log, or beside a later state of this one."""
        if self._tally.origin != origin:
            fields = {"file": self._path.name, "its": self._tally.origin, "ours": origin}
            raise TechnicianError(OWN_FILE["other_log"].fill(fields), OWN_FILE["other_log_do"])
        if self._tally.cursor > head:
            fields = {"file": self._path.name, "its": str(self._tally.cursor), "ours": str(head)}
            raise TechnicianError(OWN_FILE["older_log"].fill(fields), OWN_FILE["older_log_do"])

    # ---- what to offer

    def plan(self, limit: int, now: float, sharing: Sharing) -> Offer:
        """At most ``limit`` events: first what is due again, then what is new after the cursor."""
        tally = self._tally
        crowded = tally.waiting > 0 or tally.parked > 0
        events = self._rows.ready(limit, now, sharing) if tally.waiting else []
        offered = frozenset(event.record.seq for event in events) if sharing is Sharing.FREE else frozenset()
        taken = {key for event in events for key in event.keys.holds} if sharing is Sharing.NONE else set()
        barred: set[str] = set()
        blocked: list[Offered] = []
        seen = self._seen
        room = limit - len(events)
        fresh = self._fresh(max(room, LOOK) if crowded else room) if room else []
        for record in fresh:
            if len(events) == limit:
                break
            if record.seq not in self._ahead:
                event = Offered(record=record, kept=False)
                if crowded and (not barred.isdisjoint(event.keys.waits) or self._rows.is_behind(event, offered)):
                    blocked.append(event)
                    barred.update(event.keys.holds)
                elif sharing is Sharing.FREE:
                    events.append(event)
                elif taken.isdisjoint(event.keys.waits):
                    events.append(event)
                    taken.update(event.keys.holds)
                else:
                    break
            seen = record.seq
        return Offer(
            events=tuple(events),
            blocked=tuple(blocked),
            seen=seen,
            moved=seen > self._seen,
            oldest=self._oldest(fresh),
            next_due=self._rows.next_due() if tally.waiting else None,
        )

    def look_ahead(self, seen: int, limit: int) -> None:
        """Reads what comes after ``seen`` while a batch is on its way; used only if the cursor comes there."""
        self._next = (seen, self._reader.read(seen, limit, Kind.EVENT))

    def suspect(self, now: float) -> Offer | None:
        """A due event that failed alone before, to be offered alone again."""
        if not self._tally.waiting or (seq := self._rows.suspect(now)) is None:
            return None
        event = self._rows.event(seq)
        return Offer(events=(event,), blocked=(), seen=self._seen, moved=False, oldest=event.record.data, next_due=None)

    def passed(self, head: int, total: int) -> None:
        """Nothing new up to ``head``, when the log had counted ``total`` events in all.

        The first time, this tells how many were deleted before the destination existed.
        """
        self._seen = max(self._seen, head)
        self._floor = self._compute_floor()
        if self._tally.absent is None:
            tally = self._tally
            known = tally.delivered + tally.gathered + tally.parked + tally.waiting
            with self._transaction() as change:
                change.absent = max(0, total - known)

    def document_ids(self, document: str) -> list[str]:
        """The delivery keys gathered for ``document``, in log order."""
        return self._rows.document_ids(document)

    def document_records(self, document: str) -> list[Record]:
        """The records gathered for ``document``, in log order."""
        return self._rows.document_records(document)

    # ---- what became of it

    def settle(
        self,
        offer: Offer,
        verdicts: Sequence[Verdict | None],
        *,
        at: str,
        receipt_at: str,
        again: Callable[[int], float],
    ) -> None:
        """Writes what the destination said and moves the cursor.

        ``verdicts`` stand beside ``offer.events``; ``again`` says when an event that got none so many times is offered
        again. New events at the end that got none are left beyond the cursor if anything else was settled.
        """
        events, verdicts, seen = _cut(offer, verdicts)
        with self._transaction() as change:
            freed: list[Offered] = []
            for event, verdict in zip(events, verdicts, strict=True):
                match verdict:
                    case Accepted(document=document):
                        change.deliver(event, self._rows)
                        if document:
                            change.deliver_document(document, self._rows)
                    case Gathered(document=document):
                        change.gather(event, document, self._rows)
                    case _:
                        continue
                if event.kept:
                    freed.append(event)
            for event, verdict in zip(events, verdicts, strict=True):
                if isinstance(verdict, Rejected):
                    change.park(event, verdict.reason, at, self._rows)
                elif verdict is None:
                    change.wait(event, again(event.tries), self._rows)
            for event in offer.blocked:
                if event.record.seq <= seen:
                    change.wait(event, READY, self._rows)
            self._rows.free(freed)
            change.settlement += 1
            change.receipt_at = receipt_at or change.receipt_at
            self._advance(change, seen)

    def set_aside(self, offer: Offer, *, due: float, reason: str, park_after: int, at: str) -> bool:
        """The only event of ``offer`` failed alone: others go first. True when it is parked for failing too often."""
        event = offer.events[0]
        parked = event.failures + 1 >= park_after
        with self._transaction() as change:
            if parked:
                change.park(event, reason, at, self._rows)
            else:
                change.wait(event, due, self._rows)
                self._rows.count_failure(event.record.seq)
            for blocked in offer.blocked:
                change.wait(blocked, READY, self._rows)
            self._advance(change, offer.seen)
        return parked

    def recover(self, settlement: int, seqs: Sequence[int], documents: Sequence[str]) -> None:
        """The log holds the receipts of ``settlement``, but this file did not hear of it: a crash came between."""
        if settlement <= self._tally.settlement:
            return
        with self._transaction() as change:
            freed: list[Offered] = []
            for seq in seqs:
                if self._rows.is_kept(seq):
                    event = self._rows.event(seq)
                    change.deliver(event, self._rows)
                    freed.append(event)
                else:
                    self._db.execute("INSERT INTO ahead VALUES (?)", (seq,))
                    change.delivered += 1
            for document in documents:
                change.deliver_document(document, self._rows)
            self._rows.free(freed)
            change.settlement = settlement
        self._ahead = self._load_ahead()

    # ---- what a person does

    def parked(self, limit: int) -> list[Parked]:
        """The oldest ``limit`` parked events."""
        return self._rows.parked(limit)

    def export(self, record_id: str) -> bytes:
        """The stored bytes of a parked event."""
        return self._rows.find_parked(record_id).record.data

    def retry(self, record_id: str) -> None:
        """Offers a parked event again, and after it what waits behind it."""
        event = self._rows.find_parked(record_id)
        with self._transaction() as change:
            self._rows.unpark(event)
            change.parked -= 1
            change.waiting += 1

    def close(self) -> None:
        """Releases the file and the reader."""
        self._reader.close()
        self._db.close()

    # ---- helpers

    @contextmanager
    def _transaction(self) -> Iterator[_Change]:
        change = _Change(self._tally)
        with _written(self._db):
            yield change
            tally = change.result()
            self._db.execute(
                "UPDATE tally SET cursor = ?, settlement = ?, delivered = ?, gathered = ?, parked = ?, waiting = ?,"
                " absent = ?, receipt_at = ?",
                tuple(getattr(tally, name) for name in Tally.__struct_fields__[1:]),
            )
        if tally.parked != self._tally.parked:
            self._newest_reason = self._rows.newest_reason()
        self._tally = tally
        self._seen = max(self._seen, tally.cursor)
        self._floor = self._compute_floor()

    def _advance(self, change: _Change, seen: int) -> None:
        change.cursor = max(change.cursor, seen)
        if self._ahead:
            self._db.execute("DELETE FROM ahead WHERE seq <= ?", (change.cursor,))

    def _fresh(self, limit: int) -> list[Record]:
        """The next events after the cursor: what was read ahead, or else from the log."""
        (after, records), self._next = self._next, (-1, [])
        if after == self._seen and records:
            return records[:limit]
        return self._reader.read(self._seen, limit, Kind.EVENT)

    def _oldest(self, fresh: Sequence[Record]) -> bytes | None:
        if self._tally.waiting:
            seq = self._rows.oldest("waiting")
            if seq is not None and (not fresh or seq < fresh[0].seq):
                return self._rows.record(seq).data
        return fresh[0].data if fresh else None

    def _compute_floor(self) -> int:
        states = [state for state in ("waiting", "gathered") if getattr(self._tally, state)]
        oldest = [seq - 1 for state in states if (seq := self._rows.oldest(state)) is not None]
        return min([self._seen, *oldest])

    def _load_ahead(self) -> frozenset[int]:
        return frozenset(int(row[0]) for row in self._db.execute("SELECT seq FROM ahead"))


class _Change:
    """The tally while a transaction writes it: every move of a row and its count in one place."""

    def __init__(self, tally: Tally) -> None:
        self._before = tally
        self.cursor = tally.cursor
        self.settlement = tally.settlement
        self.delivered = tally.delivered
        self.gathered = tally.gathered
        self.parked = tally.parked
        self.waiting = tally.waiting
        self.absent = tally.absent
        self.receipt_at = tally.receipt_at

    def deliver(self, event: Offered, rows: Rows) -> None:
        if event.kept:
            rows.drop(event)
            self.waiting -= 1
        self.delivered += 1

    def deliver_document(self, document: str, rows: Rows) -> None:
        count = rows.drop_document(document)
        self.gathered -= count
        self.delivered += count

    def gather(self, event: Offered, document: str, rows: Rows) -> None:
        rows.gather(event, document)
        self.waiting -= event.kept
        self.gathered += 1

    def park(self, event: Offered, reason: str, at: str, rows: Rows) -> None:
        rows.park(event, reason, at)
        self.waiting -= event.kept
        self.parked += 1

    def wait(self, event: Offered, due: float, rows: Rows) -> None:
        rows.wait(event, due)
        self.waiting += not event.kept

    def result(self) -> Tally:
        names = Tally.__struct_fields__[1:]
        return replace(self._before, **{name: getattr(self, name) for name in names})


def _cut(offer: Offer, verdicts: Sequence[Verdict | None]) -> tuple[Sequence[Offered], Sequence[Verdict | None], int]:
    """Without the new events at the end that got no verdict, if anything before them was settled."""
    end = len(verdicts)
    while end and verdicts[end - 1] is None and not offer.events[end - 1].kept:
        end -= 1
    if end == len(verdicts) or all(verdict is None for verdict in verdicts):
        return offer.events, verdicts, offer.seen
    return offer.events[:end], verdicts[:end], offer.events[end].record.seq - 1


@contextmanager
def _written(db: apsw.Connection) -> Iterator[None]:
    """One transaction. apsw's own ``with`` stumbles when SQLite has rolled back by itself, as it does on a full disk."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """SQLite's words for a disk that takes nothing become StorageStop, for a file that is no more one TechnicianError."""
    try:
        yield
    except (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError, OSError) as exc:
        raise StorageStop(OWN_FILE["disk"].fill({"file": path.name, "why": exc}), OWN_FILE["disk_do"]) from exc
    except (apsw.CorruptError, apsw.NotADBError) as exc:
        raise TechnicianError(OWN_FILE["damaged"].fill({"file": path, "why": exc}), OWN_FILE["damaged_do"]) from exc
