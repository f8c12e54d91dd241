"""Binding: what one act means at one station, as a pure function. No clock, no I/O; correctness is shown with tables here.

The way of a scan: a bouncing trigger is told apart; codes of one label are gathered; then the code's kind decides: command, badge,
order, or an item. An item goes to the first step of the procedure that takes it and still wants it; every check of that step must
hold; if it was the last step, the unit is completed in the same answer, or nothing of the scan is applied at all.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar

from msgspec.structs import replace

from edge.config.base import Model
from edge.config.masters import Tracking
from edge.config.procedure import BadgeStep, ConsumeStep, LoadStep, OrderStep, ReceiveStep, Step, UnitStep
from edge.config.units import unit_word
from edge.epcis import Draft, Item, Role, ScanRef
from edge.identify import Code, Unreadable, merge
from edge.masters import Masters, Material
from edge.model import Known, Scan
from edge.station.checks import (
    Refuse,
    check_balance,
    check_lot,
    check_order,
    check_person,
    check_sequence,
    check_serial,
    check_usable,
    fulfilled,
    known_lot,
    label_quantity,
    step_words,
)
from edge.station.completion import close_draft, complete
from edge.station.context import Act, Clear, Confirm, Context, Expire, Misread, Outcome, Read, Verdict
from edge.station.desk import Desk, LabelPart, LastScan, Loaded, LotState, OrderState, Part
from edge.station.procedure import Procedure, instruction, material_name
from edge.wording import Words

Kind = TypeVar("Kind", bound=Model)


def bind(act: Act, context: Context) -> Outcome:
    """The answer to ``act``. Applying the outcome is the caller's, after it is durable."""
    match act:
        case Read() | Misread():
            outcome = _repeated(act, context) or _scan(act, context)
            if outcome.verdict == "repeated":
                return outcome
            return replace(outcome, desk=replace(outcome.desk, last=_last(act.scan, context)))
        case Confirm():
            return _close_order(context)
        case Clear():
            return _clear(context)
        case Expire():
            desk = replace(context.desk, label=None)
            return _answer(context, "refused", "label_incomplete", desk=desk)


def asks(act: Act, context: Context) -> tuple[str, ...]:
    """The item ids whose history ``bind`` will want: to be looked up before, so that binding itself need not."""
    if not isinstance(act, Read):
        return ()
    desk, ids, makes = context.desk, context.place.ids, context.masters.materials.get(context.procedure.makes)
    open_items = [part.item for part in desk.parts if part.serial]
    if desk.unit_known:
        open_items.append(ids.serial(context.procedure.makes, makes.gtin if makes else None, desk.unit))
    code = act.code
    if desk.label is not None and isinstance(merged := merge(desk.label.code, code), Code):
        code = merged
    number = code.serial or (code.text if _names_unit(code, context) else None)
    if number is not None:
        material = meant(code, context.masters) or makes
        gtin = material.gtin if material else None
        open_items.append(ids.serial(material.id if material else context.procedure.makes, gtin, number))
    return tuple(open_items)


def meant(code: Code, masters: Masters) -> Material | None:
    """The material a code means."""
    return masters.material_of(code.gtin, code.material, code.text if code.family in ("plain", "ean", "itf") else None)


# --- the kinds of codes ------------------------------------------------------------------------------------------------


def _scan(act: Read | Misread, context: Context) -> Outcome:
    if isinstance(act, Misread):
        return _answer(context, "refused", "unreadable", {"problem": act.problem.say})
    code = act.code
    if code.command is not None:
        return _command(code.command, context)
    if code.badge is not None:
        return _badge(code.badge, context)
    if code.order is not None and code.gtin is None and code.material is None:
        return _order(code.order, context)
    if (label := context.desk.label) is not None:
        context = replace(context, desk=replace(context.desk, label=None))
        merged = merge(label.code, code)
        if isinstance(merged, Unreadable):
            return _answer(context, "refused", "label_conflict", {"problem": merged.say})
        code = merged
    return _item(act.scan, code, context)


def _command(command: str, context: Context) -> Outcome:
    match command.split(":")[0]:
        case "CLOSE":
            return _close_order(context)
        case "CANCEL":
            return _clear(context)
        case _:
            return _answer(context, "refused", "unknown_command")


