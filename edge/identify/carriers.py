"""Which symbology carries what: AIM identifiers (ISO/IEC 15424) and the numbers of EAN, UPC and ITF-14.

=============== ==========================================================
]C1 ]e0 ]d2     GS1 messages: GS1-128, DataBar and composite, DataMatrix,
]Q3 ]J1         QR, DotCode (General Specifications figure 5.1.2-1)
]E0 ]E4 ]I1     EAN-13 with UPC-A and UPC-E, EAN-8, ITF-14
]Q1 ]d1 ]J0     plain QR, DataMatrix, DotCode: Digital Links arrive here
=============== ==========================================================
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from edge.identify.checks import expected_check_digit
from edge.identify.code import Element, Flaw
from edge.identify.elements import parse
from edge.wording.identify import CARRIERS

MESSAGES: Final = frozenset({"]C1", "]e0", "]d2", "]Q3", "]J1"})
WITH_LINKS: Final = frozenset({"]Q1", "]d1", "]J0"})
#: AIM identifier -> how many digits it carries
LINEAR: Final = {"]E0": 13, "]E4": 8, "]I1": 14}

_AIM: Final = re.compile(r"\][A-Za-z][0-9A-Fa-f]")
_COMPOSITE: Final = "|]e0"  # how readers join the two parts of an EAN composite symbol


class Linear(Struct, frozen=True):
    """An EAN, UPC or ITF-14 number and what a composite component beside it says."""

    gtin: str
    elements: tuple[Element, ...]


def split_aim(text: str) -> tuple[str, str]:
    """(AIM identifier, the rest); ("", ``text``) when none stands in front."""
    found = _AIM.match(text)
    return (found[0], text[3:]) if found else ("", text)


def linear(symbology: str, text: str) -> Linear | Flaw:
    """The number in ``text``, which came as ``symbology`` of ``LINEAR``; its GTIN is filled up to 14 digits."""
    number, _, message = text.partition(_COMPOSITE)
    length, carrier = LINEAR[symbology], CARRIERS[symbology]
    about = {"carrier": carrier, "value": number}
    for place, character in enumerate(number, start=1):
        if not "0" <= character <= "9":
            return Flaw("ean_digits", {**about, "character": character, "place": place})
    if len(number) != length:
        return Flaw("ean_length", {**about, "length": len(number), "low": length})
    expected = expected_check_digit(number[:-1])
    if number[-1] != expected:
        return Flaw("check_digit.ean", {**about, "found": number[-1], "expected": expected})
    elements = parse(message) if len(number) < len(text) else ()
    return elements if isinstance(elements, Flaw) else Linear(number.zfill(14), elements)


def is_gtin(text: str) -> bool:
    """Whether ``text`` is a GTIN of 8, 12, 13 or 14 digits with a right check digit."""
    if len(text) not in (8, 12, 13, 14) or not (text.isascii() and text.isdigit()):
        return False
    return text[-1] == expected_check_digit(text[:-1])
