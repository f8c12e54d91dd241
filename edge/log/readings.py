"""Sensor readings: in memory for a second, staged durably, sealed into blocks each minute, their digests in the log.

``take`` costs a copy of the frame. ``flush`` is how a measured step makes the window that proves it durable before its
record. After a crash the stage is sealed as if nothing had happened. Readings stop before scans do; what could then
not be kept is put on record as a gap, with its bounds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import apsw
import msgspec

from edge.clock import Clock
from edge.errors import StorageStop
from edge.log.envelope import Provenance, entry, time_text
from edge.log.readingsfile import DAY_US, EPOCH, QUALITIES, Sample, day_path, days, read_samples, to_us
from edge.log.stager import Batch, Pending, Stager
from edge.log.storage import storage_stop
from edge.log.writer import RETENTION_DAYS, Log
from edge.model import Kind, Quality, Readings

P = ParamSpec("P")
T = TypeVar("T")

STAGE_EVERY_S: Final = 1.0
SEAL_EVERY_S: Final = 60.0
RETENTION_EVERY_S: Final = 3600.0
PENDING_READINGS: Final = 2_000_000  # 16 MB: what memory may hold while the disk refuses
_QUALITY_NUMBER: Final = {quality: number for number, quality in enumerate(QUALITIES)}


class ReadingStore:
    """The readings of a line PC. Its blocking calls have a thread of their own."""

    def __init__(
        self,
        state_dir: Path,
        *,
        log: Log,
        clock: Clock,
        provenance: Callable[[], Provenance],
        retention_days: int = RETENTION_DAYS,
    ) -> None:
        self._directory = state_dir / "readings"
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._log = log
        self._clock = clock
        self._provenance = provenance
        self._retention = timedelta(days=retention_days)
        self._pending: Batch = {}
        self._pending_readings = 0
        self._lost = 0
        self._lost_us = (0, 0)
        self._staging = asyncio.Lock()
        self._stager = Stager(self._directory)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="lotline-readings")

    @property
    def count(self) -> int:
        """Readings durably stored since origin."""
        return self._stager.count

    def take(self, readings: Readings) -> None:
        """Keep one frame for the next stage. Raises ValueError for a frame that does not fit its layout."""
        layout, values = readings.layout, readings.values
        if len(values) != len(layout.tags) or values.typecode != layout.typecode:
            raise ValueError(
                f"{layout.device}: {len(values)} values of '{values.typecode}' for {len(layout.tags)} tags"
            )
        time_us = to_us(readings.captured_at)
        if self._pending_readings + len(values) > PENDING_READINGS:
            self._lost_us = (self._lost_us[0] if self._lost else time_us, time_us)
            self._lost += len(values)
            return
        key = (time_us // DAY_US, id(layout))
        pending = self._pending.get(key)
        if pending is None:
            pending = self._pending[key] = Pending(layout)
        pending.times_us.append(time_us)
        pending.quality.append(_QUALITY_NUMBER[readings.quality])
        pending.values.extend(values)  # type: ignore[arg-type] # the typecode was compared above
        self._pending_readings += len(values)

    async def flush(self) -> None:
        """Everything taken so far is durable when this returns. Raises StorageStop; what was taken stays pending."""
        async with self._staging:
            if not self._pending:
                return
            if not self._log.storage.readings:
                raise storage_stop(self._log.storage)
            batch, self._pending = self._pending, {}
            self._pending_readings = 0
            try:
                await self._in_thread(self._stager.stage, batch, self._clock.now().boot_id)
            except (apsw.Error, OSError) as exc:
                self._give_back(batch)
                raise StorageStop(f"Readings cannot be stored: {exc}.", "Free space on the disk, or mend it.") from exc

    async def run(self) -> None:
        """Stage each second, seal each minute, remove what is older than the retention; until cancelled."""
        seal_at = time.monotonic()  # at once: what a crash left staged
        retain_at = seal_at
        try:
            while True:
                await self._flush_quietly()
                await self._record_quarantine()
                if time.monotonic() >= seal_at:
                    seal_at = time.monotonic() + SEAL_EVERY_S
                    await self.seal()
                if time.monotonic() >= retain_at:
                    retain_at = time.monotonic() + RETENTION_EVERY_S
                    await self._remove_old()
                await asyncio.sleep(STAGE_EVERY_S)
        finally:
            await self._flush_quietly()

    async def seal(self) -> None:
        """Seal what is staged, and give the log its digests. A storage stop puts it off."""
        try:
            for day, sealed, spans in await self._in_thread(self._stager.seal):
                await self._record(Kind.READINGS, msgspec.structs.asdict(sealed))
                await self._in_thread(self._stager.settle, day, spans)
        except (apsw.Error, OSError, StorageStop):
            return  # still staged or owed: the next minute tries again, and the log says why it stopped

    def read(self, tag: str, start_ns: int, end_ns: int) -> list[tuple[int, float]]:
        """(UTC ns, value in the tag's unit) from start to end, both included; what is bad is left out. Blocks."""
        return [
            (sample.time_us * 1000, sample.tag.value(sample.raw))
            for sample in self.samples(tag, start_ns, end_ns)
            if sample.quality is not Quality.BAD
        ]

    def samples(self, tag: str, start_ns: int, end_ns: int) -> list[Sample]:
        """Every reading of ``tag`` that is on disk, raw, in the order they came within each UTC day. Blocks."""
        start_us, end_us = -(-start_ns // 1000), end_ns // 1000
        samples: list[Sample] = []
        for day in days(self._directory):
            if start_us // DAY_US <= day <= end_us // DAY_US:
                samples += read_samples(day_path(self._directory, day), tag, start_us, end_us)
        return samples

    async def close(self) -> None:
        """Stage what is pending, release the files."""
        await self._flush_quietly()
        await self._in_thread(self._stager.close)
        self._pool.shutdown()

    async def _flush_quietly(self) -> None:
        try:
            await self.flush()
            await self._record_gap()
        except StorageStop:
            return  # shown by the log's storage state; what is taken stays pending

    async def _record_quarantine(self) -> None:
        """Day files that could not be read at the start were put aside; say so once."""
        while self._stager.quarantined:
            try:
                await self._record(Kind.AUDIT, {"act": "quarantine", "file": self._stager.quarantined[0]})
            except StorageStop:
                return
            del self._stager.quarantined[0]

    async def _record_gap(self) -> None:
        if not self._lost:
            return
        lost, first_us, last_us = self._lost, *self._lost_us
        self._lost = 0
        instants = [time_text(EPOCH + timedelta(microseconds=time_us)) for time_us in (first_us, last_us)]
        body = {"act": "readings_gap", "readings": lost, "start": instants[0], "end": instants[1]}
        try:
            await self._record(Kind.AUDIT, body)
        except StorageStop:
            self._lost, self._lost_us = self._lost + lost, (first_us, max(last_us, self._lost_us[1]))
            raise

    async def _remove_old(self) -> None:
        """Whole days, oldest first, each on record before it goes; a clock that nobody vouches for ages nothing."""
        moment = self._clock.now()
        if not moment.synchronised:
            return
        oldest = to_us(moment.utc - self._retention) // DAY_US
        try:
            for day in await self._in_thread(self._stager.removable, oldest):
                await self._record(Kind.AUDIT, {"act": "retention", "file": day_path(self._directory, day).name})
                await self._in_thread(self._stager.remove, day)
        except (apsw.Error, OSError, StorageStop):
            return  # tried again in an hour

    async def _record(self, kind: Kind, body: Mapping[str, object]) -> None:
        await self._log.append([entry(kind, self._clock.now(), "", self._provenance(), body)])

    async def _in_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Once begun it is finished, whoever stops waiting."""
        work = partial(call, *args, **kwargs)
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._pool, work))

    def _give_back(self, batch: Batch) -> None:
        """Put what is left of ``batch`` before what came meanwhile."""
        newer, self._pending = self._pending, batch
        self._pending_readings += sum(len(pending.values) for pending in batch.values())
        for key, pending in newer.items():
            older = self._pending.setdefault(key, pending)
            if older is not pending:
                older.times_us.extend(pending.times_us)
                older.quality.extend(pending.quality)
                older.values.extend(pending.values)  # type: ignore[arg-type] # of one layout
