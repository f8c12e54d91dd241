"""What stands in a production, what should, and the one write that closes the gap. Pure.

A spot is a lot of a product in a unit; quantities are compared per spot, because Tryton splits a move when it takes a lot
from several bins. Products that the events do not name stay as they are planned: an untracked component that nobody
scans takes its share by the bill, a by-product is left alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from sync.tryton.catalog import Site
from sync.tryton.rest import Row, exact, numeric

Side = Literal["inputs", "outputs"]
Spot = tuple[int, int | None, int]  #: product, lot, unit


class Goal(Struct, frozen=True, kw_only=True):
    """What the events say has to stand in the production; products that they do not name stay as planned."""

    order: str
    used: Mapping[Spot, Decimal]
    made: Mapping[Spot, Decimal]
    made_base: Decimal
    names: Mapping[tuple[int, int | None], str]  #: (product, lot) -> as a person calls it
    day: date


def alive(production: Row, side: Side) -> list[Row]:
    """The moves that count."""
    return [move for move in production[side] if move["state"] != "cancelled"]


def _spot(move: Row) -> Spot:
    return move["product"]["id"], move["lot"]["id"] if move["lot"] else None, move["unit"]


def _standing(moves: Iterable[Row]) -> dict[Spot, Decimal]:
    """Sums: Tryton splits a move when it takes the lot from several bins."""
    sums: dict[Spot, Decimal] = defaultdict(Decimal)
    for move in moves:
        sums[_spot(move)] += exact(move["quantity"])
    return dict(sums)


def is_right(site: Site, production: Row, goal: Goal, *sides: Side) -> bool:
    """Does every side of ``production`` hold what it should?"""
    return all(
        _rounded(_standing(alive(production, side))) == _rounded(wanted(site, production, goal, side)) for side in sides
    )


def _rounded(sums: Mapping[Spot, Decimal]) -> dict[Spot, Decimal]:
    return {spot: round(value, 6) for spot, value in sums.items()}


def wanted(site: Site, production: Row, goal: Goal, side: Side) -> dict[Spot, Decimal]:
    """The goal, and what is planned besides it: an untracked component that nobody scans, a by-product."""
    told = goal.used if side == "inputs" else goal.made
    right = dict(told)
    named = {product for product, _, _ in told}
    by_product: dict[int, list[Row]] = defaultdict(list)
    for move in alive(production, side):
        if move["product"]["id"] not in named:
            by_product[move["product"]["id"]].append(move)
    for product, moves in by_product.items():
        standing = _standing(moves)
        theory = _by_bill(site, production, goal, product) if side == "inputs" else None
        base = sum((site.uoms[unit].base(value) for (_, _, unit), value in standing.items()), Decimal(0))
        if theory is None or round(theory - base, 6) == 0:
            right |= standing
        else:
            unit = site.uoms[moves[0]["unit"]]
            share = theory / unit.factor
            right[_spot(moves[0])] = round(share / unit.rounding) * unit.rounding
    return right


def _by_bill(site: Site, production: Row, goal: Goal, product: int) -> Decimal | None:
    """What was made should have used so much of ``product``, in its category's reference; None when no bill says it."""
    bill = production["bom"]
    if not bill:
        return None
    units = site.uoms

    def per(side: Side, wanted: int) -> Decimal:
        lines = [line for line in bill[side] if line["product"] == wanted]
        return sum((units[line["unit"]].base(exact(line["quantity"])) for line in lines), Decimal(0))

    needs, gives = per("inputs", product), per("outputs", production["product"]["id"])
    return needs * goal.made_base / gives if needs and gives else None


def commands(site: Site, production: Row, side: Side, right: Mapping[Spot, Decimal], home: frozenset[int]) -> list[Any]:
    """One2Many commands that turn what stands there into ``right``: moves are reused, made and deleted.

    ``home``: bins inside the picking location, where Tryton found a lot once; another lot may lie in another bin.
    """
    spare: dict[int, list[Row]] = defaultdict(list)
    for move in alive(production, side):
        spare[move["product"]["id"]].append(move)
    models = {product: moves[0] for product, moves in spare.items()}
    writes: list[Any] = []
    new: list[Any] = []
    for (product, lot, unit), value in sorted(right.items(), key=lambda pair: (pair[0][0], pair[0][1] or 0)):
        values: dict[str, Any] = {"lot": lot, "unit": unit, "quantity": float(value)}
        model = models.get(product)
        if model is not None and side == "inputs" and model["from_location"] in home:
            values["from_location"] = site.picking
        if spare[product]:
            writes.append(["write", [spare[product].pop(0)["id"]], values])
        else:
            new.append({**_frame(site, production, side, model), "product": product, **values})
    surplus = [move["id"] for moves in spare.values() for move in moves]
    return [*writes, *([["create", new]] if new else []), *([["delete", surplus]] if surplus else [])]


def _frame(site: Site, production: Row, side: Side, model: Row | None) -> dict[str, Any]:
    """The fields of a new move that are neither product nor lot nor quantity."""
    if side == "inputs":
        source = model["from_location"] if model else site.picking
        return {"company": site.company, "from_location": source, "to_location": production["location"]}
    target = model or next(iter(alive(production, "outputs")), None)
    return {
        "company": site.company,
        "from_location": production["location"],
        "to_location": target["to_location"] if target else site.storage,
        # Tryton sets the price from the cost of the inputs when the production is done
        "unit_price": numeric(Decimal(0)),
        "currency": site.currency,
    }


def called(move: Row) -> str:
    """Material and lot, as a person calls it."""
    return f"{move['product']['code']} {move['lot']['number'] if move['lot'] else ''}".strip()


def planned_name(production: Row, spot: Spot) -> str:
    moves = (*production["inputs"], *production["outputs"])
    return next((called(move) for move in moves if _spot(move)[:2] == spot[:2]), str(spot[0]))


def listed(sums: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{value.normalize() + 0:f} {name}" for name, value in sorted(sums.items())) or "–"
