"""The log as the loop sees it: append and await, follow the head, know the storage.

Order of ``append`` calls is order of seq. A future that resolves means fdatasync returned. One that raises StorageStop
means that nothing was acknowledged: every later append of the same generation fails too, so nobody builds on what was
not taken. When records are taken again ``generation`` has grown: who keeps state in memory compares it before each use, in
the same step of the loop, and reads ``state()`` again when it differs.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import apsw

from edge.clock import Clock
from edge.errors import LogDamaged, StorageStop
from edge.log.envelope import Provenance
from edge.log.lock import StateLock
from edge.log.reader import LogReader
from edge.log.recorder import Close, Job, Outcome, Overflow, Pulse, Recorder
from edge.log.retention import Retention
from edge.log.segment import WAL_BYTES, kinds
from edge.log.storage import BALLAST_BYTES, RESERVE_BYTES, Disk, StorageState, stop_code, storage_stop
from edge.model import Entry, Kind
from edge.wording.storage import STOPPED

SEGMENT_BYTES: Final = 256 << 20
RETENTION_DAYS: Final = 400
QUEUE_BYTES: Final = 64 << 20  # what may wait for the disk; beyond it an append is refused rather than memory filled
QUEUE_OVERHEAD: Final = 500  # what one waiting append holds besides its bytes


class Log:
    """The one log of a state directory. ``open`` it in the thread of the loop, ``close`` it in the same."""

    def __init__(self, state_dir: Path, lock: StateLock, make: Callable[[Log], Recorder], retention: Retention) -> None:
        self._directory = state_dir / "log"
        self._lock = lock
        self._retention = retention
        self._loop: asyncio.AbstractEventLoop | None = None
        self._advanced: asyncio.Future[None] | None = None
        self._closed: asyncio.Future[None] | None = None
        self._closing = False
        self._waiting_bytes = 0
        self._overflowed = 0  # the generation in which an append was refused for want of room
        self._generation = 1
        self._callbacks: list[Callable[[StorageState], None]] = []
        self._recorder = make(self)
        self.origin = self._recorder.origin
        self._thread = threading.Thread(target=self._recorder.run, name="lotline-log", daemon=True)
        self._thread.start()

    @classmethod
    def open(
        cls,
        state_dir: Path,
        *,
        clock: Clock,
        provenance: Callable[[], Provenance] = Provenance,
        segment_bytes: int = SEGMENT_BYTES,
        reserve_bytes: int = RESERVE_BYTES,
        retention_days: int = RETENTION_DAYS,
        wal_bytes: int = WAL_BYTES,
        ballast_bytes: int = BALLAST_BYTES,
    ) -> Log:
        """Open or begin the log in ``state_dir``. Raises StateInUse, LogDamaged, or StorageStop where the disk refuses.

        ``provenance`` stands in the records that the log writes about itself.
        """
        lock = StateLock(state_dir)
        directory = state_dir / "log"
        disk = Disk(directory, reserve_bytes=reserve_bytes, ballast_bytes=ballast_bytes)
        retention = Retention(directory, clock=clock, days=retention_days)

        def make(log: Log) -> Recorder:
            return Recorder(
                directory,
                clock=clock,
                provenance=provenance,
                disk=disk,
                segment_bytes=segment_bytes,
                wal_bytes=wal_bytes,
                tell=log._tell,
                housekeep=lambda: retention.begin(log._record_retired),
            )

        try:
            directory.mkdir(mode=0o700, exist_ok=True)
            try:
                return cls(state_dir, lock, make, retention)
            except (apsw.FullError, apsw.CantOpenError, apsw.IOError, OSError):
                disk.release_ballast()  # enough room to open, to show the stop, and to go on when space returns
                return cls(state_dir, lock, make, retention)
        except (apsw.CorruptError, apsw.NotADBError) as exc:
            lock.release()
            raise LogDamaged(
                f"The newest file of the log in {directory} cannot be read ({exc}).",
                "Run 'lotline verify' and restore the last backup; nothing was changed.",
            ) from exc
        except (apsw.Error, OSError) as exc:
            lock.release()
            raise storage_stop(disk.state(stop_code(exc), str(exc), None)) from exc
        except LogDamaged:
            lock.release()
            raise

    @property
    def head(self) -> int:
        """The last durable seq, 0 for none."""
        return self._recorder.head

    @property
    def generation(self) -> int:
        """Grows at every resumption after a storage stop; changes only between two steps of the loop."""
        return self._generation

    @property
    def counts(self) -> Mapping[Kind, int]:
        """Records per kind since origin, for every kind."""
        return kinds(self._recorder.tally)

    @property
    def storage(self) -> StorageState:
        return self._recorder.storage

    def state(self) -> dict[str, bytes]:
        """The durable working state."""
        return self._recorder.working.copy()  # one step under the GIL: the writer thread changes it in place

    def append(
        self, entries: Sequence[Entry], state: Mapping[str, bytes | None] | None = None
    ) -> asyncio.Future[tuple[int, ...]]:
        """Enqueue ``entries`` and changes of ``state`` as one transaction; resolves to the seqs once they are on disk.

        A value of None removes its key. The future raises StorageStop; what no file can hold is a TypeError at once.
        """
        loop = self._here()
        future: asyncio.Future[tuple[int, ...]] = loop.create_future()
        job = Job(entries=tuple(entries), state=dict(state or {}), generation=self._generation, future=future)
        for item in job.entries:
            if type(item.data) is not bytes or not isinstance(item.kind, Kind):
                raise TypeError("an entry is a Kind and bytes")
        if not all(isinstance(key, str) and isinstance(value, bytes | None) for key, value in job.state.items()):
            raise TypeError("working state is str to bytes")
        size = _size(job)
        if self._closing:
            future.set_exception(_closed())
        elif not self.storage.ok or self._overflowed == self._generation:
            future.set_exception(storage_stop(self.storage) if not self.storage.ok else _slow())
        elif self._waiting_bytes + size > QUEUE_BYTES:
            self._overflowed = self._generation
            self._recorder.queue.put(Overflow())
            future.set_exception(_slow())
        else:
            self._waiting_bytes += size
            self._recorder.queue.put(job)
        return future

    async def beyond(self, seq: int) -> int:
        """Wait until the head is greater than ``seq``; the head."""
        while self.head <= seq:
            loop = self._here()
            if self._advanced is None or self._advanced.done():
                self._advanced = loop.create_future()
                if self.head > seq:  # it moved while nobody was there to be told
                    break
            await asyncio.shield(self._advanced)
        return self.head

    async def pulse(self) -> None:
        """A round trip through the writer thread. A storage stop is an answer; a hanging disk is none."""
        if self._closing:
            return
        future: asyncio.Future[None] = self._here().create_future()
        self._recorder.queue.put(Pulse(future))
        await future

    def on_storage(self, callback: Callable[[StorageState], None]) -> None:
        """Call ``callback`` in the loop whenever records or readings stop or go on."""
        self._here()
        self._callbacks.append(callback)

    def hold(self, name: str, floor: Callable[[], int]) -> None:
        """Keep every segment with a seq greater than ``floor()``, which may be asked from any thread."""
        self._retention.holds[name] = floor

    def reader(self) -> LogReader:
        """A reader of its own, for one thread."""
        return LogReader(self._directory)

    async def close(self) -> None:
        """Commit what waits, then release the directory. Later appends fail."""
        if not self._closing:
            self._closing = True
            self._closed = self._here().create_future()
            await self._retention.finished()  # it may be asking us for a record
            self._recorder.queue.put(Close())
        if self._closed is not None:
            await asyncio.shield(self._closed)

    def _here(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._generation = self._recorder.generation
        return self._loop

    def _record_retired(self, body: Mapping[str, object]) -> bool:
        """In the retention thread: whether it is on record that a file goes, so that it may go."""
        if self._loop is None or self._closing:
            return False
        item = self._recorder.audit("retention", body)
        try:
            asyncio.run_coroutine_threadsafe(self._append(item), self._loop).result()
        except StorageStop:
            return False
        return True

    async def _append(self, item: Entry) -> None:
        await self.append([item])

    def _tell(self, outcome: Outcome) -> None:
        """In the writer thread."""
        if self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(self._deliver, outcome)
            except RuntimeError:  # the loop is closed: nobody is left to be told
                return

    def _deliver(self, outcome: Outcome) -> None:
        self._generation = outcome.generation
        for job in outcome.written:
            if job.future is not None:
                self._waiting_bytes -= _size(job)
        for future, seqs in outcome.done:
            if not future.done():
                future.set_result(seqs)
        for failed, stop in outcome.failed:
            if not failed.done():
                failed.set_exception(stop)
        for pulse in outcome.pulses:
            if not pulse.done():
                pulse.set_result(None)
        if self._advanced is not None and not self._advanced.done():
            self._advanced.set_result(None)
        if outcome.storage is not None:
            for callback in self._callbacks:
                callback(outcome.storage)
        if outcome.closed:
            self._thread.join()
            self._lock.release()
            if self._closed is not None and not self._closed.done():
                self._closed.set_result(None)


def _size(job: Job) -> int:
    return QUEUE_OVERHEAD + sum(len(item.data) for item in job.entries)


def _slow() -> StorageStop:
    what, _, hint = STOPPED["slow"].en.partition(". ")
    return StorageStop(what + ".", hint)


def _closed() -> StorageStop:
    what, _, hint = STOPPED["closed"].en.partition(". ")
    return StorageStop(what + ".", hint)
