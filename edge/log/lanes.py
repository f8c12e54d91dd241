"""Arithmetic on a whole column of 64-bit integers at once: the column is one long integer, each value a lane of it.

Python's long integers work through memory at the speed of the processor, some hundred times faster than a loop over the values. The
top bit of every lane is kept out of a sum or a difference and put back afterwards, so that nothing is carried into the
next lane. Columns are bytes in little-endian order, as arrays are on the machines this runs on (x86-64, aarch64).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from msgspec import Struct

WIDTHS: Final = (1, 2, 4, 8)
_LANE: Final = 8  # bytes
_SHIFT: Final = 52  # where the exponent of a double begins (IEEE 754 binary64)
_EXPONENT: Final = 0x433  # of doubles from 2^52 on, whose last bit counts single units


class _Masks(Struct, frozen=True):
    """One bit pattern repeated in every lane of a column."""

    all: int
    tops: int  #: the sign bits
    middle: dict[int, int]  #: width -> half the range of that many bytes
    beyond: dict[int, int]  #: width -> the bytes that do not fit it
    exponent: int
    exponents: int  #: sign and exponent bits


@lru_cache(maxsize=8)  # columns of a minute have a few lengths
def _masks(count: int) -> _Masks:
    ones = int.from_bytes((1).to_bytes(_LANE, "little") * count, "little")
    return _Masks(
        all=(1 << 64 * count) - 1,
        tops=ones << 63,
        middle={width: ones << (8 * width - 1) for width in WIDTHS},
        beyond={width: ones * ((1 << 64) - (1 << 8 * width)) for width in WIDTHS},
        exponent=ones * (_EXPONENT << _SHIFT),
        exponents=ones * (0xFFF << _SHIFT),
    )


def differences(column: bytes) -> tuple[int, bytes] | None:
    """What each value adds to the one before: (width, its bytes, those of equal rank together), in the narrowest width.

    Width 0 and nothing where no value differs; None where two neighbours lie further apart than 64 bits tell.
    """
    count = len(column) // _LANE - 1
    if count <= 0:
        return 0, b""
    masks = _masks(count)
    values = int.from_bytes(column, "little")
    later, earlier = values >> 64, values & masks.all
    signs = (later ^ earlier) & masks.tops
    steps = ((later | masks.tops) - (earlier & (masks.all ^ masks.tops))) ^ signs ^ masks.tops
    if signs & (later ^ steps):
        return None  # operands of different sign, and the result has not the sign of the first: it did not fit
    if not steps:
        return 0, b""
    width = next(width for width in WIDTHS if _fits(steps, width, masks))
    raw = steps.to_bytes(_LANE * count, "little")
    return width, b"".join(raw[rank::_LANE] for rank in range(width))


def are_whole(column: bytes) -> bool:
    """Whether every value is the bits of a double from 2^52 to 2^53, whose fraction counts single units."""
    masks = _masks(len(column) // _LANE)
    return not (int.from_bytes(column, "little") ^ masks.exponent) & masks.exponents


def _fits(steps: int, width: int, masks: _Masks) -> bool:
    """Half the range is added: what fits then has nothing in the bytes beyond."""
    if width == _LANE:
        return True
    middle = masks.middle[width]
    sums = ((steps & (masks.all ^ masks.tops)) + middle) ^ (steps & masks.tops)
    return not sums & masks.beyond[width]
