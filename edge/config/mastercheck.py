"""Masters among themselves and against the procedures: check digits, things that are two, bills that are missing."""

from __future__ import annotations

from collections.abc import Iterator

from edge.config.explain import Path
from edge.config.masters import BillFile, OrderState
from edge.config.near import near
from edge.config.parts import Parts, quoted
from edge.config.problem import Problem
from edge.config.procedure import ConsumeStep, LoadStep, ReceiveStep


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
    for name, material in parts.materials.items():
        path: Path = ("masters", "materials", name, "gtin")
        if material.gtin is not None:
            digit = _check_digit(material.gtin[:-1])
            if digit != material.gtin[-1]:
                yield parts.wrong("check_digit", path, got=quoted(material.gtin), digit=digit)
            yield from _once(parts, "gtin_taken", gtins, material.gtin.zfill(14), path, material.gtin)
        for index, code in enumerate(material.codes):
            yield from _once(parts, "code_taken", codes, code, ("masters", "materials", name, "codes", index), code)


def _check_digit(digits: str) -> str:
    """GS1 General Specifications §7.9: weights 3, 1, 3, … from the right."""
    return str(-sum(int(digit) * (3, 1)[index % 2] for index, digit in enumerate(reversed(digits))) % 10)


def _once(parts: Parts, rule: str, seen: dict[str, Path], key: str, path: Path, shown: str) -> Iterator[Problem]:
    first = seen.setdefault(key, path)
    if first != path:
        yield parts.wrong(rule, path, None, parts.place(*first), got=quoted(shown), other=first[2])


def _badges(parts: Parts) -> Iterator[Problem]:
    badges: dict[str, Path] = {}
    for name, person in parts.people.items():
        yield from _once(parts, "badge_taken", badges, person.badge, ("masters", "people", name, "badge"), person.badge)


def _lots(parts: Parts) -> Iterator[Problem]:
    lots: dict[str, Path] = {}
    for index, lot in parts.lots.items():
        key = f"{lot.material}\0{lot.lot}"
        yield from _once(parts, "lot_taken", lots, key, ("masters", "lots", index, "lot"), lot.lot)


def _references(parts: Parts) -> Iterator[Problem]:
    materials = parts.names("masters", "materials")
    known = frozenset(materials)
    for path, name in _materials_used(parts):
        if name not in known:
            # where a name is a key, the key is what is wrong
            at = parts.key_place(*path) if path[1] in ("bills",) and path[-1] == name else None
            yield parts.wrong("no_material", path, at, got=quoted(name), near=near(name, materials))
    suppliers = parts.names("masters", "suppliers")
    for index, lot in parts.lots.items():
        if lot.supplier is not None and lot.supplier not in suppliers:
            hint = near(lot.supplier, suppliers)
            yield parts.wrong(
                "no_supplier", ("masters", "lots", index, "supplier"), got=quoted(lot.supplier), near=hint
            )


def _materials_used(parts: Parts) -> Iterator[tuple[Path, str]]:
    for made, bill in parts.bills.items():
        base: Path = ("masters", "bills", made)
        yield base, made
        for name in bill.needs:
            yield (*base, "needs", name), name
        for name, others in bill.alternates.items():
            yield (*base, "alternates", name), name
            for index, other in enumerate(others):
                yield (*base, "alternates", name, index), other
    for order, one in parts.orders.items():
        yield ("masters", "work_orders", order, "material"), one.material
    for index, lot in parts.lots.items():
        yield ("masters", "lots", index, "material"), lot.material
    for procedure, file in parts.procedures.items():
        if file.makes is not None:
            yield ("procedures", procedure, "makes", "material"), file.makes.material
        for step_name, step in file.steps.items():
            path: Path = ("procedures", procedure, "steps", step_name)
            match step:
                case LoadStep():
                    yield (*path, "load"), step.load
                case ConsumeStep():
                    yield (*path, "consume"), step.consume
                case ReceiveStep(receive=tuple(wanted)):
                    for index, name in enumerate(wanted):
                        yield (*path, "receive", index), name
                case _:
                    pass


def _bills(parts: Parts) -> Iterator[Problem]:
    """A step that takes by the bill needs a bill, of what the procedure makes or of what its orders make."""
    for procedure, file in parts.procedures.items():
        for step_name, step in file.steps.items():
            path: Path = ("procedures", procedure, "steps", step_name)
            if isinstance(step, LoadStep) and step.per_unit == "bill":
                yield from _by_bill(parts, path, "per_unit", step.load, file.makes.material if file.makes else None)
            elif isinstance(step, ConsumeStep) and step.per_scan == "bill":
                yield from _by_bill(parts, path, "per_scan", step.consume, file.makes.material if file.makes else None)


def _by_bill(parts: Parts, path: Path, key: str, component: str, made: str | None) -> Iterator[Problem]:
    there = (*path, key)
    step = parts.place(*there) if parts.spot(*there).path == there else parts.key_place(*path)
    makers: list[tuple[str, Path]] = [(made, ())] if made is not None else []
    if made is None:
        makers = [
            (order.material, ("masters", "work_orders", name, "material"))
            for name, order in parts.orders.items()
            if order.state is not OrderState.CLOSED
        ]
    for material, order in makers:
        if material not in parts.names("masters", "bills"):
            if order:
                yield parts.wrong("no_bill_order", order, None, step, material=material)
            else:
                yield parts.wrong(
                    "no_bill", there, step, parts.place("procedures", path[1], "makes"), material=material
                )
        elif (bill := parts.bills.get(material)) is not None and not _takes(bill, component):
            second = parts.key_place("masters", "bills", material)
            yield parts.wrong("not_in_bill", there, step, second, material=material, component=component)


def _takes(bill: BillFile, component: str) -> bool:
    return component in bill.needs or any(component in others for others in bill.alternates.values())
