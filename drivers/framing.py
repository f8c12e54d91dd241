"""Where one scan ends and the next begins. Pure: bytes go in, pieces come out, in order, and nothing else happens.

However the bytes are split on the way, the same pieces come out. A piece is a ``Frame``, whole, or a ``Broken``, which
says how many bytes were thrown away and why: a frame is never shortened and never joined to its neighbour. Memory is
bounded by ``max_length`` whatever arrives.

===========  ==========================================================================================================
``any``      CR, LF or CR LF end a frame (the default: it fits every scanner that was set to send a suffix)
``cr``       only CR ends it; LF is data, as in a vCard
``lf``       only LF ends it; CR is data
``crlf``     only CR LF ends it; either alone is data
``stx_etx``  STX begins and ETX ends it; what stands between frames must be empty, CR, LF or NUL
``idle``     silence ends it, for scanners that cannot send a suffix
===========  ==========================================================================================================

An empty frame is no frame. GS, RS and EOT are data everywhere (GS1 General Specifications §7.8, ISO/IEC 15434).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from enum import StrEnum
from typing import Final, Generic, TypeVar

from msgspec import Struct

STX: Final = b"\x02"
ETX: Final = b"\x03"


class Terminator(StrEnum):
    """What ends a frame."""

    ANY = "any"
    CR = "cr"
    LF = "lf"
    CRLF = "crlf"
    STX_ETX = "stx_etx"
    IDLE = "idle"


class Fault(StrEnum):
    """Why bytes were thrown away."""

    OVERRUN = "overrun"  #: longer than max_length
    UNTERMINATED = "unterminated"  #: silence came before the terminator
    STRAY = "stray"  #: outside STX … ETX


Stamp = TypeVar("Stamp")


class Frame(Struct, Generic[Stamp], frozen=True, kw_only=True):
    """One whole frame, terminator removed. ``at`` is the stamp of the bytes among which its first one came."""

    raw: bytes
    at: Stamp


class Broken(Struct, Generic[Stamp], frozen=True, kw_only=True):
    """``length`` bytes were thrown away; for an overrun, that many and all that follow up to the terminator."""

    fault: Fault
    length: int
    at: Stamp


Piece = Frame[Stamp] | Broken[Stamp]


class Framer(ABC, Generic[Stamp]):
    """Holds the frame under way. Once it breaks, only the number of its bytes is kept until the terminator comes."""

    def __init__(self, max_length: int) -> None:
        self._max_length = max_length
        self._held = bytearray()
        self._held_at: Stamp | None = None
        self._broken = False
        self._lost = 0  # bytes thrown away that nobody has been told of

    @property
    def pending(self) -> int:
        """How many bytes came since the last piece; while there are any, silence means something."""
        return len(self._held) + self._lost

    @abstractmethod
    def feed(self, data: bytes, at: Stamp) -> list[Piece[Stamp]]:
        """The pieces that ``data`` completes."""

    @abstractmethod
    def quiet(self, at: Stamp) -> list[Piece[Stamp]]:
        """The pieces that silence completes: nothing has come for as long as the line allows."""

    def _add(self, data: bytes, at: Stamp) -> list[Piece[Stamp]]:
        if self._broken:
            self._lost += len(data)
            return []
        if data and not self._held:
            self._held_at = at
        length = len(self._held) + len(data)
        if length <= self._max_length:
            self._held += data
            return []
        self._held.clear()
        self._broken, self._lost = True, length - self._max_length
        return [Broken(fault=Fault.OVERRUN, length=self._max_length, at=self._first(at))]

    def _end(self, at: Stamp) -> list[Piece[Stamp]]:
        raw = bytes(self._held)
        self._held.clear()
        self._broken, self._lost = False, 0
        return [Frame(raw=raw, at=self._first(at))] if raw else []

    def _unterminated(self, at: Stamp) -> list[Piece[Stamp]]:
        length = len(self._held) + self._lost
        if not length:
            return []
        self._held.clear()
        self._broken, self._lost = True, 0
        return [Broken(fault=Fault.UNTERMINATED, length=length, at=self._first(at))]

    def _first(self, at: Stamp) -> Stamp:
        return at if self._held_at is None else self._held_at


class _Delimited(Framer[Stamp]):
    """A terminator ends a frame. After a silence in its middle the rest is thrown away too: no half codes."""

    def __init__(self, end: re.Pattern[bytes], max_length: int) -> None:
        super().__init__(max_length)
        self._end_of_frame = end
        self._carried = b""  # the CR that may be the first half of a CR LF

    @property
    def pending(self) -> int:
        return super().pending + len(self._carried)

    def feed(self, data: bytes, at: Stamp) -> list[Piece[Stamp]]:
        data, self._carried = self._carried + data, b""
        if self._end_of_frame is _CRLF and data.endswith(b"\r"):
            data, self._carried = data[:-1], b"\r"
        pieces: list[Piece[Stamp]] = []
        start = 0
        for end in self._end_of_frame.finditer(data):
            pieces += self._add(data[start : end.start()], at)
            pieces += self._end(at)
            start = end.end()
        return pieces + self._add(data[start:], at)

    def quiet(self, at: Stamp) -> list[Piece[Stamp]]:
        data, self._carried = self._carried, b""
        return self._add(data, at) + self._unterminated(at)


class _Bracketed(Framer[Stamp]):
    """STX begins, ETX ends."""

    def __init__(self, max_length: int) -> None:
        super().__init__(max_length)
        self._inside = False
        self._stray = 0
        self._stray_at: Stamp | None = None

    @property
    def pending(self) -> int:
        return super().pending + self._stray

    def feed(self, data: bytes, at: Stamp) -> list[Piece[Stamp]]:
        pieces: list[Piece[Stamp]] = []
        start = 0
        for mark in _MARK.finditer(data):
            pieces += self._between(data[start : mark.start()], at)
            pieces += self._begin(at) if mark.group() == STX else self._finish(at)
            start = mark.end()
        return pieces + self._between(data[start:], at)

    def quiet(self, at: Stamp) -> list[Piece[Stamp]]:
        if self._inside and self.pending:
            self._inside = False
            return self._unterminated(at)
        return self._strayed(at)

    def _between(self, data: bytes, at: Stamp) -> list[Piece[Stamp]]:
        if self._inside:
            return self._add(data, at)
        if stray := len(data.translate(None, _FILLING)):
            self._stray_at = self._stray_at if self._stray else at
            self._stray += stray
        return []

    def _begin(self, at: Stamp) -> list[Piece[Stamp]]:
        pieces = self._strayed(at)
        if self._inside and not self._broken:  # its ETX was lost; an overrun has been told already
            pieces += self._unterminated(at)
        self._end(at)
        self._inside = True
        return pieces

    def _finish(self, at: Stamp) -> list[Piece[Stamp]]:
        if not self._inside:
            return self._strayed(at)
        self._inside = False
        return self._end(at)

    def _strayed(self, at: Stamp) -> list[Piece[Stamp]]:
        length, self._stray = self._stray, 0
        if not length:
            return []
        return [Broken(fault=Fault.STRAY, length=length, at=at if self._stray_at is None else self._stray_at)]


class _Idle(Framer[Stamp]):
    """Silence ends a frame."""

    def feed(self, data: bytes, at: Stamp) -> list[Piece[Stamp]]:
        return self._add(data, at)

    def quiet(self, at: Stamp) -> list[Piece[Stamp]]:
        return self._end(at)


_CRLF: Final = re.compile(rb"\r\n")
_ENDS: Final = {
    Terminator.ANY: re.compile(rb"[\r\n]"),
    Terminator.CR: re.compile(rb"\r"),
    Terminator.LF: re.compile(rb"\n"),
    Terminator.CRLF: _CRLF,
}
_MARK: Final = re.compile(rb"[\x02\x03]")
_FILLING: Final = b"\r\n\0"


def framer(terminator: Terminator, max_length: int) -> Framer[Stamp]:
    """The framer for ``terminator``; a frame holds at most ``max_length`` bytes."""
    match terminator:
        case Terminator.IDLE:
            return _Idle(max_length)
        case Terminator.STX_ETX:
            return _Bracketed(max_length)
        case _:
            return _Delimited(_ENDS[terminator], max_length)
