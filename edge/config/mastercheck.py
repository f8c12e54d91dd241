"""Masters among themselves and against the procedures: check digits, things that are two, bills that are missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from edge.config.explain import Path
from edge.config.masters import GTIN_PATTERN, OrderState
from edge.config.near import NOTHING, near
from edge.config.parts import Parts, quoted
from edge.config.problem import Problem

_HINTS: Final = 20  # comparing a name with 3,000 others takes 30 ms; whoever renamed them all does not need each one


def masters(parts: Parts) -> Iterator[Problem]:
    """Everything wrong with ``masters:``. What a destination may still bring is not missed."""
    yield from _codes(parts)
    yield from _badges(parts)
    yield from _lots(parts)
    if not parts.pulled:
        yield from _references(parts)
        yield from _bills(parts)


def _codes(parts: Parts) -> Iterator[Problem]:
    gtins: dict[str, Path] = {}
    codes: dict[str, Path] = {}
    for name in parts.names("masters", "materials"):
        path: Path = ("masters", "materials", name, "gtin")
        gtin = parts.text(*path)
        if gtin is not None and re.match(GTIN_PATTERN, gtin):
            digit = _check_digit(gtin[:-1])
            if digit != gtin[-1]:
                yield parts.wrong("check_digit", path, got=quoted(gtin), digit=digit)
            yield from _once(parts, "gtin_taken", gtins, gtin.zfill(14), path, gtin)
        for at, code in parts.texts("masters", "materials", name, "codes"):
            yield from _once(parts, "code_taken", codes, code, at, code)


def _check_digit(digits: str) -> str:
    """GS1 General Specifications §7.9: weights 3, 1, 3, … from the right."""
    return str(-sum(int(digit) * (3, 1)[index % 2] for index, digit in enumerate(reversed(digits))) % 10)


def _once(parts: Parts, rule: str, seen: dict[str, Path], key: str, path: Path, shown: str) -> Iterator[Problem]:
    first = seen.setdefault(key, path)
    if first != path:
        yield parts.wrong(rule, path, None, parts.place(*first), got=quoted(shown), other=first[2])


def _badges(parts: Parts) -> Iterator[Problem]:
    badges: dict[str, Path] = {}
    for name in parts.names("masters", "people"):
        path: Path = ("masters", "people", name, "badge")
        if (badge := parts.text(*path)) is not None:
            yield from _once(parts, "badge_taken", badges, badge, path, badge)


def _lots(parts: Parts) -> Iterator[Problem]:
    lots: dict[str, Path] = {}
    for index in parts.indexes("masters", "lots"):
        path: Path = ("masters", "lots", index, "lot")
        lot, material = parts.text(*path), parts.text("masters", "lots", index, "material")
        if lot is not None and material is not None:
            yield from _once(parts, "lot_taken", lots, f"{material}\0{lot}", path, lot)


def _references(parts: Parts) -> Iterator[Problem]:
    materials, suppliers = parts.names("masters", "materials"), parts.names("masters", "suppliers")
    known, hints = frozenset(materials), 0
    for path, material in _materials_used(parts):
        if material not in known:
            hints += 1
            hint = near(material, materials) if hints <= _HINTS else NOTHING
            # where the name is a key, the key is what is wrong
            at = parts.key_place(*path) if path[-1] == material else None
            yield parts.wrong("no_material", path, at, got=quoted(material), near=hint)
    for index in parts.indexes("masters", "lots"):
        path = ("masters", "lots", index, "supplier")
        if (supplier := parts.text(*path)) is not None and supplier not in suppliers:
            yield parts.wrong("no_supplier", path, got=quoted(supplier), near=near(supplier, suppliers))


def _materials_used(parts: Parts) -> Iterator[tuple[Path, str]]:
    """Every place of the file that names a material."""
    places: list[Path] = []
    for made in parts.names("masters", "bills"):
        bill: Path = ("masters", "bills", made)
        yield bill, made
        for section in ("needs", "alternates"):
            for name in parts.names(*bill, section):
                yield (*bill, section, name), name
                yield from parts.texts(*bill, section, name)
    places += [("masters", "work_orders", name, "material") for name in parts.names("masters", "work_orders")]
    places += [("masters", "lots", index, "material") for index in parts.indexes("masters", "lots")]
    for name in parts.names("procedures"):
        places.append(("procedures", name, "makes", "material"))
        for step in parts.names("procedures", name, "steps"):
            path: Path = ("procedures", name, "steps", step)
            places += [(*path, "load"), (*path, "consume")]
            yield from parts.texts(*path, "receive")
    for path in places:
        if (text := parts.text(*path)) is not None:
            yield path, text


def _bills(parts: Parts) -> Iterator[Problem]:
    """A step that takes by the bill needs a bill: of what the procedure makes, or of what its orders make."""
    for name in parts.names("procedures"):
        for step in parts.names("procedures", name, "steps"):
            path: Path = ("procedures", name, "steps", step)
            for word, amount in (("load", "per_unit"), ("consume", "per_scan")):
                component = parts.text(*path, word)
                if component is not None and (parts.text(*path, amount) or "bill") == "bill":
                    yield from _by_bill(parts, name, (*path, amount), component)


def _by_bill(parts: Parts, procedure: str, path: Path, component: str) -> Iterator[Problem]:
    step = parts.place(*path) if parts.has(*path) else parts.key_place(*path[:-1])
    made = parts.text("procedures", procedure, "makes", "material")
    if made is not None and made not in parts.names("masters", "bills"):
        yield parts.wrong(
            "no_bill", path, step, parts.place("procedures", procedure, "makes", "material"), material=made
        )
    materials = [made] if made is not None else []
    for order in parts.names("masters", "work_orders") if made is None else ():
        at: Path = ("masters", "work_orders", order)
        material = parts.text(*at, "material")
        if material is None or parts.text(*at, "state") == OrderState.CLOSED:
            continue
        materials.append(material)
        if material not in parts.names("masters", "bills"):
            yield parts.wrong("no_bill_order", (*at, "material"), None, step, material=material)
    for material in dict.fromkeys(materials):
        bill: Path = ("masters", "bills", material)
        if parts.has(*bill) and not _takes(parts, bill, component):
            second = parts.key_place(*bill)
            yield parts.wrong("not_in_bill", path, step, second, material=material, component=component)


def _takes(parts: Parts, bill: Path, component: str) -> bool:
    others = parts.names(*bill, "alternates")
    return component in parts.names(*bill, "needs") or any(
        component == text for other in others for _, text in parts.texts(*bill, "alternates", other)
    )
