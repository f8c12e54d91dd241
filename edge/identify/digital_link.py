"""GS1 Digital Link: a web address that says the same as an element string (GS1 Digital Link Standard: URI Syntax 1.6).

``https://id.gs1.org/01/09506000134352/10/AB?17=270531``: one key, its qualifiers in their order, attributes behind
the ``?``. The host means nothing, and a stem may stand before the key. A GTIN is written with all its 14 digits.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from edge.identify.ai import IDENTIFIERS, Identifier
from edge.identify.code import Element, Flaw, element_name
from edge.identify.elements import check_value

#: both cases, never a mixture: the scheme is written so in symbols that have no lower case (URI Syntax §4.2)
_SCHEMES: Final = ("https://", "http://", "HTTPS://", "HTTP://")
_NOT_IN_ADDRESS: Final = re.compile(r"[^A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]")


def is_address(text: str) -> bool:
    """Whether ``text`` begins like a web address."""
    return text.startswith(_SCHEMES)


def parse_link(text: str) -> tuple[Element, ...] | Flaw:
    """The elements of the Digital Link ``text``, path first. Flaw ``digital_link.no_key``: it is just an address."""
    if (found := _NOT_IN_ADDRESS.search(text)) is not None:
        return Flaw("digital_link.characters", {"character": found[0]})
    address, _, query = text.partition("#")[0].partition("?")
    segments = address.rstrip("/").split("/")[3:]
    start = _key_position(segments)
    if start < 0:
        return Flaw("digital_link.no_key")
    key = IDENTIFIERS[segments[start]]
    qualifiers = segments[start + 2 :: 2]
    if not _in_order(key, qualifiers):
        return Flaw("digital_link.order", {"key": key.ai, "found": " ".join(f"({ai})" for ai in qualifiers)})
    values = [(ai, _path_text(value)) for ai, value in zip(segments[start::2], segments[start + 1 :: 2], strict=True)]
    return _checked([*values, *_attributes(query)])


def _key_position(segments: list[str]) -> int:
    """Where the key stands: pairs count from the end, so a stem before it may be anything; -1 for nowhere."""
    for position in range(len(segments) - 2, -1, -2):
        row = IDENTIFIERS.get(segments[position])
        if row is not None and row.key:
            return position
    return -1


def _in_order(key: Identifier, found: list[str]) -> bool:
    """Whether ``found`` are qualifiers of ``key`` in an order that one of its alternatives has."""
    for alternative in key.qualifiers or ((),):
        order = iter(alternative)
        if all(ai in order for ai in found):
            return True
    return False


def _attributes(query: str) -> list[tuple[str, str | Flaw]]:
    """The GS1 attributes of ``query``; a key that is not all digits is somebody else's and passed over."""
    found: list[tuple[str, str | Flaw]] = []
    for word in filter(None, re.split("[&;]", query)):
        ai, _, value = word.partition("=")
        if not ai.isdigit():
            continue
        row = IDENTIFIERS.get(ai)
        usable = row is not None and row.attribute
        found.append((ai, _query_text(value) if usable else Flaw("digital_link.attribute", {"part": word})))
    return found


def _checked(values: list[tuple[str, str | Flaw]]) -> tuple[Element, ...] | Flaw:
    elements: dict[str, str] = {}
    for ai, value in values:
        if isinstance(value, Flaw):
            return value
        if ai in elements:
            return Flaw("digital_link.repeated", {"ai": ai, "name": element_name(ai)})
        if (flaw := check_value(ai, value)) is not None:
            return flaw
        elements[ai] = value
    return tuple(elements.items())


def _query_text(text: str) -> str | Flaw:
    return _path_text(text.replace("+", " "))


def _path_text(text: str) -> str | Flaw:
    """``text`` without its percent-encoding; a plus sign stays one."""
    if re.search("%(?![0-9A-Fa-f]{2})", text):
        return Flaw("digital_link.percent", {"part": text})
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        return Flaw("digital_link.percent", {"part": text})
