"""What SQLite's write-ahead log holds, looked at frame by frame.

SQLite takes a frame with a wrong checksum for the end of the log (sqlite.org/fileformat2.html §4.1): right after a power cut,
where the last transaction may be torn and was never acknowledged, and silent about everything behind a byte that was changed
later. The difference can be seen: transactions are made durable one after the other, so a damaged frame with a whole
transaction and then anything more behind it was whole once. (Two power cuts before the log is begun anew can leave the same
picture; then nothing is lost, and the alarm is false.)
"""

from __future__ import annotations

import struct
from array import array
from pathlib import Path
from typing import Final

from msgspec import Struct

_HEADER: Final = struct.Struct(">8I")  # magic, format, page size, checkpoint number, salt 1 and 2, checksum 1 and 2
_FRAME: Final = struct.Struct(">6I")  # page, pages after the commit or 0, salt 1 and 2, checksum 1 and 2
_MAGIC: Final = 0x377F0682  # + 1: the checksums read their words big-endian
_LOOKS: Final = 3  # a writer that is at work beside us looks like damage once, never at the same frame again
_MASK: Final = 0xFFFFFFFF


class _Frame(Struct, frozen=True):
    number: int
    commits: bool
    ours: bool  #: written since the log was last begun anew
    wrong: bool


class Damage(Struct, frozen=True):
    """The first frame that is not what its checksum says. Uncertain: it may as well be the torn end that a power cut leaves."""

    frame: int
    certain: bool


def damage(path: Path) -> Damage | None:
    """What is wrong with the write-ahead log at ``path``; None where nothing is, or where there is none."""
    found = _look(path)
    for _ in range(_LOOKS - 1):
        if found is None or (again := _look(path)) == found:
            break
        found = again
    return found


def _look(path: Path) -> Damage | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    first = 0
    committed_behind = False
    for frame in _frames(data):
        if committed_behind and frame.ours:
            return Damage(frame=first, certain=True)
        if not first and frame.wrong:
            first = frame.number
        if first and frame.commits and frame.ours:
            committed_behind = True
    return Damage(frame=first, certain=False) if committed_behind else None


def _frames(data: bytes) -> list[_Frame]:
    """All that stand in the file; those of an earlier round behind them are not ``ours``."""
    if len(data) < _HEADER.size:
        return []
    magic, _, page_size, _, salt1, salt2, sum1, sum2 = _HEADER.unpack_from(data)
    if magic & ~1 != _MAGIC or not page_size:
        return []
    swapped = bool(magic & 1)
    frames: list[_Frame] = []
    intact = True
    size = _FRAME.size + page_size
    for number, at in enumerate(range(_HEADER.size, len(data) - size + 1, size), 1):
        _, pages, own1, own2, right1, right2 = _FRAME.unpack_from(data, at)
        ours = (own1, own2) == (salt1, salt2)
        if intact and ours:
            sum1, sum2 = _checksum(data[at : at + 8], swapped, sum1, sum2)
            sum1, sum2 = _checksum(data[at + _FRAME.size : at + size], swapped, sum1, sum2)
        intact = intact and ours and (sum1, sum2) == (right1, right2)
        frames.append(_Frame(number, pages > 0, ours, not intact))
    return frames


def _checksum(part: bytes, swapped: bool, sum1: int, sum2: int) -> tuple[int, int]:
    """§4.2: of pairs of 32-bit words, carried on from what stands before."""
    words = array("I", part)
    if swapped != (struct.pack("=I", 1) == struct.pack(">I", 1)):
        words.byteswap()
    pairs = iter(words)
    for one, two in zip(pairs, pairs, strict=True):
        sum1 = (sum1 + one + sum2) & _MASK
        sum2 = (sum2 + two + sum1) & _MASK
    return sum1, sum2
