"""The writer thread: everything that waits becomes one transaction, one fdatasync, one answer to the loop.

::

    loop ──append──► queue ──► [hash leaves, insert, COMMIT] ──► one call_soon_threadsafe per batch
                                     │ idle 30 ms, or 1000 frames: checkpoint on the same connection
                                     │ segment full: a new file with a copy of state and tally
                                     └ error, or space below the reserve: STOP
    STOP: fail what waits ─► record the stop if the disk lets us ─► each second: reopen, check the tail against its
          hashes, take the ballast back, record the resumption ─► generation + 1

There is never a delay "to collect": the running fdatasync is the window in which the next batch gathers. After a failed
fsync the connection is closed and what is on disk is read again: a commit whose outcome is unknown was refused to its
caller and may yet turn out to be recorded, never the other way round.
"""

from __future__ import annotations

import asyncio
import queue
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import apsw
from msgspec import Struct

from edge.clock import Clock
from edge.errors import LogDamaged, StorageStop
from edge.log.envelope import Provenance, entry, time_text
from edge.log.segment import (
    Meta,
    Row,
    Segment,
    first_seqs,
    leaf_hash,
    oldest_created,
    remove_stillborn,
    segment_path,
)
from edge.log.storage import Disk, StorageState, stop_code, storage_stop
from edge.model import Entry, Kind

BATCH_RECORDS: Final = 2000
IDLE_S: Final = 0.03
IDLE_FRAMES: Final = 100  # fewer are not worth a second fdatasync, even in an idle moment
INLINE_FRAMES: Final = 1000  # deferring longer under load makes the worst commit worse
PROBE_S: Final = 1.0
SPACE_EVERY_S: Final = 0.25
OUTLOOK_EVERY_S: Final = 60.0
TAIL_RECORDS: Final = 1000  # more than a write-ahead log between two checkpoints holds at one record per frame


class Job(Struct):
    """What one ``append`` brought. ``generation`` is the one its caller had seen."""

    entries: Sequence[Entry]
    state: Mapping[str, bytes | None]
    generation: int
    future: asyncio.Future[tuple[int, ...]] | None = None


class Pulse(Struct):
    """A question whether this thread still answers."""

    future: asyncio.Future[None]


class Overflow(Struct):
    """The loop refused an append because too much was waiting."""


class Close(Struct):
    """The last word."""


Work = Job | Pulse | Overflow | Close


class Outcome(Struct):
    """What the loop is told, once per batch."""

    done: Sequence[tuple[asyncio.Future[tuple[int, ...]], tuple[int, ...]]] = ()
    failed: Sequence[tuple[asyncio.Future[tuple[int, ...]], StorageStop]] = ()
    pulses: Sequence[asyncio.Future[None]] = ()
    written: Sequence[Job] = ()
    generation: int = 0
    storage: StorageState | None = None
    closed: bool = False


