"""Leaf hashes of records that retention has removed: 32 bytes each in ``leaves-<first seq>.bin``, a file per segment.

With them every record ever written can still be proved to have been in the log, though its bytes are gone.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from edge.log.segment import sync_directory

LEAF_BYTES: Final = 32


def leaves_path(directory: Path, first: int) -> Path:
    return directory / f"leaves-{first:020d}.bin"


def keep(directory: Path, first: int, leaves: Sequence[bytes]) -> None:
    """Durable when this returns; doing it again changes nothing."""
    final = leaves_path(directory, first)
    if final.exists() and final.stat().st_size >= len(leaves) * LEAF_BYTES:
        return
    unfinished = final.with_suffix(".new")
    with unfinished.open("wb") as file:
        for leaf in leaves:
            file.write(leaf)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(final)
    sync_directory(directory)


def kept(directory: Path) -> list[tuple[int, int]]:
    """(first seq, number of leaves) of every file, ascending."""
    names = (name for name in os.listdir(directory) if name.startswith("leaves-") and name.endswith(".bin"))
    firsts = sorted(int(name[7:-4]) for name in names)
    return [(first, leaves_path(directory, first).stat().st_size // LEAF_BYTES) for first in firsts]


def read_kept(directory: Path, first: int, start: int, limit: int) -> list[tuple[int, bytes]]:
    """Up to ``limit`` (seq, leaf) from the ``start``-th on of the file that begins with ``first``."""
    with leaves_path(directory, first).open("rb") as file:
        file.seek(start * LEAF_BYTES)
        data = file.read(limit * LEAF_BYTES)
    return [
        (first + start + number, data[number * LEAF_BYTES : (number + 1) * LEAF_BYTES])
        for number in range(len(data) // LEAF_BYTES)
    ]
