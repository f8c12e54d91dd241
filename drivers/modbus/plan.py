"""Which registers are asked for in one request, and which of the answer belong to which tag. Pure.

Addresses are zero-based throughout, as on the wire (Modbus Application Protocol V1.1b3 §4.4). A request costs a round
trip and little per register, so tags that lie close together are asked for at once; a value is never cut in two, and
registers between two tags are asked for and ignored only where the device allows holes (``max_gap``).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, Literal

from msgspec import Struct

from edge.model import Tag

MAX_BITS: Final = 2000  # in one answer: Modbus Application Protocol V1.1b3 §6.1, §6.2
MAX_REGISTERS: Final = 125  # §6.3, §6.4
ADDRESSES: Final = 65536
HIGHEST: Final = 2**63 - 1  # what a frame of integers can hold


class Table(StrEnum):
    """The four tables of the data model, §4.3; also the key by which a tag names its own."""

    COIL = "coil"
    DISCRETE = "discrete"
    INPUT = "input"
    HOLDING = "holding"

    @property
    def bits(self) -> bool:
        """Whether one address is one bit; otherwise it is a register of 16."""
        return self in (Table.COIL, Table.DISCRETE)


Type = Literal["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "bool"]
Order = Literal["big", "little"]

_FORMATS: Final[dict[Type, str]] = {
    "int16": ">h",
    "uint16": ">H",
    "int32": ">i",
    "uint32": ">I",
    "int64": ">q",
    "uint64": ">Q",
    "float32": ">f",
    "float64": ">d",
}


def width_of(type_: Type) -> int:
    """How many addresses a value of ``type_`` takes; a bool takes one, in any table."""
    return 1 if type_ == "bool" else struct.calcsize(_FORMATS[type_]) // 2


class Point(Struct, frozen=True, kw_only=True):
    """Where one tag stands in its device, and how its raw value is read there."""

    tag: Tag
    table: Table
    address: int
    type: Type
    word_order: Order = "big"  #: of the registers of one value
    byte_order: Order = "big"  #: of the bytes of a register; §4.2 says big, some devices do not care
    bit: int = 0  #: for a bool in a register: 0 is the least significant
    invalid: frozenset[int] = frozenset()  #: raw values by which the device says that it has none
    deadband: float | None = None  #: in the tag's unit

    @property
    def width(self) -> int:
        return width_of(self.type)

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.address + self.width

    @property
    def typecode(self) -> str:
        """Of the array that holds its raw values."""
        return "d" if self.type in ("float32", "float64") else "q"


class Request(Struct, frozen=True, kw_only=True):
    """One read: ``count`` addresses from ``address``, and the tags that are in the answer."""

    table: Table
    address: int
    count: int
    points: tuple[Point, ...]


def coalesce(points: Iterable[Point], *, max_gap: int, max_registers: int) -> tuple[Request, ...]:
    """The fewest reads that a walk along the addresses finds: gaps up to ``max_gap``, lengths up to the limit."""
    requests: list[Request] = []
    run: list[Point] = []
    for point in sorted(points, key=lambda p: (p.table, p.address, p.end)):
        if run and not _fits(run, point, max_gap, max_registers):
            requests.append(_request(run))
            run = []
        run.append(point)
    if run:
        requests.append(_request(run))
    return tuple(requests)


def split(request: Request) -> tuple[Request, ...]:
    """What to ask instead of a request that the device refuses: without its holes, or else in halves.

    A request for one tag is returned as it is: there is nothing left to leave out.
    """
    whole = coalesce(request.points, max_gap=0, max_registers=MAX_BITS)
    if len(whole) > 1 or len(request.points) == 1:
        return whole
    middle = len(request.points) // 2
    return _request(request.points[:middle]), _request(request.points[middle:])


def decode(request: Request, answer: Sequence[int]) -> dict[str, int | float | None]:
    """Tag name -> raw value from the registers (or bits) of the answer; None where the device has no valid value.

    Without a value are: NaN and infinities, the tag's ``invalid`` values, and integers beyond 63 bits.
    """
    return {point.tag.name: _value(point, answer[point.address - request.address :]) for point in request.points}


def _fits(run: Sequence[Point], point: Point, max_gap: int, max_registers: int) -> bool:
    first, end = run[0], max(p.end for p in run)
    limit = MAX_BITS if point.table.bits else max_registers
    return (
        point.table == first.table and point.address - end <= max_gap and max(end, point.end) - first.address <= limit
    )


def _request(run: Sequence[Point]) -> Request:
    start = run[0].address
    return Request(table=run[0].table, address=start, count=max(p.end for p in run) - start, points=tuple(run))


def _value(point: Point, words: Sequence[int]) -> int | float | None:
    if point.table.bits:
        return int(words[0])
    own = words[: point.width] if point.word_order == "big" else words[: point.width][::-1]
    raw = struct.pack(f"{'>' if point.byte_order == 'big' else '<'}{point.width}H", *own)
    bits = int.from_bytes(raw, "big")
    if point.type == "bool":
        return bits >> point.bit & 1
    value: int | float = struct.unpack(_FORMATS[point.type], raw)[0]
    # manuals give the pattern (0x8000) or the number (-32768, -9999.0) that stands for "no value"
    if value in point.invalid or bits in point.invalid or not math.isfinite(value):
        return None
    return None if isinstance(value, int) and value > HIGHEST else value
