"""What a scan turns out to be: a ``Code`` that says something, or ``Unreadable`` with the exact reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from msgspec import Struct

from edge.identify.ai import IDENTIFIERS
from edge.wording import Words
from edge.wording.identify import ELEMENTS, SIBLING_BY_NUMBER, SIBLINGS, UNREADABLE

#: one application identifier and its value, as encoded
Element = tuple[str, str]
Confidence = Literal["declared", "heuristic"]

GS: Final = "\x1d"
_SHOWN_MAX: Final = 48  # a sentence stays readable on the page
#: control characters as the signs that Unicode has for showing them
_VISIBLE: Final = {number: 0x2400 + number for number in range(32)} | {127: 0x2421}


class Code(Struct, frozen=True, kw_only=True):
    """What one code says, or the codes of one label together. Absent properties are None."""

    family: str  #: "gs1", "digital_link", "ean", "itf", "command", "house:<name>" or "plain" (known to nobody)
    symbology: str  #: AIM identifier, "" when the scanner sent none; "]E0+]C1" for the codes of one label
    text: str  #: the text without the AIM identifier
    elements: tuple[Element, ...] = ()
    confidence: Confidence = "declared"
    why: Words
    gtin: str | None = None  #: 14 digits; of the content where a logistic unit says (02)
    sscc: str | None = None
    lot: str | None = None
    serial: str | None = None
    expiry: date | None = None  #: last usable day; (17), else (7003); a month (day 00) is its last day
    count: Decimal | None = None  #: (30) or (37)
    weight: Decimal | None = None  #: net weight in kg, (310n)
    order: str | None = None
    badge: str | None = None
    command: str | None = None
    material: str | None = None
    position: str | None = None
    quantity: Decimal | None = None
    purchase_order: str | None = None
    missing: tuple[
        str, ...
    ] = ()  #: siblings on the same label that it needs: "gtin", "serial", "lot", "sscc", "count", or an identifier


class Unreadable(Struct, frozen=True, kw_only=True):
    """A scan that must not be used. ``code`` is stable; ``say`` is for the operator; ``why`` tells how it was read."""

    code: str
    say: Words
    why: Words
    text: str


class Flaw(Struct, frozen=True):
    """What is wrong with some data, before anybody has said where it came from. ``key`` is a key of ``UNREADABLE``."""

    key: str
    fields: Mapping[str, object] = {}


def unreadable(flaw: Flaw, text: str, why: Words) -> Unreadable:
    """``flaw`` as the answer to a scan."""
    return Unreadable(code=flaw.key.partition(".")[0], say=said(flaw), why=why, text=text)


def said(flaw: Flaw) -> Words:
    """The sentence about ``flaw``; texts from the code are shown short and with visible control characters."""
    fields = {name: shown(value) if isinstance(value, str) else value for name, value in flaw.fields.items()}
    return UNREADABLE[flaw.key].fill(fields)


def shown(text: str) -> str:
    """``text`` as a sentence may show it."""
    visible = text[: _SHOWN_MAX + 1].translate(_VISIBLE)
    return visible if len(visible) <= _SHOWN_MAX else visible[:_SHOWN_MAX] + "…"


def element_name(ai: str) -> Words:
    """What people call the element ``ai``; its GS1 data title where there is no word of ours."""
    if (words := ELEMENTS.get(ai)) is not None:
        return words
    title = IDENTIFIERS[ai].title or ai
    return Words(title, title)


def sibling_words(name: str) -> Words:
    """What to scan when ``name`` is in ``Code.missing``."""
    return SIBLINGS.get(name) or SIBLING_BY_NUMBER.fill({"ai": name})