def _badge(badge: str, context: Context) -> Outcome:
    name, step = _first(context.procedure, BadgeStep)
    if step is None:
        return _answer(context, "refused", "not_here")
    person = check_person(context.masters.badges.get(badge), step)
    if isinstance(person, Refuse):
        return _refuse(context, person, name)
    return _answer(context, "accepted", "badge_ok", step=name, desk=replace(context.desk, operator=person.id))


def _order(order: str, context: Context) -> Outcome:
    name, step = _first(context.procedure, OrderStep)
    if step is None:
        return _answer(context, "refused", "not_here")
    if refuse := check_sequence(context, name):
        return _refuse(context, refuse, name)
    if context.desk.parts or context.desk.unit_known:
        return _answer(context, "refused", "unit_open", {"unit": context.desk.unit or "–"}, name)
    known = check_order(context, order)
    if isinstance(known, Refuse):
        return _refuse(context, known, name)
    here = context.orders.get(order)
    fields: dict[str, str | Words] = {
        "order": order,
        "material": material_name(known.material, context.masters),
        "made": f"{here.made if here else Decimal(0):f}",
        "quantity": f"{known.quantity:f}",
    }
    desk = replace(context.desk, order=order)
    return _answer(context, "accepted", "order_ok", fields, name, desk=desk)


def _item(scan: Scan, code: Code, context: Context) -> Outcome:
    material = meant(code, context.masters)
    if material is None:
        if _names_unit(code, context):
            return _unit(scan, code, code.serial or code.lot or code.text, context)
        if code.lot is not None and code.gtin is None:
            return _incomplete(scan, code, context, "scan_gtin", _any_collecting(context))
        return _answer(context, "refused", "unknown_code", {"code": code.gtin or code.text, "hint": hint(context)})
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
        return _answer(context, "refused", "already_done", fields, name)
    name, step = wanted[0]
    if missing := _missing(step, code):
        return _incomplete(scan, code, context, missing, name)
    match step:
        case ReceiveStep():
            return _receive(scan, code, context, name, step, material)
        case LoadStep():
            return _load(scan, code, context, name, step, material)
        case ConsumeStep():
            return _consume(scan, code, context, name, step, material)
        case _:
            return _unit(scan, code, code.serial or code.lot or "", context)


def _incomplete(scan: Scan, code: Code, context: Context, ask: str, name: str) -> Outcome:
    step = context.procedure.steps.get(name)
    if not isinstance(step, ReceiveStep | LoadStep | ConsumeStep):
        return _answer(context, "refused", "unknown_code", {"code": code.text, "hint": hint(context)})
    if code.gtin is None and (material := meant(code, context.masters)):
        code = replace(code, material=material.id)  # a supplier's own part number: now its other code may join it
    until_ns = context.now.monotonic_ns + int(step.collect_s * 1e9)
    label = LabelPart(code=code, asks=ask, step=name, device=scan.device, until_ns=until_ns)
    return _answer(context, "incomplete", ask, step=name, desk=replace(context.desk, label=label))


# --- the steps an item can fulfil ----------------------------------------------------------------------------------------


