"""What every row measures with: the disk's own price F, pauses like a person's, and the middle of many.

F is a paced ``write`` + ``fdatasync`` of the same bytes into a file of zeros that already has its size, on the same disk, in turns with
what it is compared with. Paced, because an idle machine wakes more slowly than a busy one works, and a station is idle most
of the time. Ratios are taken within a repetition, the median over the repetitions.
"""

from __future__ import annotations

import math
import os
import random
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from edge.clock import SystemClock
from edge.wording import Words

REPETITIONS: Final = 5
PAUSE_S: Final = (0.002, 0.003)  # field/performance.md §1: what a tight loop hides, a pause of 2 to 3 ms shows
_FILE_BYTES: Final = 4 << 20
_PAGE: Final = 4096


class Disk:
    """The price of making bytes durable without any of our code. Use as ``with``."""

    def __init__(self, place: Path) -> None:
        self._path = place / "reference"
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        os.pwrite(self._descriptor, bytes(_FILE_BYTES), 0)
        os.fsync(self._descriptor)
        self._at = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self._descriptor)
        self._path.unlink()

    def write(self, data: bytes) -> float:
        """One F, in seconds."""
        if self._at + len(data) > _FILE_BYTES:
            self._at = 0
        began = time.perf_counter()
        os.pwrite(self._descriptor, data, self._at)
        os.fdatasync(self._descriptor)
        took = time.perf_counter() - began
        self._at += len(data)
        return took


def pause_s() -> float:
    """How long until the next hand moves."""
    return random.uniform(*PAUSE_S)


def p50(samples: Sequence[float]) -> float:
    return statistics.median(samples)


def p99(samples: Sequence[float]) -> float:
    return sorted(samples)[math.ceil(len(samples) * 0.99) - 1]


def clock() -> SystemClock:
    """The clock the line itself uses."""
    return SystemClock("Asia/Shanghai")


def micros(what: str, seconds: float) -> Words:
    """ "commit 312 µs"."""
    text = f"{what} {seconds * 1e6:,.0f} µs"
    return Words(text, text)


def joined(*parts: Words) -> Words:
    """Several remarks in one cell."""
    return Words(", ".join(part.en for part in parts), "，".join(part.zh for part in parts))


def plain(text: str) -> Words:
    """Figures and units: the same in both languages."""
    return Words(text, text)
