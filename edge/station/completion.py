"""The end of a unit: what went in becomes inputs and components, what was measured becomes sensor elements, and the order counts."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec.structs import replace

from edge.config.procedure import ConsumeStep, LoadStep, MeasureStep, UnitStep
from edge.config.units import unit_word
from edge.epcis import Draft, Item, Role, Sensor
from edge.epcis.build import NAMESPACE
from edge.model import Known
from edge.station.checks import (
    Refuse,
    check_balance,
    check_loaded,
    check_measures,
    check_need,
    check_order,
    check_serial,
    check_usable,
    fulfilled,
)
from edge.station.context import Context, Outcome
from edge.station.desk import Loaded, LotState, OrderState
from edge.wording import Words


def complete(context: Context, outcome: Outcome) -> Outcome | Refuse:
    """``outcome`` with the unit completed, if every step of it stands; ``outcome`` itself while some are open.

    ``context`` carries the desk as the scan would leave it. Refuses when the unit would be complete but must not be.
    """
    steps = context.procedure.steps
    if not all(fulfilled(context, name) for name, step in steps.items() if isinstance(step, UnitStep | ConsumeStep)):
        return outcome
    desk, output = context.desk, _output(context)
    if refuse := _still_right(context):
        return refuse
    once = [(part.item, part.serial, Role.COMPONENT) for part in desk.parts if part.serial]
    for item, number, role in [*once, *([(output.id, output.serial, Role.OUTPUT)] if output.serial else [])]:
        if refuse := check_serial(context, item, number, role):
            return refuse  # another station used it while this unit was open
    sensors: list[Sensor] = []
    for name, step in steps.items():
        if isinstance(step, MeasureStep):
            measured = check_measures(context, name, step)
            if isinstance(measured, Refuse):
                return measured
            sensors.extend(measured)
    taken = _taken(context)
    if isinstance(taken, Refuse):
        return taken
    inputs, lots = taken
    drafts = _drafts(context, inputs, output, tuple(sensors))
    orders: tuple[OrderState, ...] = ()
    fields: dict[str, str | Words] = {"unit": desk.unit}
    code, order_left = "unit_done", desk.order
    if desk.order:
        made = _made(context) + context.procedure.makes_quantity
        orders = (OrderState(order=desk.order, made=made),)
        planned = context.masters.orders.get(desk.order)
        close = context.procedure.close
        if close is not None and close.when == "quantity" and planned is not None and made >= planned.quantity:
            closing, order = close_draft(replace(context, orders={**context.orders, desk.order: orders[0]}), "quantity")
            drafts, orders, order_left, code = (*drafts, closing), (order,), "", "unit_done_closed"
            fields["order"] = desk.order
    if not output.serial:
        lots = {**lots, output.id: _produced(context, lots, output)}
    return replace(
        outcome,
        code=code,
        fields=fields,
        desk=replace(
            desk,
            order=order_left,
            unit="",
            unit_known=False,
            unit_since=None,
            since_ns=context.now.monotonic_ns,
            boot_id=context.now.boot_id,
            parts=(),
            scans=(),
            spliced=(),
        ),
        lots=tuple(lots.values()),
        orders=orders,
        drafts=drafts,
        unit_ended=True,
    )


def _still_right(context: Context) -> Refuse | None:
    """What stands on the desk, judged again by today's masters and procedure: both may have changed since it was scanned."""
    desk, procedure = context.desk, context.procedure
    if procedure.makes not in context.masters.materials:
        return Refuse(code="material_unknown", fields={"material": procedure.makes}, unknown=True)
    if any(part.step not in procedure.steps for part in desk.parts):
        return Refuse(code="procedure_changed", fields={})
    if desk.order and isinstance(order := check_order(context, desk.order), Refuse):
        return order
    return None


def close_draft(context: Context, reason: str) -> tuple[Draft, OrderState]:
    """The event that closes the order, and the order as it is then."""
    desk, procedure = context.desk, context.procedure
    material = context.masters.materials.get(procedure.makes)
    made = _made(context)
    item = Item(
        role=Role.MADE,
        id=context.place.ids.material(procedure.makes, material.gtin if material else None),
        material=procedure.makes,
        unit=material.unit if material else "C62",
        quantity=made,
        known=Known.COUNTER,
    )
    draft = Draft(
        act="close",
        items=(item,),
        biz_step=NAMESPACE + "closing",
        step=next((name for name, step in procedure.steps.items() if step is procedure.close), "close"),
        order=desk.order,
        order_material=procedure.makes,
        operator=desk.operator,
        reason=reason,
    )
    return draft, OrderState(order=desk.order, made=made, closed=True)


def _made(context: Context) -> Decimal:
    order = context.orders.get(context.desk.order)
    return order.made if order else Decimal(0)


