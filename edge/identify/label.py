"""One label, several symbols: what its codes say together.

Suppliers print the GTIN in one symbol and the lot in another. Two codes are one label when nothing they say
contradicts: no element with two values, no two elements that GS1 forbids beside each other, no property told twice
and differently.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import structs

from edge.identify.code import Code, Flaw, Unreadable, element_name, unreadable
from edge.identify.elements import exclusive, exclusive_flaw
from edge.identify.siblings import missing
from edge.wording.identify import PROPERTIES, WHY

_GTIN_BEARERS: Final = frozenset({"01", "02", "03", "8006", "8026"})
_GS1_FAMILIES: Final = frozenset({"gs1", "digital_link", "ean", "itf"})


def merge(first: Code, second: Code) -> Code | Unreadable:
    """Both as one code, or Unreadable ``label_conflict``. ``missing`` is what both together still lack.

    The number of an EAN or ITF-14 symbol counts as its (01), and stands so among the elements of the result. A plain
    text belongs to a label only once the caller has told its ``material`` (a supplier's part number in masters).
    """
    why = WHY["label"].fill({"first": first.why, "second": second.why})
    text = f"{first.text}\n{second.text}"
    for code in (first, second):
        unknown = code.family == "plain" and code.material is None
        if unknown or code.badge is not None or code.command is not None:
            return unreadable(Flaw("label_conflict.kind", {"text": code.text}), text, why)
    ours, theirs = _elements(first), _elements(second)
    both = ours | theirs
    flaw = _contradiction(ours, theirs, both) or _disagreement(first, second)
    if flaw is not None:
        return unreadable(flaw, text, why)
    told = {name: _either(getattr(first, name), getattr(second, name)) for name in PROPERTIES}
    lacking = missing(both)
    return structs.replace(
        first,
        family=_family(first.family, second.family),
        symbology=f"{first.symbology}+{second.symbology}",
        text=text,
        elements=tuple(both.items()),
        confidence="heuristic" if "heuristic" in (first.confidence, second.confidence) else "declared",
        why=why,
        missing=lacking if told["material"] is None else tuple(name for name in lacking if name != "gtin"),
        **told,
    )


def _elements(code: Code) -> dict[str, str]:
    elements = dict(code.elements)
    if code.gtin is not None and _GTIN_BEARERS.isdisjoint(elements):
        return {"01": code.gtin, **elements}
    return elements


def _contradiction(ours: Mapping[str, str], theirs: Mapping[str, str], both: Mapping[str, str]) -> Flaw | None:
    for ai, value in theirs.items():
        if ours.get(ai, value) != value:
            about = {"ai": ai, "name": element_name(ai), "first": ours[ai], "second": value}
            return Flaw("label_conflict.element", about)
    pair = exclusive(both)
    return None if pair is None else exclusive_flaw(pair, "label_conflict.exclusive")


def _disagreement(first: Code, second: Code) -> Flaw | None:
    for name, words in PROPERTIES.items():
        one, other = getattr(first, name), getattr(second, name)
        if one is not None and other is not None and one != other:
            return Flaw("label_conflict.property", {"name": words, "first": str(one), "second": str(other)})
    return None


def _either(one: object, other: object) -> object:
    return other if one is None else one


def _family(one: str, other: str) -> str:
    """The common one; else GS1 where GS1 has a part in it; else the one that is not plain."""
    if one == other:
        return one
    if _GS1_FAMILIES & {one, other}:
        return "gs1"
    return other if one == "plain" else one
