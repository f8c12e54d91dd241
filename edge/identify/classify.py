"""What does this code say? One scan in, one answer out; any bytes, never an exception.

The first that fits answers:

1. ``CMD:`` in front: a command of the station
2. house formats with a badge
3. GS1 by its AIM identifier: element strings, EAN, ITF-14; a flaw in them is a refusal, nothing further is tried
4. house formats, in the order of the file
5. a web address that is a GS1 Digital Link
6. guesses, marked ``heuristic``: brackets as printed; and where the scanner sends no AIM identifier, element strings
   that hold a GTIN or SSCC (or a GS), and numbers of 8, 12, 13, 14 digits with a right check digit
7. plain text, known to nobody: the station says "unknown code", ``why`` says what it nearly was

A symbology that declares plain data (``]C0``, ``]d1``) is never guessed to be an element string: GS1 data would have
come as ``]C1`` or ``]d2``. An orphan lot is no flaw: ``missing`` names the sibling that the label carries elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import structs

from edge.identify.ai import AI_LENGTH, IDENTIFIERS
from edge.identify.carriers import LINEAR, MESSAGES, is_gtin, linear, split_aim
from edge.identify.code import GS, Code, Element, Flaw, Unreadable, said, unreadable
from edge.identify.digital_link import is_address, parse_link
from edge.identify.elements import exclusive, exclusive_flaw, parse, parse_bracketed
from edge.identify.facts import facts
from edge.identify.house import HouseFormat
from edge.identify.siblings import missing
from edge.model import Scan
from edge.wording import Words
from edge.wording.identify import CARRIERS, WHY

#: a Han Xin code of version 84 holds 7,827 digits (GB/T 21049): no code holds more, so more is several run together
TEXT_MAX: Final = 7_827
COMMAND: Final = "CMD:"

_WHY_DECLARED: Final = {
    symbology: WHY["declared"].fill({"carrier": carrier, "symbology": symbology})
    for symbology, carrier in CARRIERS.items()
}
#: identifiers whose check digit makes a guess worth something
_ANCHORS: Final = frozenset({"00", "01", "02", "03"})


def identify(scan: Scan, formats: Sequence[HouseFormat] = ()) -> Code | Unreadable:
    """What ``scan`` says; ``formats`` are the line's house formats in the order of its file."""
    try:
        text = scan.raw.decode(scan.encoding)
    except UnicodeDecodeError as exc:
        return _undecodable(scan, exc)
    symbology, data = split_aim(text)
    if scan.symbology and scan.symbology != symbology:
        symbology, data = scan.symbology, text
    if data.count(GS) == len(data) and symbology not in MESSAGES:
        return unreadable(Flaw("empty"), text, _why(symbology))
    if len(data) > TEXT_MAX:
        return unreadable(Flaw("too_long", {"length": len(data), "limit": TEXT_MAX}), text, _why(symbology))
    return _classified(symbology, data, formats, scan.captured_at.year)


def _classified(symbology: str, text: str, formats: Sequence[HouseFormat], year: int) -> Code | Unreadable:
    if text.startswith(COMMAND) and len(text) > len(COMMAND):
        command = text[len(COMMAND) :]
        return Code(family="command", symbology=symbology, text=text, why=WHY["command"], command=command)
    for form in formats:
        if form.is_badge and (read := form.read(text, symbology, year)) is not None:
            return unreadable(read, text, form.why) if isinstance(read, Flaw) else read
    if symbology in MESSAGES:
        return _gs1(Code(family="gs1", symbology=symbology, text=text, why=_why(symbology)), parse(text), year)
    if symbology in LINEAR and (symbology != "]I1" or len(text) == LINEAR[symbology]):
        return _linear(symbology, text, year)
    for form in formats:
        if not form.is_badge and (read := form.read(text, symbology, year)) is not None:
            return unreadable(read, text, form.why) if isinstance(read, Flaw) else read
    if is_address(text):
        found = parse_link(text)
        if not (isinstance(found, Flaw) and found.key == "digital_link.no_key"):
            why = WHY["digital_link"]
            return _gs1(Code(family="digital_link", symbology=symbology, text=text, why=why), found, year)
    return _guessed(symbology, text, year)


