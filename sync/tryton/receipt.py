"""A received lot becomes a supplier shipment in Tryton.

The shipment's ``reference`` is the event's id: that is how it is found again. Tryton's states are walked one button at a time,
and the state is read after each; whatever was cut off, the next call goes on from what stands in Tryton.

======================  ==============================================================================================
found in Tryton         what is done
======================  ==============================================================================================
nothing                 lot found or made; shipment made with the moves of the oldest open purchase lines, their lot
                        and quantity set, in one transaction. Tryton itself opens a new move for what is still to come
draft                   ``receive``
received                ``do``
done                    accepted; when it holds something else than the event says: refused
cancelled               refused
======================  ==============================================================================================
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from edge.contracts import Accepted
from sync.tryton.catalog import Catalog, NoPlace, Product, Uom
from sync.tryton.event import Event, Item
from sync.tryton.rest import Refused, Row, Warned, day, exact, numeric

_NEXT: Final = {"draft": "receive", "received": "do"}
_NO_ORIGIN: Final = "done"  # kind of the warning "moves have no origin" (trytond-stock 8.2, move.py check_origin)
_ANSWERS: Final = 3  # warnings answered per press; Tryton has one
_FIELDS: Final = (
    "number",
    "state",
    "incoming_moves.product.code",
    "incoming_moves.lot.number",
    "incoming_moves.quantity",
    "incoming_moves.unit",
    "incoming_moves.origin",
    "incoming_moves.state",
)


class Login(Struct, frozen=True, kw_only=True):
    """Who answers Tryton's questions about receipts without a purchase order."""

    user: str
    password: str


class _Line(Struct, frozen=True, kw_only=True):
    """One received item, in Tryton's terms."""

    item: Item
    product: Product
    uom: Uom
    quantity: Decimal
    lot: int | None


async def receive(catalog: Catalog, event: Event, login: Login | None) -> Accepted:
    """Posts ``event``. Raises NoPlace when Tryton or the event leaves no way."""
    shipment = await _find(catalog, event)
    if shipment is None:
        await _create(catalog, event)
        shipment = await _find(catalog, event)
        if shipment is None:
            raise NoPlace.of("receipt_cancelled", shipment=event.id)
    _check(catalog, event, shipment)
    while (button := _NEXT.get(shipment["state"])) is not None:
        shipment = await _press(catalog, shipment, button, login)
    lots = ", ".join(item.number for item in _received(event) if item.number)
    return Accepted(receipt=f"shipment {shipment['number']} done" + (f", lot {lots}" if lots else ""))


def _received(event: Event) -> Sequence[Item]:
    return [item for item in event.items if item.role == "received"]


async def _find(catalog: Catalog, event: Event) -> Row | None:
    """The shipment of ``event``: the furthest, then the oldest. Raises NoPlace when a person cancelled it."""
    rows = await catalog.rest.search("stock.shipment.in", [["reference", "=", event.id]], _FIELDS)
    for state in ("done", "received", "draft"):
        for row in rows:
            if row["state"] == state:
                return row
    if rows:
        raise NoPlace.of("receipt_cancelled", shipment=rows[0]["number"] or rows[0]["id"])
    return None


def _check(catalog: Catalog, event: Event, shipment: Row) -> None:
    """The same reference has to mean the same goods."""
    theirs: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for move in shipment["incoming_moves"]:
        if move["state"] != "cancelled":
            number = move["lot"]["number"] if move["lot"] else ""
            theirs[move["product"]["code"], number] += catalog.site.uoms[move["unit"]].base(exact(move["quantity"]))
    ours: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    units = {uom.code: uom for uom in catalog.site.uoms.values()}
    for item in _received(event):
        if item.quantity is not None and item.unit in units:
            ours[item.material, item.number] += units[item.unit].base(item.quantity)
    if theirs != ours:
        raise NoPlace.of("receipt_differs", shipment=_name(shipment), theirs=_told(theirs), ours=_told(ours))


async def _create(catalog: Catalog, event: Event) -> None:
    lines = await _lines(catalog, event)
    effective = day(min(event.day, await catalog.today()))
    party, moves = await _planned(catalog, event, lines)
    if party is None:
        party, moves = await _unplanned(catalog, lines)
    values = {
        "company": catalog.site.company,
        "supplier": party,
        "warehouse": catalog.site.warehouse,
        # not defaulted by Tryton on this way in, and refused when missing
        "warehouse_input": catalog.site.input,
        "warehouse_storage": catalog.site.storage,
        "reference": event.id,
        "effective_date": effective,
        "incoming_moves": moves,
    }
    try:
        await catalog.rest.create("stock.shipment.in", values)
    except Refused as exc:
        raise NoPlace.of("tryton", words=exc.words) from exc


async def _lines(catalog: Catalog, event: Event) -> list[_Line]:
    items = _received(event)
    products = await catalog.products({item.material for item in items})
    lines = []
    for item in items:
        product = products[item.material]
        if item.quantity is None:
            raise NoPlace.of("quantity", material=item.material)
        uom = catalog.uom(product, item.unit)
        lot = None
        if item.number:
            lot = (await catalog.ensure_lots(product, {item.number: item.expiry}))[item.number]
        lines.append(_Line(item=item, product=product, uom=uom, quantity=item.quantity, lot=lot))
    return lines


