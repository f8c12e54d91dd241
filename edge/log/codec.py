"""Readings of one tag as a block: lossless, small, and fast without anything but the standard library and zstd.

::

    integers   first value, then differences in the narrowest width that holds them, bytes of equal rank together, zstd
    doubles    as integers where a decimal scale gives back the very same bits (22.4 → 224, digits 1);
               else as the bits of 32-bit floats where the values came from such; else as 64-bit floats

    block      method u8 · width u8 · digits u8 · packed u8 · count u32 · first i64 · payload

Every scale is proved on the spot: a value comes back with its sign of zero and its NaN bits, or the next method is
taken. The loops run inside long integers, map and slicing, a few tens of nanoseconds per reading.
"""

from __future__ import annotations

import struct
import threading
from array import array
from collections.abc import Iterable
from itertools import accumulate, chain, repeat
from operator import add, mul, sub, truediv
from typing import Final, cast

import zstandard

from edge.log import lanes

_HEADER: Final = struct.Struct("<BBBBIq")
_LEVEL: Final = 3
_STAGE_LEVEL: Final = 1
_CODES: Final = {1: "b", 2: "h", 4: "i", 8: "q"}  #: width of a difference -> typecode
_INT, _SCALED, _FLOAT32, _FLOAT64 = range(4)
_WHOLE: Final = 1.5 * 2**52  # the middle of the doubles whose last bit counts single units
_WHOLE_BITS: Final = 0x4338 << 48  #: of _WHOLE
_DIGITS: Final = range(7)
_SAMPLE: Final = 16

_threads: Final = threading.local()  # a zstd context serves one thread at a time


def encode(values: array[int] | array[float]) -> bytes:
    """``values`` is an array of typecode "q" or "d". Raises ValueError for another."""
    match values.typecode:
        case "q":
            return _encode_ints(values.tobytes(), _INT)
        case "d":
            return _encode_doubles(cast("array[float]", values))
        case other:
            raise ValueError(f"readings are arrays of 'q' or 'd', not of {other!r}")


def decode(block: bytes) -> array[int] | array[float]:
    """The array that ``encode`` was given."""
    method, width, digits, packed, count, first = _HEADER.unpack_from(block)
    payload = block[_HEADER.size :]
    if packed:
        payload = unpack(payload)
    if method == _FLOAT64:
        return _array("d", _unshuffle(payload, 8))
    ints = _decode_ints(payload, width, count, first)
    if method == _INT:
        return ints
    if method == _SCALED:
        return array("d", map(truediv, ints, repeat(10**digits)))
    return array("d", _array("f", array("i", ints).tobytes()))


def pack(data: bytes) -> bytes:
    """Fast and light, for what is written now and sealed within the minute."""
    return _packer(_STAGE_LEVEL).compress(data)


def unpack(data: bytes) -> bytes:
    """What ``pack`` was given."""
    return zstandard.ZstdDecompressor().decompress(data)


def _encode_doubles(values: array[float]) -> bytes:
    scaled = _scaled(values)
    if scaled is not None:
        return _encode_ints(*scaled)
    raw = values.tobytes()
    try:
        singles = array("f", values)
    except OverflowError:
        singles = array("f")
    if array("d", singles).tobytes() == raw:
        return _encode_ints(array("q", _array("i", singles.tobytes())).tobytes(), _FLOAT32)
    return _block(_FLOAT64, 8, 0, len(values), 0, _shuffle(raw, 8))


def _scaled(values: array[float]) -> tuple[bytes, int, int, int] | None:
    """Arguments of ``_encode_ints`` for ``values`` as integers of 10^-digits, when dividing gives back the very same bits."""
    sample = values[:: max(1, len(values) // _SAMPLE)]
    for digits in _DIGITS:
        if _scale(sample, 10.0**digits) is not None:
            whole = _scale(values, 10.0**digits)
            if whole is not None:
                return whole, _SCALED, digits, _WHOLE_BITS
    return None


def _scale(values: array[float], power: float) -> bytes | None:
    """``values`` × ``power``, rounded, as the bits of _WHOLE plus that; None where dividing does not give back the same bits.

    In a double from 2^52 to 2^53 the last bit counts single units, so adding _WHOLE rounds, and the bits differ as the integers do.
    """
    moved = array("d", list(map(add, map(mul, values, repeat(power)), repeat(_WHOLE))))
    column = moved.tobytes()
    back = array("d", list(map(truediv, map(sub, moved, repeat(_WHOLE)), repeat(power))))
    return column if back.tobytes() == values.tobytes() and lanes.are_whole(column) else None


def _encode_ints(column: bytes, method: int, digits: int = 0, offset: int = 0) -> bytes:
    """``column`` holds 64-bit integers, each greater by ``offset`` than what is meant."""
    count = len(column) // 8
    first = int.from_bytes(column[:8], "little", signed=True) - offset if count else 0
    found = lanes.differences(column)
    if found is None:  # two neighbours lie further apart than 64 bits tell: as they are
        return _block(method, 16, digits, count, 0, _shuffle(column, 8))
    return _block(method, found[0], digits, count, first, found[1])


def _decode_ints(payload: bytes, width: int, count: int, first: int) -> array[int]:
    if width == 0:
        return array("q", repeat(first, count))
    if width == 16:
        return _array("q", _unshuffle(payload, 8))
    differences: Iterable[int] = _array(_CODES[width], _unshuffle(payload, width))
    return array("q", accumulate(chain((first,), differences)))


def _block(method: int, width: int, digits: int, count: int, first: int, payload: bytes) -> bytes:
    packed = _packer(_LEVEL).compress(payload) if payload else b""
    smaller = len(packed) < len(payload)
    return _HEADER.pack(method, width, digits, smaller, count, first) + (packed if smaller else payload)


def _packer(level: int) -> zstandard.ZstdCompressor:
    """This thread's own; making one costs as much as packing a small block."""
    packers: dict[int, zstandard.ZstdCompressor] = _threads.__dict__.setdefault("packers", {})
    if level not in packers:
        packers[level] = zstandard.ZstdCompressor(level=level, write_checksum=False, write_content_size=True)
    return packers[level]


def _shuffle(data: bytes, width: int) -> bytes:
    return data if width == 1 else b"".join(data[rank::width] for rank in range(width))


def _unshuffle(data: bytes, width: int) -> bytes:
    if width == 1:
        return data
    each = len(data) // width
    mixed = bytearray(len(data))
    for rank in range(width):
        mixed[rank::width] = data[rank * each : (rank + 1) * each]
    return bytes(mixed)


def _array(code: str, data: bytes) -> array[int]:
    made: array[int] = array(code)
    made.frombytes(data)
    return made
