"""Readings of one tag as a block: lossless, small, and fast without anything but the standard library and zstd.

::

    integers   first value, then differences in the narrowest width that holds them, bytes of equal rank together, zstd
    doubles    as integers where a decimal scale gives back the very same bits (22.4 → 224, digits 1);
               else as the bits of 32-bit floats where the values came from such; else as 64-bit floats

    block      method u8 · width u8 · digits u8 · packed u8 · count u32 · first i64 · payload

Every scale is proved on the spot: a value comes back with its sign of zero and its NaN bits, or the next method is
taken. The loops run inside array, map and slicing, a few tens of nanoseconds per reading.
"""

from __future__ import annotations

import struct
import threading
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, repeat
from operator import mul, sub, truediv
from typing import Final, cast

import zstandard

_HEADER: Final = struct.Struct("<BBBBIq")
_LEVEL: Final = 3
_WIDTHS: Final = ((1, "b", 7), (2, "h", 15), (4, "i", 31), (8, "q", 63))
_CODES: Final = {width: code for width, code, _ in _WIDTHS}
_INT, _SCALED, _FLOAT32, _FLOAT64 = range(4)
_EXACT: Final = 1 << 53  # beyond it a double does not count single units
_DIGITS: Final = range(7)
_SAMPLE: Final = 16

_threads: Final = threading.local()  # a zstd context serves one thread at a time


def encode(values: array[int] | array[float]) -> bytes:
    """``values`` is an array of typecode "q" or "d". Raises ValueError for another."""
    match values.typecode:
        case "q":
            return _encode_ints(cast("array[int]", values), _INT, 0)
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
    return zstandard.ZstdCompressor(level=1).compress(data)


def unpack(data: bytes) -> bytes:
    """What ``pack`` was given."""
    return zstandard.ZstdDecompressor().decompress(data)


def _encode_doubles(values: array[float]) -> bytes:
    scaled = _scaled(values)
    if scaled is not None:
        return _encode_ints(scaled[0], _SCALED, scaled[1])
    raw = values.tobytes()
    try:
        singles = array("f", values)
    except OverflowError:
        singles = array("f")
    if array("d", singles).tobytes() == raw:
        return _encode_ints(array("q", _array("i", singles.tobytes())), _FLOAT32, 0)
    return _block(_FLOAT64, 8, 0, len(values), 0, _shuffle(raw, 8))


def _scaled(values: array[float]) -> tuple[array[int], int] | None:
    """``values`` as integers of 10^-digits, when dividing gives back the very same bits."""
    sample = values[:: max(1, len(values) // _SAMPLE)]
    for digits in _DIGITS:
        if _scale(sample, 10**digits) is not None:
            whole = _scale(values, 10**digits)
            if whole is not None:
                return whole, digits
    return None


def _scale(values: array[float], power: int) -> array[int] | None:
    try:
        ints = array("q", map(round, map(mul, values, repeat(float(power)))))
    except (OverflowError, ValueError):  # infinite, no number, or beyond 64 bits
        return None
    if ints and not -_EXACT < min(ints) <= max(ints) < _EXACT:
        return None
    return ints if array("d", map(truediv, ints, repeat(power))).tobytes() == values.tobytes() else None


def _encode_ints(values: array[int], method: int, digits: int) -> bytes:
    count = len(values)
    if not count:
        return _block(method, 0, digits, 0, 0, b"")
    differences: Sequence[int] = list(map(sub, values[1:], values))
    low, high = min(differences, default=0), max(differences, default=0)
    if low == high == 0:
        return _block(method, 0, digits, count, values[0], b"")
    fitting = ((width, code) for width, code, bits in _WIDTHS if low >= -(1 << bits) and high < 1 << bits)
    width, code = next(fitting, (0, ""))
    if not code:  # two neighbours lie further apart than 64 bits tell: as they are
        return _block(method, 16, digits, count, 0, _shuffle(values.tobytes(), 8))
    return _block(method, width, digits, count, values[0], _shuffle(array(code, differences).tobytes(), width))


def _decode_ints(payload: bytes, width: int, count: int, first: int) -> array[int]:
    if width == 0:
        return array("q", repeat(first, count))
    if width == 16:
        return _array("q", _unshuffle(payload, 8))
    differences: Iterable[int] = _array(_CODES[width], _unshuffle(payload, width))
    return array("q", accumulate(chain((first,), differences)))


def _block(method: int, width: int, digits: int, count: int, first: int, payload: bytes) -> bytes:
    packed = _packer().compress(payload) if payload else b""
    smaller = len(packed) < len(payload)
    return _HEADER.pack(method, width, digits, smaller, count, first) + (packed if smaller else payload)


def _packer() -> zstandard.ZstdCompressor:
    packer: zstandard.ZstdCompressor | None = getattr(_threads, "packer", None)
    if packer is None:
        packer = _threads.packer = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=False, write_content_size=True)
    return packer


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
