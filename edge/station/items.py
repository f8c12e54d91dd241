"""An item was scanned: which step takes it, what it must still say, what it changes, and whether it was the unit's last."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from edge.config.masters import Tracking
from edge.config.procedure import ConsumeStep, LoadStep, ReceiveStep, Step, UnitStep
from edge.config.units import unit_word
from edge.epcis import Draft, Item, Role
from edge.identify import Code
from edge.masters import Material
from edge.model import Known, Scan
from edge.station.answers import answer, first_step, hint, meant, reference, refused
from edge.station.checks import (
    Refuse,
    check_balance,
    check_lot,
    check_need,
    check_sequence,
    check_serial,
    check_usable,
    fulfilled,
    known_lot,
    label_quantity,
    step_words,
)
from edge.station.completion import complete
from edge.station.context import Context, Outcome
from edge.station.desk import LabelPart, Loaded, LotState, Part
from edge.station.procedure import Procedure, material_name
from edge.wording import Words


def bind_item(scan: Scan, code: Code, context: Context) -> Outcome:
    """The answer to a code that means a material, a lot, a serial, or the unit itself."""
    material = meant(code, context.masters)
    if material is None:
        if names_unit(code, context):
            return _unit(scan, code, context)
        if code.lot is not None and code.gtin is None:
            return _incomplete(scan, code, context, "scan_gtin", _any_collecting(context))
        return answer(context, "refused", "unknown_code", {"code": code.gtin or code.text, "hint": hint(context)})
    takers = [
        (name, step)
        for name, step in context.procedure.steps.items()
        if context.procedure.takes(step, material.id, context.masters)
    ]
    if not takers:
        return _wrong_material(context, material)
    wanted = [(name, step) for name, step in takers if not (isinstance(step, ConsumeStep) and fulfilled(context, name))]
    if not wanted:
        name = takers[-1][0]
        fields: dict[str, str | Words] = {"step": step_words(name, context), "hint": hint(context)}
        return answer(context, "refused", "already_done", fields, name)
    name, step = wanted[0]
    if missing := _missing(step, code, material):
        return _incomplete(scan, code, context, missing, name)
    match step:
        case ReceiveStep():
            return _receive(scan, code, context, name, step, material)
        case LoadStep():
            return _load(scan, code, context, name, step, material)
        case ConsumeStep():
            return _consume(scan, code, context, name, step, material)
        case _:
            return _unit(scan, code, context)


def _incomplete(scan: Scan, code: Code, context: Context, ask: str, name: str) -> Outcome:
    step = context.procedure.steps.get(name)
    if not isinstance(step, ReceiveStep | LoadStep | ConsumeStep):
        return answer(context, "refused", "unknown_code", {"code": code.text, "hint": hint(context)})
    if code.gtin is None and (material := meant(code, context.masters)):
        code = replace(code, material=material.id)  # a supplier's own part number: now its other code may join it
    until_ns = context.now.monotonic_ns + int(step.collect_s * 1e9)
    label = LabelPart(code=code, asks=ask, step=name, device=scan.device, until_ns=until_ns)
    return answer(context, "incomplete", ask, step=name, desk=replace(context.desk, label=label))


def _receive(scan: Scan, code: Code, context: Context, name: str, step: ReceiveStep, material: Material) -> Outcome:
    if refuse := check_sequence(context, name):
        return refused(context, refuse, name)
    quantity = label_quantity(code, material) or step.quantity
    assert code.lot is not None and quantity is not None  # _missing asked for them
    lot = known_lot(context, material, code.lot)
    if lot is not None and (refuse := check_usable(context, lot, code.expiry)):
        return refused(context, refuse, name)
    if lot is None:
        lot = LotState(
            item=context.place.ids.lot(material.id, material.gtin, code.lot),
            material=material.id,
            lot=code.lot,
            unit=material.unit,
            balance=Decimal(0),
            expiry=code.expiry,
        )
        if refuse := check_usable(context, lot):
            return refused(context, refuse, name)
    received_here = lot.item in context.lots
    balance = (lot.balance or Decimal(0)) + quantity if received_here else quantity
    lot = replace(lot, balance=balance, expiry=lot.expiry or code.expiry)
    known = Known.LABEL if label_quantity(code, material) else Known.TYPED
    item = _lot_item(Role.RECEIVED, lot, quantity, known)
    draft = Draft(
        act="receive",
        items=(item,),
        biz_step="receiving",
        step=name,
        purchase_order=code.purchase_order or "",
        operator=context.desk.operator,
        scans=(*context.desk.scans, reference(scan, code)),
    )
    fields: dict[str, str | Words] = {
        "material": material.name,
        "lot": lot.lot,
        "quantity": f"{quantity:f}",
        "unit": unit_word(material.unit).sign,
    }
    return answer(
        context,
        "accepted",
        "received",
        fields,
        name,
        desk=replace(context.desk, scans=()),
        lots=(lot,),
        drafts=(draft,),
    )


def _load(scan: Scan, code: Code, context: Context, name: str, step: LoadStep, material: Material) -> Outcome:
    if refuse := check_sequence(context, name):
        return refused(context, refuse, name)
    lot = check_lot(context, material, code, step)
    if isinstance(lot, Refuse):
        return refused(context, lot, name)
    if refuse := check_balance(lot, Decimal(0), step.position):
        return refused(context, refuse, name)
    desk = context.desk
    loaded = Loaded(
        step=name, position=step.position, material=material.id, lot=lot.lot, item=lot.item, expiry=lot.expiry
    )
    before = desk.loaded.get(step.position)
    in_progress = bool(desk.parts) or desk.unit_known
    spliced = (*desk.spliced, before) if before and before.item != lot.item and in_progress else desk.spliced
    desk = replace(desk, loaded={**desk.loaded, step.position: loaded}, spliced=spliced)
    draft = Draft(
        act="load",
        items=(_lot_item(Role.LOADED, lot, lot.balance, Known.LABEL),),
        biz_step="picking",
        step=name,
        order=desk.order,
        order_material=context.procedure.makes if desk.order else "",
        position=step.position,
        operator=desk.operator,
        scans=(reference(scan, code),),
    )
    fields: dict[str, str | Words] = {"material": material.name, "lot": lot.lot, "position": step.position}
    return answer(context, "accepted", "loaded", fields, name, desk=desk, lots=(lot,), drafts=(draft,))


def _consume(scan: Scan, code: Code, context: Context, name: str, step: ConsumeStep, material: Material) -> Outcome:
    if refuse := check_sequence(context, name):
        return refused(context, refuse, name)
    desk, ids = context.desk, context.place.ids
    lots: tuple[LotState, ...] = ()
    match step.identify:
        case Tracking.SERIAL:
            assert code.serial is not None
            item = ids.serial(material.id, material.gtin, code.serial)
            if any(part.item == item for part in desk.parts):
                fields = {"serial": code.serial, "when": context.now.utc.isoformat(), "where": context.place.station}
                return answer(context, "refused", "duplicate_serial", fields, name)
            if refuse := check_serial(context, item, code.serial, Role.COMPONENT):
                return refused(context, refuse, name)
            part = Part(
                step=name, material=material.id, item=item, quantity=Decimal(1), serial=code.serial, expiry=code.expiry
            )
        case Tracking.LOT:
            need = check_need(context, step)
            if isinstance(need, Refuse):
                return refused(context, need, name)
            lot = check_lot(context, material, code, step)
            if isinstance(lot, Refuse):
                return refused(context, lot, name)
            taken = sum((part.quantity for part in desk.parts if part.item == lot.item), Decimal(0))
            if refuse := check_balance(lot, taken + need, ""):
                return refused(context, refuse, name)
            lots = (lot,)
            part = Part(step=name, material=material.id, item=lot.item, quantity=need, lot=lot.lot, expiry=lot.expiry)
        case _:
            need = check_need(context, step)
            if isinstance(need, Refuse):
                return refused(context, need, name)
            item = ids.material(material.id, material.gtin)
            part = Part(step=name, material=material.id, item=item, quantity=need)
    if code.expiry is not None and code.expiry < context.today:
        date = code.expiry.isoformat()
        return answer(context, "refused", "lot_expired", {"lot": part.serial or part.lot or "–", "date": date}, name)
    began = not desk.parts and not desk.unit_known
    desk = replace(
        desk,
        parts=(*desk.parts, part),
        scans=(*desk.scans, reference(scan, code)),
        unit_since=desk.unit_since or context.now.utc,
    )
    fields_ok: dict[str, str | Words] = {"material": material.name, "item": part.serial or part.lot}
    outcome = answer(context, "accepted", "consumed", fields_ok, name, desk=desk, lots=lots, unit_began=began)
    return _finish(context, outcome)


def _unit(scan: Scan, code: Code, context: Context) -> Outcome:
    name, step = first_step(context.procedure, UnitStep)
    assert step is not None
    number = (code.serial if step.scan == "serial" else code.lot) or ""
    if refuse := check_sequence(context, name):
        return refused(context, refuse, name)
    desk = context.desk
    if context.procedure.makes not in context.masters.materials:
        unknown = Refuse(code="material_unknown", fields={"material": context.procedure.makes}, unknown=True)
        return refused(context, unknown, name)
    if desk.unit_known and desk.unit != number:
        return answer(context, "refused", "other_unit", {"open": desk.unit, "got": number}, name)
    makes = context.masters.materials.get(context.procedure.makes)
    gtin = makes.gtin if makes else None
    if step.scan == "serial":
        item = context.place.ids.serial(context.procedure.makes, gtin, number)
        if refuse := check_serial(context, item, number, Role.OUTPUT):
            return refused(context, refuse, name)
    began = not desk.parts and not desk.unit_known
    scans = desk.scans if desk.unit_known else (*desk.scans, reference(scan, code))
    desk = replace(desk, unit=number, unit_known=True, unit_since=desk.unit_since or context.now.utc, scans=scans)
    outcome = answer(context, "accepted", "unit_ok", {"unit": number}, name, desk=desk, unit_began=began)
    return _finish(context, outcome)


def _finish(context: Context, outcome: Outcome) -> Outcome:
    """Complete the unit if this was its last scan; if it cannot be completed, nothing of the scan is applied."""
    lots = {**context.lots, **{lot.item: lot for lot in outcome.lots}} if outcome.lots else context.lots
    completed = complete(replace(context, desk=outcome.desk, lots=lots), outcome)
    if isinstance(completed, Refuse):
        return refused(context, completed, outcome.step)
    return completed


def names_unit(code: Code, context: Context) -> bool:
    """A bare number that a house format calls the unit's."""
    _, step = first_step(context.procedure, UnitStep)
    if step is None or code.gtin is not None or code.material is not None:
        return False
    return code.family.startswith("house:") and (code.serial if step.scan == "serial" else code.lot) is not None