class Recorder:
    """Owns the live segment. Its public attributes are replaced whole, so the loop may read them at any time."""

    def __init__(
        self,
        directory: Path,
        *,
        clock: Clock,
        provenance: Callable[[], Provenance],
        disk: Disk,
        segment_bytes: int,
        wal_bytes: int,
        tell: Callable[[Outcome], None],
        housekeep: Callable[[], None],
    ) -> None:
        self.queue: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self.generation = 1
        self._directory = directory
        self._clock = clock
        self._provenance = provenance
        self._disk = disk
        self._segment_bytes = segment_bytes
        self._wal_bytes = wal_bytes
        self._tell = tell
        self._housekeep = housekeep
        self._segment = self._open_last()
        self.head = 0
        self.tally: dict[str, int] = {}
        self.working: dict[str, bytes] = {}
        self._bytes = 0
        self._load()
        self.origin = self._meta().origin
        self._owed: list[Entry] = []  # what could not be recorded while the disk refused
        self._checkpoint_at = INLINE_FRAMES
        self._space_at = self._outlook_at = self._probe_at = 0.0
        self._days_left: float | None = None
        self.storage = disk.state("", "", None)
        self._stopped = self.storage  # the last stop: its sentence also answers what was sent before it was known
        try:
            disk.restore_ballast()
        except OSError as exc:
            self._owed.append(self.audit("storage_stop", {"code": "full", "detail": str(exc)}))
            self.storage = self._stopped = disk.state("full", str(exc), None)

    # ---- the thread ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until Close."""
        while True:
            batch, pulses, closing = self._gather(IDLE_S if self._segment.frames >= IDLE_FRAMES else SPACE_EVERY_S)
            if self.storage.ok:
                self._commit(batch, pulses)
            else:
                self._refuse(batch, pulses)
            if closing:
                break
            if not self.storage.ok:
                self._try_to_resume()
            else:
                self._look_after(idle=not batch)
        self._segment.close()
        self._tell(Outcome(generation=self.generation, closed=True))

    def _gather(self, wait_s: float) -> tuple[list[Job], list[asyncio.Future[None]], bool]:
        batch: list[Job] = []
        pulses: list[asyncio.Future[None]] = []
        records = 0
        try:
            work = self.queue.get(timeout=wait_s)
            while True:
                match work:
                    case Job():
                        batch.append(work)
                        records += len(work.entries)
                    case Pulse():
                        pulses.append(work.future)
                    case Overflow():
                        if self.storage.ok:
                            self._commit(batch, pulses)
                            batch, pulses = [], []
                        if self.storage.ok:
                            self._stop("slow", "")
                    case Close():
                        return batch, pulses, True
                if records >= BATCH_RECORDS:
                    break
                work = self.queue.get_nowait()
        except queue.Empty:
            pass
        return batch, pulses, False

    # ---- taking ----------------------------------------------------------------------------------------------------

    def _commit(self, batch: list[Job], pulses: Sequence[asyncio.Future[None]] = ()) -> None:
        current = [job for job in batch if job.generation == self.generation]
        if len(current) < len(batch):  # sent before their callers could know of the last stop
            self._refuse([job for job in batch if job.generation != self.generation], ())
        try:
            numbers = self._write(current) if current else []
        except (apsw.Error, OSError) as exc:
            self._refuse((), pulses)
            self._stop(stop_code(exc), str(exc), current)
            return
        if current or pulses:
            done = [(job.future, seqs) for job, seqs in zip(current, numbers, strict=True) if job.future is not None]
            self._tell(Outcome(done=done, pulses=pulses, written=current, generation=self.generation))

    def _write(self, jobs: Sequence[Job]) -> list[tuple[int, ...]]:
        """Commit ``jobs`` as one transaction; their seqs."""
        rows: list[Row] = []
        numbers: list[tuple[int, ...]] = []
        state: dict[str, bytes | None] = {}
        tally: dict[str, int] = {}
        seq = self.head
        for job in jobs:
            first = seq + 1
            for item in job.entries:
                seq += 1
                rows.append(Row(seq, item, leaf_hash(item.data)))
                tally[item.kind.value] = tally.get(item.kind.value, self.tally.get(item.kind.value, 0)) + 1
            numbers.append(tuple(range(first, seq + 1)))
            state.update(job.state)
        if rows or state:
            self._segment.append(rows, state, tally)
            self._bytes += sum(len(row.entry.data) for row in rows)
            self.tally = {**self.tally, **tally}
            for key, value in state.items():  # in place: what a commit costs must not grow with what there is
                if value is None:
                    self.working.pop(key, None)
                else:
                    self.working[key] = value
            self.head = seq
        return numbers

    def _look_after(self, *, idle: bool) -> None:
        """Between two batches: checkpoint, next segment, space. Everything told so far is on disk."""
        try:
            if idle and self._segment.frames >= IDLE_FRAMES:
                self._segment.checkpoint()
                self._segment.turn()
                self._checkpoint_at = INLINE_FRAMES
            elif self._segment.frames >= self._checkpoint_at:
                self._segment.checkpoint()  # a reader may hold some back: ask again when as many more have come
                self._checkpoint_at = self._segment.frames + INLINE_FRAMES
            if self._bytes >= self._segment_bytes:
                self._next_segment()
            now = time.monotonic()
            if now >= self._space_at:
                self._space_at = now + SPACE_EVERY_S
                self._check_space(now)
        except (apsw.Error, OSError) as exc:
            self._stop(stop_code(exc), str(exc))

    def _check_space(self, now: float) -> None:
        if now >= self._outlook_at:
            self._outlook_at = now + OUTLOOK_EVERY_S
            folders = (self._directory, self._directory.parent / "readings")
            since = oldest_created(self._directory) or self._time()
            self._days_left = self._disk.days_left(folders, since, self._clock.now().utc)
            self._housekeep()
        before = self.storage
        self.storage = self._disk.state("", "", self._days_left)
        if self.storage.free_bytes < self._disk.reserve_bytes:
            self._stop("reserve", "")
        elif self.storage.readings != before.readings:
            self._tell(Outcome(generation=self.generation, storage=self.storage))

    # ---- files -----------------------------------------------------------------------------------------------------

    def _meta(self) -> Meta:
        meta = self._segment.meta
        if meta is None:
            raise LogDamaged(f"{self._segment.path} has lost its first page.", "Run 'lotline verify'.")
        return meta

    def _open_last(self) -> Segment:
        """The live segment: the last whose birth was completed; the first of a new log where there is none."""
        for first in reversed(first_seqs(self._directory)):
            path = segment_path(self._directory, first)
            segment = Segment(path, wal_bytes=self._wal_bytes)
            if segment.meta is not None:
                segment.ready()
                return segment
            segment.close()
            remove_stillborn(path)
        return self._create(Meta(origin=str(uuid.uuid4()), first=1, created=self._time(), before={}), {})

    def _create(self, meta: Meta, state: Mapping[str, bytes]) -> Segment:
        return Segment.create(self._directory, meta, state, wal_bytes=self._wal_bytes)

    def _next_segment(self) -> None:
        """Once the new file is complete it is the live one, whatever happens to us next."""
        meta = Meta(origin=self.origin, first=self.head + 1, created=self._time(), before=self.tally)
        full, self._segment = self._segment, self._create(meta, self.working)
        self._bytes = self._segment.size()
        self._checkpoint_at = INLINE_FRAMES
        full.seal()

    def _load(self) -> None:
        """Head, tally and state as the disk has them, its last records checked. Raises LogDamaged."""
        head = expected = self._segment.head()
        for seq, leaf, data in self._segment.tail(TAIL_RECORDS):
            if seq != expected or leaf_hash(data) != leaf:
                raise LogDamaged(
                    f"Record {expected} in {self._segment.path.name} is not what was written.",
                    "Run 'lotline verify' and restore the last backup; nothing was changed.",
                )
            expected -= 1
        self.tally = self._segment.tally()
        self.working = self._segment.state()
        self._bytes = self._segment.size()
        self.head = head

    def _time(self) -> str:
        return time_text(self._clock.now().utc)

    # ---- stopping and going on -------------------------------------------------------------------------------------

    def audit(self, act: str, body: Mapping[str, object]) -> Entry:
        return entry(Kind.AUDIT, self._clock.now(), "", self._provenance(), {"act": act, **body})

    def _refuse(self, jobs: Sequence[Job], pulses: Sequence[asyncio.Future[None]]) -> None:
        if jobs or pulses:
            stop = storage_stop(self._stopped)
            failed = [(job.future, stop) for job in jobs if job.future is not None]
            self._tell(Outcome(failed=failed, pulses=pulses, written=jobs, generation=self.generation))

    def _stop(self, code: str, detail: str, jobs: Sequence[Job] = ()) -> None:
        """Say so first, then try to record it: on a connection that failed to write there is nothing to try."""
        self.storage = self._stopped = self._disk.state(code, detail, self._days_left)
        self._tell(Outcome(generation=self.generation, storage=self.storage))
        self._refuse(jobs, ())
        body = {"code": self.storage.code, "detail": detail, "freeBytes": self.storage.free_bytes, "head": self.head}
        self._owed.append(self.audit("storage_stop", body))
        self._probe_at = time.monotonic() + PROBE_S
        if code not in ("full", "reserve", "slow"):
            return
        try:
            if code == "full":
                self._disk.release_ballast()
            self._write([Job(entries=tuple(self._owed), state={}, generation=self.generation)])
        except (apsw.Error, OSError):
            return  # still owed: recorded with the resumption
        self._owed.clear()
        self._tell(Outcome(generation=self.generation))

    def _try_to_resume(self) -> None:
        if time.monotonic() < self._probe_at:
            return
        self._probe_at = time.monotonic() + PROBE_S
        stopped = self.storage
        try:
            if not self._disk.enough_to_resume():
                return
            self._reopen()
            self._disk.restore_ballast()
            resumed = self.audit("storage_resume", {"code": stopped.code, "head": self.head})
            self._write([Job(entries=(*self._owed, resumed), state={}, generation=self.generation)])
        except (apsw.Error, OSError, LogDamaged) as exc:
            now = self._disk.state(stop_code(exc), str(exc), self._days_left)
            if now.code != stopped.code:
                self.storage = self._stopped = now
                self._tell(Outcome(generation=self.generation, storage=self.storage))
            return
        self._owed.clear()
        self.generation += 1
        self.storage = self._disk.state("", "", self._days_left)
        self._tell(Outcome(generation=self.generation, storage=self.storage))

    def _reopen(self) -> None:
        """Believe the disk, not the connection that failed."""
        acknowledged = self.head
        self._segment.forget_cache()
        self._segment.close()
        self._segment = self._open_last()
        self._load()
        if self.head < acknowledged:
            lost, self.head = self.head + 1, acknowledged
            raise LogDamaged(f"Record {lost} was acknowledged and is not on the disk.", "Run 'lotline verify'.")
