"""The checks that stop the wrong thing. Each returns the reason to refuse, or what it found to be right."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from edge.config.masters import LotStatus, OrderState
from edge.config.procedure import BadgeStep, ConsumeStep, LoadStep, Measure, MeasureStep, OrderStep, UnitStep
from edge.config.units import unit_word
from edge.epcis import Sensor
from edge.identify import Code
from edge.masters import Material, Person, WorkOrder
from edge.model import Moment
from edge.station.context import Context
from edge.station.desk import LotState
from edge.station.procedure import instruction, material_name
from edge.station.windows import Window
from edge.wording import Words


class Refuse(Struct, frozen=True, kw_only=True):
    """Why not. ``unknown`` marks a check that could not be made: never green, never the same as no."""

    code: str
    fields: Mapping[str, str | Words] = {}
    unknown: bool = False


def check_person(person: Person | None, step: BadgeStep) -> Refuse | Person:
    """21 CFR 11.10(g),(i): only authorised and trained people."""
    if person is None:
        return Refuse(code="unknown_badge")
    if step.role not in person.roles:
        return Refuse(code="not_authorised", fields={"role": step.role})
    if step.training and step.training not in person.training:
        return Refuse(code="not_trained", fields={"training": step.training})
    return person


def check_order(context: Context, order: str) -> Refuse | WorkOrder:
    """The order is known, open here and at the ERP, and makes what this station makes."""
    known = context.masters.orders.get(order)
    if known is None:
        return Refuse(code="unknown_order", fields={"order": order})
    here = context.orders.get(order)
    if known.state is not OrderState.RUNNING or (here is not None and here.closed):
        state = "closed" if here is not None and here.closed else str(known.state)
        return Refuse(code="order_not_running", fields={"order": order, "state": _STATES[state]})
    if known.material != context.procedure.makes:
        return Refuse(
            code="wrong_order",
            fields={
                "order": order,
                "material": material_name(known.material, context.masters),
                "need": material_name(context.procedure.makes, context.masters),
            },
        )
    return known


def check_sequence(context: Context, name: str) -> Refuse | None:
    """21 CFR 11.10(f): permitted sequencing of steps."""
    for earlier in context.procedure.before[name]:
        step = context.procedure.steps[earlier]
        if isinstance(step, LoadStep) and step.position in context.desk.loaded:
            if refuse := check_loaded(context, step):
                return refuse
        elif not fulfilled(context, earlier):
            hint = instruction(step, context.procedure, context.masters)
            return Refuse(code="step_missing", fields={"step": step_words(earlier, context), "hint": hint})
    return None


def fulfilled(context: Context, name: str) -> bool:
    """Whether ``name`` stands now."""
    desk = context.desk
    match context.procedure.steps[name]:
        case BadgeStep() as step:
            person = context.masters.people.get(desk.operator)
            return not isinstance(check_person(person, step), Refuse)
        case LoadStep(position=position) as step:
            return position in desk.loaded and check_loaded(context, step) is None
        case ConsumeStep(count=count):
            return sum(part.step == name for part in desk.parts) >= count
        case OrderStep():
            return bool(desk.order) and not isinstance(check_order(context, desk.order), Refuse)
        case UnitStep():
            return desk.unit_known
        case _:
            return True


def check_loaded(context: Context, step: LoadStep) -> Refuse | None:
    """What is mounted may still be used and is enough for one unit."""
    loaded = context.desk.loaded[step.position]
    if not context.procedure.takes(step, loaded.material, context.masters):  # the procedure or the bill is another now
        need, got = material_name(step.load, context.masters), material_name(loaded.material, context.masters)
        return Refuse(code="wrong_material", fields={"need": need, "got": got})
    amount = check_need(context, step)
    if isinstance(amount, Refuse):
        return amount
    lot = context.lots[loaded.item]
    return check_usable(context, lot) or check_balance(lot, amount, step.position)


def check_need(context: Context, step: LoadStep | ConsumeStep) -> Refuse | Decimal:
    """How much one unit (or one scan) takes; a bill that does not say is not taken for "one"."""
    amount = context.procedure.per_unit(step, context.masters)
    if amount is not None:
        return amount
    component = step.load if isinstance(step, LoadStep) else step.consume
    names = {"material": context.procedure.makes, "component": component}
    fields = {place: material_name(material, context.masters) for place, material in names.items()}
    return Refuse(code="bill_unknown", fields=fields, unknown=True)


def known_lot(context: Context, material: Material, lot: str) -> LotState | None:
    """What this PC and the masters together know of a lot. It keeps its id here even where its GTIN was corrected since."""
    item = context.place.ids.lot(material.id, material.gtin, lot)
    here = context.lots.get(item)
    if here is None:
        here = next((x for x in context.lots.values() if x.material == material.id and x.lot == lot), None)
    told = context.masters.lots.get((material.id, lot))
    if here is None and told is not None:
        here = LotState(item=item, material=material.id, lot=lot, unit=material.unit, balance=told.quantity)
    return here and as_told(context, here)


def as_told(context: Context, lot: LotState) -> LotState:
    """The lot with the masters' newest word on it: status, expiry and supplier are theirs, the balance is ours."""
    told = context.masters.lots.get((lot.material, lot.lot))
    if told is None:
        return lot
    return replace(lot, status=told.status, expiry=told.expiry or lot.expiry, supplier=told.supplier or lot.supplier)


