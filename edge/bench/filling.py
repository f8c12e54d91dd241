"""Logs with a great many records waiting, made through the log's own writer in large batches."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from pathlib import Path
from typing import Final

from edge.bench.measure import clock
from edge.bench.scene import small_record
from edge.log import Log

_BATCH: Final = 2000
_UNDER_WAY: Final = 8  # batches enqueued before the first is awaited: the writer is never idle


async def fill(state_dir: Path, records: int) -> None:
    """A log in ``state_dir`` that ends with ``records`` events of about 1.4 kB."""
    os.makedirs(state_dir, exist_ok=True)
    log = Log.open(state_dir, clock=clock())
    waiting: deque[asyncio.Future[tuple[int, ...]]] = deque()
    try:
        for first in range(0, records, _BATCH):
            waiting.append(log.append([small_record(first + place) for place in range(min(_BATCH, records - first))]))
            if len(waiting) >= _UNDER_WAY:
                await waiting.popleft()
        while waiting:
            await waiting.popleft()
    finally:
        await log.close()