def _gs1(code: Code, found: tuple[Element, ...] | Flaw, year: int, beside: str | None = None) -> Code | Unreadable:
    """``code`` with the elements ``found``; ``beside`` is a GTIN that stands with them in the same symbol."""
    if isinstance(found, Flaw):
        return unreadable(found, code.text, code.why)
    present = dict(found) if beside is None else {"01": beside, **dict(found)}
    if beside is not None and present["01"] != beside:
        return unreadable(Flaw("two_gtins", {"first": beside, "second": present["01"]}), code.text, code.why)
    if (pair := exclusive(present)) is not None:
        return unreadable(exclusive_flaw(pair, "exclusive"), code.text, code.why)
    known = facts(present, year)
    if isinstance(known, Flaw):
        return unreadable(known, code.text, code.why)
    return Code(
        family=code.family,
        symbology=code.symbology,
        text=code.text,
        elements=found,
        confidence=code.confidence,
        why=code.why,
        gtin=known.gtin,
        sscc=known.sscc,
        lot=known.lot,
        serial=known.serial,
        expiry=known.expiry,
        count=known.count,
        weight=known.weight,
        purchase_order=known.purchase_order,
        missing=missing(present),
    )


def _linear(symbology: str, text: str, year: int) -> Code | Unreadable:
    family = "itf" if symbology == "]I1" else "ean"
    code = Code(family=family, symbology=symbology, text=text, why=_why(symbology))
    read = linear(symbology, text)
    if isinstance(read, Flaw):
        return unreadable(read, text, code.why)
    return _gs1(code, read.elements, year, beside=read.gtin)


def _guessed(symbology: str, text: str, year: int) -> Code | Unreadable:
    plain = Code(family="plain", symbology=symbology, text=text, confidence="heuristic", why=WHY["plain"])
    nearly: Flaw | None = None
    if text.startswith("("):
        found = parse_bracketed(text)
        if not isinstance(found, Flaw):
            return _gs1(structs.replace(plain, family="gs1", why=WHY["guess_brackets"]), found, year)
        nearly = found if found.key != "brackets" else None
    elif not symbology:
        if is_gtin(text):
            why = WHY["guess_ean"].fill({"count": len(text)})
            return structs.replace(plain, family="ean", why=why, gtin=text.zfill(14))
        message = text.removeprefix(GS)
        if GS in text or message[:2] in _ANCHORS:
            found = parse(message)
            if not isinstance(found, Flaw) and (GS in text or not _ANCHORS.isdisjoint(dict(found))):
                return _gs1(structs.replace(plain, family="gs1", why=WHY["guess_gs1"]), found, year)
            if isinstance(found, Flaw) and GS in text and _begins_with_identifier(message):
                return unreadable(found, text, WHY["guess_gs1"])
            nearly = found if isinstance(found, Flaw) and message[:2] in _ANCHORS else None
    return plain if nearly is None else structs.replace(plain, why=WHY["almost"].fill({"reason": said(nearly)}))


def _begins_with_identifier(text: str) -> bool:
    return text[: AI_LENGTH.get(text[:2], 0)] in IDENTIFIERS


def _why(symbology: str) -> Words:
    return _WHY_DECLARED.get(symbology, WHY["plain"])


def _undecodable(scan: Scan, exc: UnicodeDecodeError) -> Unreadable:
    about = {"position": exc.start + 1, "length": len(scan.raw), "byte": scan.raw[exc.start], "encoding": scan.encoding}
    text = scan.raw[: TEXT_MAX * 4].decode(scan.encoding, "backslashreplace")
    return unreadable(Flaw("undecodable", about), text, WHY["bytes"].fill({"encoding": scan.encoding}))
