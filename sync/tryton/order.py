"""A closed work order becomes consumption and production in Tryton, all at once.

Tryton consumes every input of a production when it is run, and what is added later stays a draft for ever (trytond-production
8.2); so nothing is posted before the order is closed. What has to stand in the production is computed from the events,
what stands there is read, and each step only closes the gap between the two. Whatever was cut off, wherever, the next
call finds Tryton somewhere in this table:

============================  ========================================================================================
production in Tryton          what is done
============================  ========================================================================================
request, draft, cancelled     refused: a planner has to decide
waiting, moves differ         one write sets all inputs and outputs: quantity and lot; one transaction
waiting, moves right          ``assign_try``; still waiting after it: refused with what is missing, and ``wait`` gives back
                              what was assigned
assigned, moves differ        ``wait``
assigned, moves right         ``run``: the inputs are consumed
running, inputs differ        refused: somebody ran it with other lots
running, outputs differ       one write sets the outputs
running, moves right          inspection where one is configured, then ``do``: the outputs are in stock
done, moves right             attachment; accepted
done, moves differ            refused: somebody finished it with other lots
============================  ========================================================================================
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from edge.errors import SinkUnavailable
from edge.wording.tryton import TROUBLE
from sync.tryton.account import Account, Key
from sync.tryton.catalog import Catalog, NoPlace, Product
from sync.tryton.event import Event
from sync.tryton.moves import Goal, Side, Spot, alive, called, commands, is_right, listed, planned_name, wanted
from sync.tryton.rest import Refused, Row, day, exact

STEPS_MAX: Final = 16  # eight when nobody interferes; a planner who clicks at the same time may cost a few more
#: Called with the production's id while it is running, before it is finished. Raises NoPlace or Refused.
BeforeDone = Callable[[int], Awaitable[None]]

_MOVE: Final = ("product.code", "lot.number", "quantity", "unit", "state", "from_location", "to_location")
_FIELDS: Final = (
    "number",
    "state",
    "product.code",
    "warehouse.rec_name",
    "location",
    *(f"inputs.{name}" for name in _MOVE),
    *(f"outputs.{name}" for name in (*_MOVE, "unit_price", "currency")),
    "bom.inputs.product",
    "bom.inputs.quantity",
    "bom.inputs.unit",
    "bom.outputs.product",
    "bom.outputs.quantity",
    "bom.outputs.unit",
)


class Posted(Struct, frozen=True, kw_only=True):
    """A production that is done, with the right lots."""

    id: int
    number: str


async def close(catalog: Catalog, event: Event, sums: Account, before_done: BeforeDone) -> Posted:
    """Brings the production of ``event``'s order to done. Raises NoPlace when it cannot be brought there."""
    assert event.order is not None
    order = event.order.id
    if not sums.total_made:
        raise NoPlace.of("nothing_made", order=order)
    production = await _find(catalog, order)
    goal = await _goal(catalog, event, sums, production)
    for _ in range(STEPS_MAX):
        if production["state"] == "done" and is_right(catalog.site, production, goal, "inputs", "outputs"):
            return Posted(id=production["id"], number=production["number"] or order)
        try:
            await _step(catalog, production, goal, before_done)
        except Refused as exc:
            await _refused(catalog, production, exc)
        production = await _read(catalog, production["id"], order)
    raise SinkUnavailable(TROUBLE["unsettled"].fill({"what": f"production {order}"}))


async def _find(catalog: Catalog, order: str) -> Row:
    """The production with this number, or else with this reference. Raises NoPlace when that names none, or several."""
    here = [["company", "=", catalog.site.company], ["state", "!=", "cancelled"]]
    either = ["OR", ["number", "=", order], ["reference", "=", order]]
    rows = await catalog.rest.search("production", [*here, either], ["number"])
    named = [row for row in rows if row["number"] == order] or rows
    if not named:
        gone = await catalog.rest.search("production", [here[0], either], ["number"])
        raise NoPlace.of("order_cancelled" if gone else "order_unknown", order=order)
    if len(named) > 1:
        raise NoPlace.of("order_ambiguous", order=order, names=", ".join(str(row["number"]) for row in named))
    return await _read(catalog, named[0]["id"], order)