def counts_equal(code: Code, context: Context) -> bool:
    """Whether the next step to fulfil takes several equal labels, so that equal bytes are work and not a bounce."""
    material = meant(code, context.masters)
    return material is not None and any(
        isinstance(step, ConsumeStep)
        and step.count > 1
        and step.identify is not Tracking.SERIAL
        and context.procedure.takes(step, material.id, context.masters)
        and not fulfilled(context, name)
        for name, step in context.procedure.steps.items()
    )


def _missing(step: Step, code: Code, material: Material) -> str | None:
    """The answer that asks for what the label has not said yet."""
    match step:
        case ReceiveStep(needs=needs, quantity=quantity):
            wanted = {*needs, *material.label}
            if "lot" in wanted and code.lot is None:
                return "scan_lot"
            if label_quantity(code, material) is None and (quantity is None or "quantity" in material.label):
                return "scan_quantity"
            if "expiry" in wanted and code.expiry is None:
                return "scan_expiry"
            return "scan_gtin" if "gtin" in material.label and code.gtin is None else None
        case LoadStep() | ConsumeStep(identify=Tracking.LOT):
            return "scan_lot" if code.lot is None else None
        case ConsumeStep(identify=Tracking.SERIAL):
            return "scan_serial" if code.serial is None else None
        case UnitStep(scan="serial"):
            return "scan_serial" if code.serial is None else None
        case UnitStep(scan="lot"):
            return "scan_lot" if code.lot is None else None
        case _:
            return None