async def _planned(catalog: Catalog, event: Event, lines: Sequence[_Line]) -> tuple[int | None, list[Any]]:
    """The supplier and the commands that take the oldest open moves; None when nothing of it is on order."""
    moves = await _open_moves(catalog, event, lines)
    if not moves:
        if event.purchase:
            raise NoPlace.of("purchase", purchase=event.purchase, material=lines[0].item.material)
        return None, []
    party = moves[0]["purchase"]["party"]["id"]
    commands: list[Any] = []
    for line in lines:
        rest = line.quantity
        fitting = [m for m in moves if m["product"] == line.product.id and m["purchase"]["party"]["id"] == party]
        for move in fitting:
            if not rest:
                break
            unit = catalog.site.uoms[move["unit"]]
            take = min(rest, line.uom.of(exact(move["quantity"]), unit))
            rest -= take
            commands.append(["add", [move["id"]]])
            commands.append(["write", [move["id"]], {"lot": line.lot, "quantity": float(unit.of(take, line.uom))}])
        if rest:
            raise NoPlace.of(
                "too_much",
                got=_amount(line.quantity),
                open=_amount(line.quantity - rest),
                material=line.item.material,
                purchase=event.purchase or ", ".join(sorted({m["purchase"]["number"] for m in moves})),
            )
    return party, commands


async def _open_moves(catalog: Catalog, event: Event, lines: Sequence[_Line]) -> list[Row]:
    """What is ordered and not yet on a shipment, oldest first."""
    domain: list[Any] = [
        ["origin", "like", "purchase.line,%"],
        ["state", "=", "draft"],
        ["shipment", "=", None],
        ["product", "in", sorted({line.product.id for line in lines})],
        ["to_location", "=", catalog.site.input],
        ["company", "=", catalog.site.company],
    ]
    fields = ["product", "quantity", "unit", "purchase.number", "purchase.reference", "purchase.party.code"]
    moves = await catalog.rest.search("stock.move", domain, fields)
    # The move for what is still to come is newer than its purchase, so the age is the purchase's.
    moves.sort(key=lambda move: (move["purchase"]["id"], move["id"]))
    if event.purchase:
        return [m for m in moves if event.purchase in (m["purchase"]["number"], m["purchase"]["reference"])]
    supplier = lines[0].item.supplier
    return [m for m in moves if not supplier or m["purchase"]["party"]["code"] == supplier]


async def _unplanned(catalog: Catalog, lines: Sequence[_Line]) -> tuple[int, list[Any]]:
    """The supplier and the commands for goods that nobody ordered."""
    first = lines[0]
    parties = await catalog.rest.search("party.party", [["code", "=", first.item.supplier]], ["code"], limit=1)
    party = parties[0]["id"] if parties else next(iter(first.product.suppliers), None)
    if party is None:
        raise NoPlace.of("supplier", material=first.item.material)
    site = catalog.site
    moves = [
        {
            "product": line.product.id,
            "unit": line.uom.id,
            "quantity": float(line.quantity),
            "lot": line.lot,
            "from_location": site.supplier,
            "to_location": site.input,
            "company": site.company,
            "unit_price": numeric(line.uom.price(line.product.cost, line.product.uom)),
            "currency": site.currency,
        }
        for line in lines
    ]
    return party, [["create", moves]]


async def _press(catalog: Catalog, shipment: Row, button: str, login: Login | None) -> Row:
    """Presses, and reads what became of it. Raises NoPlace in Tryton's words when nothing did."""
    words = ""
    try:
        await catalog.rest.press("stock.shipment.in", shipment["id"], button)
    except Refused as exc:
        words = exc.words
    after = await _again(catalog, shipment)
    if after["state"] == shipment["state"] and _is_unplanned(after):
        if login is None:
            raise NoPlace.of("unplanned", words=words, shipment=_name(after))
        words = await _press_answering(catalog, after, button, login)
        after = await _again(catalog, after)
    if after["state"] == shipment["state"]:
        if words:
            raise NoPlace.of("tryton", words=words)
        raise NoPlace.of("still_shipment", shipment=_name(after), state=after["state"])
    return after


async def _press_answering(catalog: Catalog, shipment: Row, button: str, login: Login) -> str:
    """Presses, and says yes when Tryton asks about goods without an order; what it said when it refused, or ""."""
    for _ in range(_ANSWERS):
        try:
            await catalog.rest.press_as(login.user, login.password, "stock.shipment.in", shipment["id"], button)
        except Refused as exc:
            return exc.words
        except Warned as exc:
            if exc.name.rpartition(".")[2] != _NO_ORIGIN:
                return exc.words
            await catalog.rest.answer(login.user, login.password, exc.name)
        else:
            break
    return ""


async def _again(catalog: Catalog, shipment: Row) -> Row:
    row = await catalog.rest.read("stock.shipment.in", shipment["id"], _FIELDS)
    if row is None or row["state"] == "cancelled":
        raise NoPlace.of("receipt_cancelled", shipment=_name(shipment))
    return row


def _is_unplanned(shipment: Row) -> bool:
    return any(move["origin"] is None for move in shipment["incoming_moves"])


def _name(shipment: Row) -> str:
    return str(shipment["number"] or shipment["id"])


def _told(goods: Mapping[tuple[str, str], Decimal]) -> str:
    return (
        ", ".join(f"{_amount(value)} {code} {number}".strip() for (code, number), value in sorted(goods.items())) or "–"
    )


def _amount(value: Decimal) -> str:
    return format(value.normalize() + 0, "f")