def _taken(context: Context) -> Refuse | tuple[tuple[Item, ...], dict[str, LotState]]:
    """Inputs of the unit and the balances they leave: scanned lots, then what loaded lots give by the bill."""
    lots: dict[str, LotState] = {}
    inputs: list[Item] = []

    def take(item: str, quantity: Decimal, position: str) -> Refuse | None:
        lot = lots.get(item) or context.lots[item]
        if refuse := check_usable(context, lot) or check_balance(lot, quantity, position):
            return refuse
        lots[item] = replace(lot, balance=(lot.balance or Decimal(0)) - quantity)
        inputs.append(_input(lot, quantity))
        return None

    for part in context.desk.parts:
        if part.lot and (refuse := take(part.item, part.quantity, "")):
            return refuse
        if not part.lot and not part.serial:
            inputs.append(_untracked(part.material, part.item, part.quantity, context))
    for name, step in context.procedure.steps.items():
        if isinstance(step, LoadStep):
            loaded = context.desk.loaded.get(step.position)
            if loaded is None:
                return Refuse(code="lot_empty", fields=_nothing_loaded(step, context))
            if refuse := check_loaded(context, step):
                return refuse
            amount = check_need(context, step)
            if isinstance(amount, Refuse):
                return amount
            need = amount
            for before in (lot for lot in context.desk.spliced if lot.step == name):
                if refuse := check_usable(context, context.lots[before.item]):
                    return refuse
                need -= _rest(before, need, context.lots, lots, inputs)
            if need > 0 and (refuse := take(loaded.item, need, step.position)):
                return refuse
    return tuple(inputs), lots


def _rest(
    before: Loaded, need: Decimal, known: Mapping[str, LotState], lots: dict[str, LotState], inputs: list[Item]
) -> Decimal:
    """What a lot taken off during this unit gave: all it had if that was too little, otherwise a share nobody knows."""
    lot = lots.get(before.item) or known[before.item]
    left = lot.balance or Decimal(0)
    if left >= need:
        inputs.append(_input(lot, None))
        return Decimal(0)
    if left > 0:
        lots[before.item] = replace(lot, balance=Decimal(0))
        inputs.append(_input(lot, left))
    return left


def _drafts(context: Context, inputs: tuple[Item, ...], output: Item, sensors: tuple[Sensor, ...]) -> tuple[Draft, ...]:
    desk, done = context.desk, context.procedure.done
    step = next((name for name, step in context.procedure.steps.items() if step is done), "done")
    components = tuple(
        Item(
            role=Role.COMPONENT,
            id=part.item,
            material=part.material,
            unit="C62",
            quantity=part.quantity,
            known=Known.LABEL,
            serial=part.serial,
            expiry=part.expiry,
        )
        for part in desk.parts
        if part.serial
    )
    make = Draft(
        act="make",
        items=(*inputs, output),
        biz_step=done.event,
        step=step,
        disposition=done.disposition,
        order=desk.order,
        order_material=context.procedure.makes if desk.order else "",
        operator=desk.operator,
        sensors=sensors,
        scans=desk.scans,
    )
    if not components:
        return (make,)
    return make, replace(make, act="join", items=(output, *components), sensors=(), scans=())


def _output(context: Context) -> Item:
    procedure, ids = context.procedure, context.place.ids
    material = context.masters.materials.get(procedure.makes)
    gtin, unit = (material.gtin, material.unit) if material else (None, "C62")
    number = context.desk.unit
    if procedure.makes_as == "serial":
        item, serial, lot = ids.serial(procedure.makes, gtin, number), number, ""
    else:
        item, serial, lot = ids.lot(procedure.makes, gtin, number), "", number
    return Item(
        role=Role.OUTPUT,
        id=item,
        material=procedure.makes,
        unit=unit,
        quantity=procedure.makes_quantity,
        known=Known.COUNTER,
        serial=serial,
        lot=lot,
    )


def _produced(context: Context, lots: Mapping[str, LotState], output: Item) -> LotState:
    """The output lot, with what this unit adds to it: the next station may load it."""
    before = lots.get(output.id) or context.lots.get(output.id)
    if before is None:
        before = LotState(
            item=output.id, material=output.material, lot=output.lot, unit=output.unit, balance=Decimal(0)
        )
    return replace(before, balance=(before.balance or Decimal(0)) + (output.quantity or Decimal(0)))


def _input(lot: LotState, quantity: Decimal | None) -> Item:
    return Item(
        role=Role.INPUT,
        id=lot.item,
        material=lot.material,
        unit=lot.unit,
        quantity=quantity,
        known=Known.THEORETICAL,
        lot=lot.lot,
        expiry=lot.expiry,
        supplier=lot.supplier,
    )


def _untracked(material: str, item: str, quantity: Decimal, context: Context) -> Item:
    known = context.masters.materials.get(material)
    return Item(role=Role.INPUT, id=item, material=material, unit=known.unit if known else "C62", quantity=quantity)


def _nothing_loaded(step: LoadStep, context: Context) -> dict[str, str | Words]:
    need = context.procedure.per_unit(step, context.masters)
    material = context.masters.materials.get(step.load)
    unit = unit_word(material.unit if material else "C62").sign
    return {
        "lot": "–",
        "position": step.position,
        "left": f"0 {unit}",
        "need": "–" if need is None else f"{need:f} {unit}",
    }