def _any_collecting(context: Context) -> str:
    """The first step that takes lots: where a lot without an article would belong."""
    steps = context.procedure.steps.items()
    return next((name for name, step in steps if isinstance(step, ReceiveStep | LoadStep | ConsumeStep)), "")


def _wrong_material(context: Context, got: Material) -> Outcome:
    needed = [
        material_name(material, context.masters)
        for name, step in context.procedure.steps.items()
        if (material := _wants(step, context.procedure)) and not (isinstance(step, ConsumeStep | UnitStep) and fulfilled(context, name))
    ]  # fmt: skip
    if not needed:
        return answer(context, "refused", "not_here")
    pending = [
        material_name(_wants(step, context.procedure), context.masters)
        for name, step in context.procedure.steps.items()
        if _wants(step, context.procedure) and not fulfilled(context, name)
    ]
    need = (pending or needed)[0]
    return answer(context, "refused", "wrong_material", {"need": need, "got": got.name})


def _wants(step: Step, procedure: Procedure) -> str:
    match step:
        case LoadStep(load=material) | ConsumeStep(consume=material):
            return material
        case UnitStep():
            return procedure.makes
        case ReceiveStep(receive=wanted) if wanted != "any" and wanted:
            return wanted[0]
        case _:
            return ""


def _lot_item(role: Role, lot: LotState, quantity: Decimal | None, known: Known) -> Item:
    return Item(
        role=role,
        id=lot.item,
        material=lot.material,
        unit=lot.unit,
        quantity=quantity,
        known=known,
        lot=lot.lot,
        expiry=lot.expiry,
        supplier=lot.supplier,
    )