async def _read(catalog: Catalog, production: int, order: str) -> Row:
    row = await catalog.rest.read("production", production, _FIELDS)
    if row is None:
        raise NoPlace.of("order_unknown", order=order)
    return row


async def _goal(catalog: Catalog, event: Event, sums: Account, production: Row) -> Goal:
    """The sums in Tryton's terms. Lots of what was used have to be there; lots of what was made are made now."""
    assert event.order is not None
    order, state = event.order.id, production["state"]
    theirs = (production["product"] or {}).get("code")
    for key in sums.made:
        if key.material != theirs:
            raise NoPlace.of("order_material", order=order, theirs=theirs, ours=key.material)
    _still_open(order, state)
    products = await catalog.products({key.material for key in (*sums.used, *sums.made)})
    is_posted = state == "done"
    names: dict[tuple[int, int | None], str] = {}
    used = await _spots(catalog, sums.used, products, names, make=False, complete=not is_posted)
    made = await _spots(catalog, sums.made, products, names, make=not is_posted, complete=not is_posted)
    units = catalog.site.uoms
    return Goal(
        order=order,
        used=used,
        made=made,
        made_base=sum((units[unit].base(value) for (_, _, unit), value in made.items()), Decimal(0)),
        names=names,
        day=min(event.day, await catalog.today()),
    )


def _still_open(order: str, state: str) -> None:
    if state == "cancelled":
        raise NoPlace.of("order_cancelled", order=order)
    if state in ("request", "draft"):
        raise NoPlace.of("order_draft", order=order, state=state)


async def _spots(
    catalog: Catalog,
    sums: Mapping[Key, Decimal],
    products: Mapping[str, Product],
    names: dict[tuple[int, int | None], str],
    *,
    make: bool,
    complete: bool,
) -> dict[Spot, Decimal]:
    """Quantities by Tryton's ids. A number without a lot is made, or refused where it has to be there, or told as 0."""
    spots: dict[Spot, Decimal] = {}
    for code in sorted({key.material for key in sums}):
        product = products[code]
        numbers = [key.number for key in sums if key.material == code and key.number]
        if make:
            lots = await catalog.ensure_lots(product, dict.fromkeys(numbers))
        else:
            lots = {number: row["id"] for number, row in (await catalog.lots(product, numbers)).items()}
        if complete and (missing := sorted(set(numbers) - set(lots))):
            raise NoPlace.of("lot_unknown", lots=", ".join(missing), material=code)
        for key, value in sums.items():
            if key.material == code:
                lot = lots.get(key.number, 0) if key.number else None
                spots[product.id, lot, catalog.uom(product, key.unit).id] = value
                names[product.id, lot] = f"{code} {key.number}".strip()
    return spots


# ---- one step


async def _step(catalog: Catalog, production: Row, goal: Goal, before_done: BeforeDone) -> None:
    """The one thing to do next with ``production`` as it stands. Raises NoPlace, Refused."""
    state = production["state"]
    _still_open(goal.order, state)
    match state:
        case "waiting":
            if any(move["state"] != "draft" for move in alive(production, "inputs")):
                await _press(catalog, production, "wait")
            elif not is_right(catalog.site, production, goal, "inputs", "outputs"):
                await _write(catalog, production, goal, "inputs", "outputs")
            else:
                await _assign(catalog, production, goal)
        case "assigned":
            ready = is_right(catalog.site, production, goal, "inputs", "outputs")
            await _press(catalog, production, "run" if ready else "wait")
        case "running":
            if not is_right(catalog.site, production, goal, "inputs"):
                raise _taken(catalog, production, goal, "inputs")
            if not is_right(catalog.site, production, goal, "outputs"):
                await _write(catalog, production, goal, "outputs")
            else:
                await before_done(production["id"])
                await _finish(catalog, production, goal)
        case _:
            side: Side = "outputs" if is_right(catalog.site, production, goal, "inputs") else "inputs"
            raise _taken(catalog, production, goal, side)