def _receive(scan: Scan, code: Code, context: Context, name: str, step: ReceiveStep, material: Material) -> Outcome:
    if refuse := check_sequence(context, name):
        return _refuse(context, refuse, name)
    quantity = label_quantity(code, material) or step.quantity
    assert code.lot is not None and quantity is not None  # _missing asked for them
    lot = known_lot(context, material, code.lot)
    if lot is not None and (refuse := check_usable(context, lot, code.expiry)):
        return _refuse(context, refuse, name)
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
            return _refuse(context, refuse, name)
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
    return _answer(
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
        return _refuse(context, refuse, name)
    lot = check_lot(context, material, code, step)
    if isinstance(lot, Refuse):
        return _refuse(context, lot, name)
    if refuse := check_balance(lot, Decimal(0), step.position):
        return _refuse(context, refuse, name)
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
    return _answer(context, "accepted", "loaded", fields, name, desk=desk, lots=(lot,), drafts=(draft,))


def _consume(scan: Scan, code: Code, context: Context, name: str, step: ConsumeStep, material: Material) -> Outcome:
    if refuse := check_sequence(context, name):
        return _refuse(context, refuse, name)
    desk, ids = context.desk, context.place.ids
    need = context.procedure.per_unit(step, context.masters)
    lots: tuple[LotState, ...] = ()
    match step.identify:
        case Tracking.SERIAL:
            assert code.serial is not None
            item = ids.serial(material.id, material.gtin, code.serial)
            if any(part.item == item for part in desk.parts):
                fields = {"serial": code.serial, "when": context.now.utc.isoformat(), "where": context.place.station}
                return _answer(context, "refused", "duplicate_serial", fields, name)
            if refuse := check_serial(context, item, code.serial, Role.COMPONENT):
                return _refuse(context, refuse, name)
            part = Part(
                step=name, material=material.id, item=item, quantity=Decimal(1), serial=code.serial, expiry=code.expiry
            )
        case Tracking.LOT:
            lot = check_lot(context, material, code, step)
            if isinstance(lot, Refuse):
                return _refuse(context, lot, name)
            taken = sum((part.quantity for part in desk.parts if part.item == lot.item), Decimal(0))
            if refuse := check_balance(lot, taken + need, ""):
                return _refuse(context, refuse, name)
            lots = (lot,)
            part = Part(step=name, material=material.id, item=lot.item, quantity=need, lot=lot.lot, expiry=lot.expiry)
        case _:
            item = ids.material(material.id, material.gtin)
            part = Part(step=name, material=material.id, item=item, quantity=need)
    if code.expiry is not None and code.expiry < context.today:
        date = code.expiry.isoformat()
        return _answer(context, "refused", "lot_expired", {"lot": part.serial or part.lot or "–", "date": date}, name)
    began = not desk.parts and not desk.unit_known
    desk = replace(
        desk,
        parts=(*desk.parts, part),
        scans=(*desk.scans, reference(scan, code)),
        unit_since=desk.unit_since or context.now.utc,
    )
    fields_ok: dict[str, str | Words] = {"material": material.name, "item": part.serial or part.lot}
    outcome = _answer(context, "accepted", "consumed", fields_ok, name, desk=desk, lots=lots, unit_began=began)
    return _finish(context, outcome)


def _unit(scan: Scan, code: Code, number: str, context: Context) -> Outcome:
    name, step = _first(context.procedure, UnitStep)
    assert step is not None
    if refuse := check_sequence(context, name):
        return _refuse(context, refuse, name)
    desk = context.desk
    if desk.unit_known and desk.unit != number:
        return _answer(context, "refused", "other_unit", {"open": desk.unit, "got": number}, name)
    makes = context.masters.materials.get(context.procedure.makes)
    gtin = makes.gtin if makes else None
    if step.scan == "serial":
        item = context.place.ids.serial(context.procedure.makes, gtin, number)
        if refuse := check_serial(context, item, number, Role.OUTPUT):
            return _refuse(context, refuse, name)
    began = not desk.parts and not desk.unit_known
    scans = desk.scans if desk.unit_known else (*desk.scans, reference(scan, code))
    desk = replace(desk, unit=number, unit_known=True, unit_since=desk.unit_since or context.now.utc, scans=scans)
    outcome = _answer(context, "accepted", "unit_ok", {"unit": number}, name, desk=desk, unit_began=began)
    return _finish(context, outcome)


def _finish(context: Context, outcome: Outcome) -> Outcome:
    """Complete the unit if this was its last scan; if it cannot be completed, nothing of the scan is applied."""
    lots = {**context.lots, **{lot.item: lot for lot in outcome.lots}}
    completed = complete(replace(context, desk=outcome.desk, lots=lots), outcome)
    if isinstance(completed, Refuse):
        return _refuse(context, completed, outcome.step)
    return completed


# --- acts ----------------------------------------------------------------------------------------------------------------


def _close_order(context: Context) -> Outcome:
    desk = context.desk
    if context.procedure.close is None:
        return _answer(context, "refused", "not_here")
    if not desk.order:
        name, step = _first(context.procedure, OrderStep)
        words = step_words(name, context) if step else Words("order", "工单")
        asked = instruction(step, context.procedure, context.masters) if step else words
        return _answer(context, "refused", "step_missing", {"step": words, "hint": asked})
    if desk.parts or desk.unit_known:
        return _answer(context, "refused", "unit_open", {"unit": desk.unit or "–"})
    draft, order = close_draft(context, "confirmed")
    fields: dict[str, str | Words] = {"order": desk.order, "made": f"{order.made:f}"}
    return _answer(
        context,
        "accepted",
        "order_closed_ok",
        fields,
        desk=replace(desk, order=""),
        orders=(order,),
        drafts=(draft,),
    )


def _clear(context: Context) -> Outcome:
    desk = context.desk
    if not desk.parts and not desk.unit_known and desk.label is None:
        return _answer(context, "refused", "nothing_open")
    desk = replace(
        desk, parts=(), scans=(), unit="", unit_known=False, unit_since=None, label=None, spliced=(),
        since_ns=context.now.monotonic_ns, boot_id=context.now.boot_id,
    )  # fmt: skip
    return _answer(context, "accepted", "unit_cancelled", desk=desk, unit_ended=True)


# --- small parts ----------------------------------------------------------------------------------------------------------


def reference(scan: Scan, code: Code) -> ScanRef:
    """The scan as an event quotes it."""
    return ScanRef(
        raw=base64.b64encode(scan.raw).decode(),
        symbology=code.symbology,
        device=scan.device,
        captured_at=scan.captured_at,
    )


def hint(context: Context) -> Words:
    """The next thing the station waits for."""
    name = next_step(context)
    return instruction(context.procedure.steps[name], context.procedure, context.masters) if name else Words("–", "–")


def next_step(context: Context) -> str | None:
    """The first step that does not stand yet and that a person can fulfil."""
    for name, step in context.procedure.steps.items():
        if isinstance(step, ReceiveStep) or not fulfilled(context, name):
            return name
    return None


def _repeated(act: Read | Misread, context: Context) -> Outcome | None:
    last = context.desk.last
    if last is None or last.device != act.scan.device or last.boot_id != context.now.boot_id:
        return None
    age_ns = act.scan.monotonic_ns - last.monotonic_ns
    if not 0 <= age_ns < context.repeat_s * 1e9 or last.digest != _digest(act.scan):
        return None
    if isinstance(act, Read) and _counts_equal(act.code, context):
        return None
    return _answer(context, "repeated", "repeated", {"seconds": f"{age_ns / 1e9:.1f}"})


def _counts_equal(code: Code, context: Context) -> bool:
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


def _missing(step: Step, code: Code) -> str | None:
    """The answer that asks for what the label has not said yet."""
    match step:
        case ReceiveStep(needs=needs, quantity=quantity):
            if "lot" in needs and code.lot is None:
                return "scan_lot"
            said = code.count is not None or code.quantity is not None or code.weight is not None
            if not said and quantity is None:
                return "scan_quantity"
            return "scan_expiry" if "expiry" in needs and code.expiry is None else None
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


def _names_unit(code: Code, context: Context) -> bool:
    """A bare number that a house format calls the unit's."""
    _, step = _first(context.procedure, UnitStep)
    if step is None or code.gtin is not None or code.material is not None:
        return False
    return code.family.startswith("house:") and (code.serial if step.scan == "serial" else code.lot) is not None


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
        return _answer(context, "refused", "not_here")
    pending = [
        material_name(_wants(step, context.procedure), context.masters)
        for name, step in context.procedure.steps.items()
        if _wants(step, context.procedure) and not fulfilled(context, name)
    ]
    need = (pending or needed)[0]
    return _answer(context, "refused", "wrong_material", {"need": need, "got": got.name})


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


def _last(scan: Scan, context: Context) -> LastScan:
    return LastScan(
        digest=_digest(scan), device=scan.device, monotonic_ns=scan.monotonic_ns, boot_id=context.now.boot_id
    )


def _digest(scan: Scan) -> str:
    return hashlib.sha256(scan.symbology.encode() + b"\0" + scan.raw).hexdigest()[:16]


def _first(procedure: Procedure, kind: type[Kind]) -> tuple[str, Kind | None]:
    return next(((name, step) for name, step in procedure.steps.items() if isinstance(step, kind)), ("", None))


def _refuse(context: Context, refuse: Refuse, step: str = "") -> Outcome:
    return _answer(context, "cannot_know" if refuse.unknown else "refused", refuse.code, refuse.fields, step)


def _answer(
    context: Context,
    verdict: Verdict,
    code: str,
    fields: Mapping[str, str | Words] | None = None,
    step: str = "",
    *,
    desk: Desk | None = None,
    lots: tuple[LotState, ...] = (),
    orders: tuple[OrderState, ...] = (),
    drafts: tuple[Draft, ...] = (),
    unit_began: bool = False,
    unit_ended: bool = False,
) -> Outcome:
    return Outcome(
        verdict=verdict,
        code=code,
        fields=fields or {},
        step=step,
        desk=context.desk if desk is None else desk,
        lots=lots,
        orders=orders,
        drafts=drafts,
        unit_began=unit_began,
        unit_ended=unit_ended,
    )
