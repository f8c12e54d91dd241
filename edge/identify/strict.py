"""The verdict of GS1 alone: no house formats, no guessing, and every element must have the company that it needs.

The station is milder on one point only: what a code lacks may stand in another symbol of the same label
(``Code.missing``). ``probe`` and the tests ask here.
"""

from __future__ import annotations

from edge.identify.carriers import LINEAR, MESSAGES, WITH_LINKS, linear, split_aim
from edge.identify.code import Element, Flaw, Unreadable, element_name, sibling_words, unreadable
from edge.identify.digital_link import is_address, parse_link
from edge.identify.elements import exclusive, exclusive_flaw, parse, parse_bracketed, unmet
from edge.identify.siblings import sibling
from edge.wording.identify import WHY


def strict_scan(text: str) -> tuple[Element, ...] | Unreadable:
    """The elements of a scan that begins with its AIM identifier; none for plain data and a lone EAN."""
    found = _scan(text)
    return unreadable(found, text, WHY["strict"]) if isinstance(found, Flaw) else found


def strict_brackets(text: str) -> tuple[Element, ...] | Unreadable:
    """The elements of ``(01)…(10)…``: each by itself; what they need beside them is not asked."""
    found = parse_bracketed(text)
    return unreadable(found, text, WHY["strict"]) if isinstance(found, Flaw) else found


def _scan(text: str) -> tuple[Element, ...] | Flaw:
    symbology, data = split_aim(text)
    if not symbology:
        return Flaw("no_symbology")
    if symbology in MESSAGES:
        return _whole(parse(data), {})
    if symbology in LINEAR:
        read = linear(symbology, data)
        return read if isinstance(read, Flaw) else _whole(read.elements, {"01": read.gtin})
    if symbology not in WITH_LINKS:
        return Flaw("symbology", {"symbology": symbology})
    return _whole(parse_link(data), {}) if is_address(data) else ()


def _whole(found: tuple[Element, ...] | Flaw, beside: dict[str, str]) -> tuple[Element, ...] | Flaw:
    """``found`` when its elements, with those ``beside`` them, agree and lack nothing."""
    if isinstance(found, Flaw):
        return found
    present = beside | dict(found)
    if (pair := exclusive(present)) is not None:
        return exclusive_flaw(pair, "exclusive")
    for ai, pattern in unmet(present):
        words = sibling_words(sibling(pattern))
        return Flaw("requisite", {"ai": ai, "name": element_name(ai), "sibling": words})
    return found