def check_lot(context: Context, material: Material, code: Code, step: LoadStep | ConsumeStep) -> Refuse | LotState:
    """The lot is known, released, not expired, not empty, and its label does not contradict what is known of it."""
    assert code.lot is not None
    quantity = label_quantity(code, material) or (step.quantity if isinstance(step, LoadStep) else None)
    lot = known_lot(context, material, code.lot)
    if lot is None:
        if step.unknown_lots == "refuse":
            name = material_name(material.id, context.masters)
            return Refuse(code="lot_unknown", fields={"lot": code.lot, "material": name}, unknown=True)
        lot = LotState(
            item=context.place.ids.lot(material.id, material.gtin, code.lot),
            material=material.id,
            lot=code.lot,
            unit=material.unit,
            balance=quantity,
            expiry=code.expiry,
        )
    if lot.balance is None:
        if quantity is None:
            return Refuse(code="lot_quantity_unknown", fields={"lot": lot.lot}, unknown=True)
        lot = replace(lot, balance=quantity)
    if refuse := check_usable(context, lot, code.expiry):
        return refuse
    if lot.expiry is None and code.expiry is not None:
        lot = replace(lot, expiry=code.expiry)
    return lot


def check_usable(context: Context, lot: LotState, label_expiry: date | None = None) -> Refuse | None:
    """Released and in date, by the masters as they are now; ``label_expiry`` is what the scanned label says."""
    lot = as_told(context, lot)
    if lot.supplier in context.masters.unapproved:
        return Refuse(code="supplier_not_approved", fields={"supplier": lot.supplier})
    if lot.status is not LotStatus.RELEASED:
        return Refuse(code="lot_held", fields={"lot": lot.lot})
    if label_expiry and lot.expiry and label_expiry != lot.expiry:
        fields = {"lot": lot.lot, "known": lot.expiry.isoformat(), "got": label_expiry.isoformat()}
        return Refuse(code="lot_conflict", fields=fields)
    expiry = lot.expiry or label_expiry
    if expiry is not None and expiry < context.today:
        return Refuse(code="lot_expired", fields={"lot": lot.lot, "date": expiry.isoformat()})
    return None


def check_balance(lot: LotState, need: Decimal, position: str) -> Refuse | None:
    """Enough is left."""
    balance = lot.balance or Decimal(0)
    if balance > 0 and balance >= need:
        return None
    unit = unit_word(lot.unit).sign
    fields = {"lot": lot.lot, "position": position or "–", "left": f"{balance:f} {unit}", "need": f"{need:f} {unit}"}
    return Refuse(code="lot_empty", fields=fields)


def check_serial(context: Context, item: str, serial: str, role: str) -> Refuse | None:
    """Not yet used in that role: made once, built in once."""
    seen = context.sightings.get(item, {}).get(role)
    if seen is None:
        return None
    return Refuse(code="duplicate_serial", fields={"serial": serial, "when": seen.time, "where": seen.station})


def check_measures(context: Context, name: str, step: MeasureStep) -> Refuse | tuple[Sensor, ...]:
    """Every parameter is there, belongs to this unit, was fresh, and was inside its limits."""
    sensors = []
    for measure_name, measure in step.measure.items():
        window = context.windows.get(name, {}).get(measure_name)
        found = _check_measure(context, name, step, measure_name, measure, window)
        if isinstance(found, Refuse):
            return found
        sensors.append(found)
    return tuple(sensors)


