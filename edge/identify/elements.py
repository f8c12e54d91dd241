"""GS1 element strings: cut, checked and put together (GS1 General Specifications §7.8).

``parse`` takes the data behind an AIM identifier, with every FNC1 as GS (0x1D); ``parse_bracketed`` takes it as printed
for people; ``element_string`` writes it. Nothing is repaired and nothing is guessed: an identifier of variable length
ends at a GS or at the end, so a lot that swallowed its neighbour is too long and refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from edge.identify.ai import AI_LENGTH, CHARACTERS, IDENTIFIERS, Identifier, Part
from edge.identify.checks import CHECKS
from edge.identify.code import GS, Element, Flaw, element_name


class _Reader(Struct, frozen=True):
    """One identifier made ready: what its value looks like, and which slices of it are checked."""

    row: Identifier
    shape: re.Pattern[str]
    size: int  #: the predefined length, 0 when the value runs to the next GS
    checks: tuple[tuple[int, int, Callable[[str], Flaw | None]], ...]


def parse(data: str) -> tuple[Element, ...] | Flaw:
    """The elements of ``data`` in their order, or the first thing that is wrong with one of them.

    An element that is repeated with the same value counts once. What elements need of each other is not asked here.
    """
    if not data:
        return Flaw("gs1_empty")
    found: list[Element] = []
    position, end = 0, len(data)
    while position < end:
        begin = position
        length = AI_LENGTH.get(data[position : position + 2])
        reader = _READERS.get(data[position : position + length]) if length else None
        if reader is None or length is None:
            return Flaw("separator" if data[begin] == GS else "unknown_ai", {"rest": data[begin:].lstrip(GS) or GS})
        position += length
        stop = data.find(GS, position)
        if stop < 0:
            stop = end
        if reader.size and position + reader.size < stop:
            stop = position + reader.size
        value = data[position:stop]
        if (flaw := _flaw(reader, value)) is not None:
            return flaw
        found.append((reader.row.ai, value))
        position = stop + 1 if data[stop : stop + 1] == GS else stop
    return _once(found)


def parse_bracketed(text: str) -> tuple[Element, ...] | Flaw:
    """The elements of ``(01)09506000134352(10)AB``. A bracket that belongs to a value is written ``\\(``."""
    found: list[Element] = []
    position = 0
    while position < len(text) or not found:
        head = _BRACKETED.match(text, position)
        reader = _READERS.get(head[1]) if head else None
        if head is None or reader is None:
            return Flaw("brackets", {"rest": text[position:]})
        value = head[2].replace("\\(", "(")
        if (flaw := _flaw(reader, value)) is not None:
            return flaw
        found.append((reader.row.ai, value))
        position = head.end()
    return _once(found)


def check_value(ai: str, value: str) -> Flaw | None:
    """What is wrong with ``value`` as the value of ``ai``; None when nothing is. ``ai`` must be a known identifier."""
    return _flaw(_READERS[ai], value)


def element_string(elements: Iterable[Element]) -> str:
    """``elements`` as a GS1 symbol carries them behind its first FNC1; the reverse of ``parse``."""
    written = ""
    needs_separator = False
    for ai, value in elements:
        written += f"{GS if needs_separator else ''}{ai}{value}"
        needs_separator = not IDENTIFIERS[ai].predefined
    return written


def exclusive(present: Mapping[str, str]) -> tuple[str, str] | None:
    """Two identifiers of ``present`` that must not stand together (Syntax Dictionary ``ex``), or None."""
    for ai in present:
        if (banned := _EXCLUDES.get(ai)) and not banned.isdisjoint(present):
            return ai, next(other for other in present if other in banned)
    return None


def unmet(present: Mapping[str, str]) -> tuple[Element, ...]:
    """(identifier, what it lacks beside it) for each of ``present`` whose company is incomplete (``req``).

    Where several companions would do, the one that lacks least is named, and of those the first.
    """
    lacks: list[Element] = []
    for ai in present:
        groups = _NEEDS.get(ai, ())
        best: tuple[str, ...] | None = None
        for group in groups:
            lacking = tuple(name for name, choices in group if choices.isdisjoint(present))
            if best is None or len(lacking) < len(best):
                best = lacking
        lacks += [(ai, name) for name in best or ()]
    return tuple(lacks)


def exclusive_flaw(pair: tuple[str, str], key: str) -> Flaw:
    """The flaw ``key`` about two identifiers that must not stand together."""
    ai, other = pair
    return Flaw(key, {"ai": ai, "name": element_name(ai), "other": other, "other_name": element_name(other)})


def _once(found: Sequence[Element]) -> tuple[Element, ...] | Flaw:
    values: dict[str, str] = {}
    for ai, value in found:
        if values.setdefault(ai, value) != value:
            key = "two_gtins" if ai == "01" else "two_values"
            return Flaw(key, {"ai": ai, "name": element_name(ai), "first": values[ai], "second": value})
    return tuple(values.items())


def _flaw(reader: _Reader, value: str) -> Flaw | None:
    if reader.shape.fullmatch(value) is None:
        return _misshapen(reader.row, value)
    for start, stop, check in reader.checks:
        part = value[start:stop]
        if part and (flaw := check(part)) is not None:
            return Flaw(
                flaw.key, {"ai": reader.row.ai, "name": element_name(reader.row.ai), "value": value, **flaw.fields}
            )
    return None


def _misshapen(row: Identifier, value: str) -> Flaw:
    """Why ``value`` has not the form of ``row``: too long or short first, as the rest would only confuse."""
    low = sum(part.low for part in row.parts if not part.optional)
    high = sum(part.high for part in row.parts)
    about = {"ai": row.ai, "name": element_name(row.ai), "length": len(value)}
    if len(value) > high:
        return Flaw("lot_too_long" if row.ai == "10" else "value_too_long", {**about, "high": high})
    if len(value) < low:
        return Flaw("value_too_short", {**about, "low": low})
    place = 0
    for part in row.parts:
        for character in value[place : place + part.high]:
            place += 1
            if not re.match(f"[{CHARACTERS[part.characters]}]", character):
                return Flaw("bad_character", {**about, "character": character, "place": place})
    return Flaw("value_length", about)


def _shape(parts: Sequence[Part]) -> str:
    if not parts:
        return ""
    first, size = parts[0], f"{{{parts[0].low},{parts[0].high}}}"
    rest = f"[{CHARACTERS[first.characters]}]{size}{_shape(parts[1:])}"
    return f"(?:{rest})?" if first.optional else rest


def _reader(row: Identifier) -> _Reader:
    checks, start = [], 0
    for part in row.parts:
        checks += [(start, start + part.high, CHECKS[name]) for name in part.checks if name in CHECKS]
        start += part.high
    return _Reader(row, re.compile(_shape(row.parts)), start if row.predefined else 0, tuple(checks))


def _matching(pattern: str) -> frozenset[str]:
    """The identifiers that ``pattern`` names: "31nn" is every 31xx."""
    shape = re.compile(pattern.replace("n", "[0-9]"))
    return frozenset(ai for ai in IDENTIFIERS if shape.fullmatch(ai))


_BRACKETED: Final = re.compile(r"\(([0-9]{2,4})\)((?:\\\(|[^(])*)", re.DOTALL)
_READERS: Final = {row.ai: _reader(row) for row in IDENTIFIERS.values()}
_EXCLUDES: Final = {
    row.ai: frozenset[str]().union(*map(_matching, row.excludes)) - {row.ai}
    for row in IDENTIFIERS.values()
    if row.excludes
}
_NEEDS: Final = {
    row.ai: tuple(tuple((pattern, _matching(pattern)) for pattern in group) for group in row.needs)
    for row in IDENTIFIERS.values()
    if row.needs
}