async def _press(catalog: Catalog, production: Row, button: str) -> None:
    await catalog.rest.press("production", production["id"], button)


async def _assign(catalog: Catalog, production: Row, goal: Goal) -> None:
    """Reserves the inputs. Tryton says nothing when stock is short; what it could not assign stays a draft."""
    await _press(catalog, production, "assign_try")
    after = await _read(catalog, production["id"], goal.order)
    if after["state"] != "waiting":
        return
    missing: dict[str, Decimal] = defaultdict(Decimal)
    for move in alive(after, "inputs"):
        if move["state"] == "draft":
            missing[called(move)] += exact(move["quantity"])
    await _press(catalog, production, "wait")  # what it could assign is given back to others
    told = ", ".join(f"{value:f} {name}" for name, value in sorted(missing.items()))
    raise NoPlace.of("shortage", missing=told, place=production["warehouse"]["rec_name"])


async def _finish(catalog: Catalog, production: Row, goal: Goal) -> None:
    """Presses ``do``, which Tryton answers with nothing but a bare 400 when it would rather open its inspection window."""
    try:
        await _press(catalog, production, "do")
    except Refused as exc:
        if exc.words:
            raise
        raise NoPlace.of("inspection_wanted", order=goal.order) from exc


async def _refused(catalog: Catalog, production: Row, exc: Refused) -> None:
    """Returns when the production changed all the same; or else gives back what was assigned and raises NoPlace.

    HTTP clients and proxies may send a write again whose answer was lost (RFC 9110 §9.2.2), and Tryton refuses the second.
    """
    after = await catalog.rest.read("production", production["id"], _FIELDS)
    if after != production:
        return
    if production["state"] == "assigned":
        try:
            await _press(catalog, production, "wait")
        except Refused:
            pass  # it stays reserved; the words of the first refusal are what a person needs
    if not exc.words:
        raise NoPlace.of("still", order=production["number"], state=production["state"]) from exc
    raise NoPlace.of("tryton", words=exc.words) from exc


def _taken(catalog: Catalog, production: Row, goal: Goal, side: Side) -> NoPlace:
    theirs: dict[str, Decimal] = defaultdict(Decimal)
    for move in alive(production, side):
        theirs[called(move)] += exact(move["quantity"])
    right = wanted(catalog.site, production, goal, side)
    ours = {goal.names.get(spot[:2], planned_name(production, spot)): value for spot, value in right.items()}
    return NoPlace.of(
        "order_done", order=goal.order, state=production["state"], theirs=listed(theirs), ours=listed(ours)
    )


async def _write(catalog: Catalog, production: Row, goal: Goal, *sides: Side) -> None:
    """Sets the moves of ``sides`` in one write, which is one transaction in Tryton."""
    values: dict[str, Any] = {"effective_date": day(goal.day)}
    if "inputs" in sides:
        # The day of the close, not of the first unit: a lot that came in meanwhile has to come before its use.
        values["effective_start_date"] = day(goal.day)
    for side in sides:
        home = await _home(catalog, production, side)
        values[side] = commands(catalog.site, production, side, wanted(catalog.site, production, goal, side), home)
    await catalog.rest.write("production", production["id"], values)


async def _home(catalog: Catalog, production: Row, side: Side) -> frozenset[int]:
    """Bins inside the picking location: Tryton wrote them when it assigned, and another lot may lie in another bin."""
    bins = {move["from_location"] for move in alive(production, side)} - {catalog.site.picking}
    if side == "outputs" or not bins:
        return frozenset()
    inside = [["id", "in", sorted(bins)], ["parent", "child_of", [catalog.site.picking], "parent"]]
    return frozenset(row["id"] for row in await catalog.rest.search("stock.location", inside, ["code"]))