def _check_measure(
    context: Context, name: str, step: MeasureStep, measure_name: str, measure: Measure, window: Window | None
) -> Refuse | Sensor:
    desk = context.desk
    same_boot = desk.boot_id in ("", context.now.boot_id)
    if window is not None and window.closed_ns and same_boot and window.closed_ns <= desk.since_ns:
        window = None  # that was the unit before
    if window is None:
        away = desk.unit_since is not None and (not same_boot or context.watching_since_ns > desk.since_ns)
        if step.while_ is None or away:
            return Refuse(code="parameter_unknown", fields={"name": measure_words(measure_name, measure)}, unknown=True)
        hint = instruction(step, context.procedure, context.masters)
        return Refuse(code="step_missing", fields={"step": step_words(name, context), "hint": hint})
    age_s = ((window.closed_ns or context.now.monotonic_ns) - window.last_ns) / 1e9
    missed = window.carried and age_s > _POLLS_MISSED * window.tag.every_s  # it should have had a reading of its own
    if age_s > measure.fresh_s or missed:
        return Refuse(
            code="parameter_stale",
            fields={"name": measure_words(measure_name, measure), "tag": measure.tag, "age": f"{age_s:.0f}"},
        )
    if window.gap_ns / 1e9 > max(measure.fresh_s, _POLLS_MISSED * window.tag.every_s):  # the device was away meanwhile
        return Refuse(code="parameter_unknown", fields={"name": measure_words(measure_name, measure)}, unknown=True)
    if not window.all_good:
        return Refuse(code="parameter_unknown", fields={"name": measure_words(measure_name, measure)}, unknown=True)
    limits = window.tag if measure.within == "limits" else measure.within
    values = {_ATTRIBUTES[keep]: _kept(window, keep) for keep in measure.keep}
    for value in values.values():
        if (limits.low is not None and value < limits.low) or (limits.high is not None and value > limits.high):
            return Refuse(
                code="parameter_out_of_limits",
                fields={
                    "name": measure_words(measure_name, measure),
                    "value": f"{value:g}",
                    "unit": unit_word(window.tag.unit).sign,
                    "low": "–" if limits.low is None else f"{limits.low:g}",
                    "high": "–" if limits.high is None else f"{limits.high:g}",
                },
            )
    start, end = _span(window, context.now)
    return Sensor(
        name=measure_name,
        tag=measure.tag,
        device=window.device,
        type=measure.type or unit_word(window.tag.unit).epcis,
        uom=window.tag.unit,
        start=start,
        end=end,
        values=values,
        low=limits.low,
        high=limits.high,
        count=window.count,
    )


def _span(window: Window, now: Moment) -> tuple[datetime, datetime]:
    """When the window was, as the wall clock said it; told from now by the monotonic clock where the wall went back meanwhile."""
    if window.start <= window.end <= now.utc:
        return window.start, window.end
    start, end = (
        now.utc - timedelta(microseconds=(now.monotonic_ns - at) // 1000) for at in (window.start_ns, window.last_ns)
    )
    return start, end


def label_quantity(code: Code, material: Material) -> Decimal | None:
    """What the label says it holds, in the material's base unit.

    The GTIN of a pack counts packs (one where no count is given); a weight counts where the base unit is one or converts.
    """
    pack = material.conversions.get(code.gtin or "")
    if pack is not None:
        return (code.count or Decimal(1)) * pack
    if code.count is not None:
        return code.count
    if code.quantity is not None:
        return code.quantity
    if code.weight is not None:
        factor = _PER_KILOGRAM.get(material.unit) or material.conversions.get("KGM")
        return code.weight * factor if factor else None
    return None


def measure_words(name: str, measure: Measure) -> Words:
    """A measure as people call it."""
    return Words(measure.name.en, measure.name.zh) if measure.name else Words(name, name)


def step_words(name: str, context: Context) -> Words:
    """A step as people call it."""
    step = context.procedure.steps[name]
    return Words(step.say.en, step.say.zh) if step.say else Words(name, name)


_PER_KILOGRAM = {"KGM": Decimal(1), "GRM": Decimal(1000)}
_POLLS_MISSED = 3
_ATTRIBUTES = {"value": "value", "min": "minValue", "mean": "meanValue", "max": "maxValue"}
_STATES = {
    "planned": Words("planned", "未开始"),
    "running": Words("running", "进行中"),
    "closed": Words("closed", "已关闭"),
}


def _kept(window: Window, keep: str) -> float:
    return {"value": window.last, "min": window.low, "mean": window.mean, "max": window.high}[keep]
