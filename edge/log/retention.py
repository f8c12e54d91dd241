"""What is old goes, in whole files, once every follower has passed it, with its leaves kept and the removal on record.

The wall clock alone decides nothing: while the kernel does not call it synchronised, no age is believed and nothing is
removed. A PC whose clock battery died would otherwise wake up in another year and empty its own log.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

import apsw

from edge.clock import Clock
from edge.log.leaves import keep
from edge.log.segment import first_seqs, open_read_only, read_meta, remove_files, segment_path, sync_directory
from edge.log.sql import fetch

EVERY_S: Final = 3600.0
LEAVES_PER_READ: Final = 10_000


class Retention:
    """``begin`` starts one pass in a thread of its own: removing a large file may take the disk a while."""

    def __init__(self, directory: Path, *, clock: Clock, days: int) -> None:
        self.holds: dict[str, Callable[[], int]] = {}
        self._directory = directory
        self._clock = clock
        self._days = timedelta(days=days)
        self._next_at = 0.0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="lotline-retention")
        self._work: Future[None] | None = None

    def begin(self, record: Callable[[Mapping[str, object]], bool]) -> None:
        """Once an hour. ``record`` says whether the removal it was told of is durable on record."""
        if time.monotonic() >= self._next_at and (self._work is None or self._work.done()):
            self._next_at = time.monotonic() + EVERY_S
            self._work = self._pool.submit(self._pass, record)

    async def finished(self) -> None:
        """Begin no other pass, and wait for the one under way."""
        self._next_at = math.inf
        if self._work is not None:
            await asyncio.wrap_future(self._work)
        self._pool.shutdown()

    def _pass(self, record: Callable[[Mapping[str, object]], bool]) -> None:
        with contextlib.suppress(apsw.Error, OSError):  # what could not be removed stays: the next pass tries again
            self.remove_old(record)

    def remove_old(self, record: Callable[[Mapping[str, object]], bool]) -> None:
        """One pass, oldest first; the live segment is never among them."""
        moment = self._clock.now()
        if not moment.synchronised:
            return
        firsts = first_seqs(self._directory)
        for first, following in pairwise(firsts):
            floor = min((hold() for hold in self.holds.values()), default=following - 1)
            sealed = self._created(following)
            if floor < following - 1 or sealed is None or moment.utc - sealed < self._days:
                return
            keep(self._directory, first, self._leaves(first))
            path = segment_path(self._directory, first)
            if not record({"file": path.name, "first": first, "last": following - 1}):
                return
            remove_files(path)
            sync_directory(self._directory)

    def _created(self, first: int) -> datetime | None:
        connection = open_read_only(self._directory, first, live=True)
        try:
            meta = read_meta(connection)
        finally:
            connection.close()
        return datetime.fromisoformat(meta.created).astimezone(UTC) if meta else None

    def _leaves(self, first: int) -> list[bytes]:
        connection: apsw.Connection = open_read_only(self._directory, first, live=False)
        leaves: list[bytes] = []
        try:
            while True:
                after = first - 1 + len(leaves)
                sql = "SELECT leaf FROM records WHERE seq > ? ORDER BY seq LIMIT ?"
                rows = fetch(connection, sql, (after, LEAVES_PER_READ))
                leaves += [row[0] for row in rows]
                if len(rows) < LEAVES_PER_READ:
                    return leaves
        finally:
            connection.close()
