"""Binding: what one act means at one station, as a pure function. No clock, no I/O; correctness is shown with tables here.

The way of a scan: a bouncing trigger is told apart; codes of one label are gathered; then the code's kind decides: command, badge,
order, or an item. An item goes to the first step of the procedure that takes it and still wants it; every check of that step must
hold; if it was the last step, the unit is completed in the same answer, or nothing of the scan is applied at all.
"""

from __future__ import annotations

import hashlib
import hmac
from decimal import Decimal

from msgspec.structs import replace

from edge.config.procedure import BadgeStep, OrderStep
from edge.identify import Code, Unreadable, merge
from edge.model import Scan
from edge.station.answers import answer, first_step, meant, refused
from edge.station.checks import Refuse, check_order, check_person, check_sequence, step_words
from edge.station.completion import close_draft
from edge.station.context import Act, Clear, Confirm, Context, Expire, Misread, Outcome, Read
from edge.station.desk import LastScan
from edge.station.items import bind_item, counts_equal, names_unit
from edge.station.procedure import instruction, material_name
from edge.wording import Words


def bind(act: Act, context: Context) -> Outcome:
    """The answer to ``act``. Applying the outcome is the caller's, after it is durable."""
    match act:
        case Read() | Misread():
            outcome = _repeated(act, context) or _scan(act, context)
            if outcome.verdict == "repeated":
                return outcome
            return replace(outcome, desk=replace(outcome.desk, last=_last(act.scan, context, outcome)))
        case Confirm():
            return _close_order(context)
        case Clear():
            return _clear(context)
        case Expire():
            desk = replace(context.desk, label=None)
            return answer(context, "refused", "label_incomplete", desk=desk)


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
    number = code.serial or (code.text if names_unit(code, context) else None)
    if number is not None:
        material = meant(code, context.masters) or makes
        gtin = material.gtin if material else None
        open_items.append(ids.serial(material.id if material else context.procedure.makes, gtin, number))
    return tuple(open_items)


def _scan(act: Read | Misread, context: Context) -> Outcome:
    if isinstance(act, Misread):
        return answer(context, "refused", "unreadable", {"problem": act.problem.say})
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
            return answer(context, "refused", "label_conflict", {"problem": merged.say})
        code = merged
    return bind_item(act.scan, code, context)


def _command(command: str, context: Context) -> Outcome:
    match command.split(":")[0]:
        case "CLOSE":
            return _close_order(context)
        case "CANCEL":
            return _clear(context)
        case _:
            return answer(context, "refused", "unknown_command")


def _badge(badge: str, context: Context) -> Outcome:
    name, step = first_step(context.procedure, BadgeStep)
    if step is None:
        return answer(context, "refused", "not_here")
    person = check_person(context.masters.badges.get(badge), step)
    if isinstance(person, Refuse):
        return refused(context, person, name)
    return answer(context, "accepted", "badge_ok", step=name, desk=replace(context.desk, operator=person.id))


def _order(order: str, context: Context) -> Outcome:
    name, step = first_step(context.procedure, OrderStep)
    if step is None:
        return answer(context, "refused", "not_here")
    if refuse := check_sequence(context, name):
        return refused(context, refuse, name)
    if context.desk.parts or context.desk.unit_known:
        return answer(context, "refused", "unit_open", {"unit": context.desk.unit or "–"}, name)
    known = check_order(context, order)
    if isinstance(known, Refuse):
        return refused(context, known, name)
    here = context.orders.get(order)
    fields: dict[str, str | Words] = {
        "order": order,
        "material": material_name(known.material, context.masters),
        "made": f"{here.made if here else Decimal(0):f}",
        "quantity": f"{known.quantity:f}",
    }
    desk = replace(context.desk, order=order)
    return answer(context, "accepted", "order_ok", fields, name, desk=desk)


def _close_order(context: Context) -> Outcome:
    desk = context.desk
    if context.procedure.close is None:
        return answer(context, "refused", "not_here")
    if not desk.order:
        name, step = first_step(context.procedure, OrderStep)
        words = step_words(name, context) if step else Words("order", "工单")
        asked = instruction(step, context.procedure, context.masters) if step else words
        return answer(context, "refused", "step_missing", {"step": words, "hint": asked})
    if desk.parts or desk.unit_known:
        return answer(context, "refused", "unit_open", {"unit": desk.unit or "–"})
    here = context.orders.get(desk.order)
    if here is not None and here.closed:  # another station of this PC was quicker
        state = Words("closed", "已关闭")
        fields_no: dict[str, str | Words] = {"order": desk.order, "state": state}
        return answer(context, "refused", "order_not_running", fields_no, desk=replace(desk, order=""))
    draft, order = close_draft(context, "confirmed")
    fields: dict[str, str | Words] = {"order": desk.order, "made": f"{order.made:f}"}
    return answer(
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
        return answer(context, "refused", "nothing_open")
    desk = replace(
        desk, parts=(), scans=(), unit="", unit_known=False, unit_since=None, label=None, spliced=(),
        since_ns=context.now.monotonic_ns, boot_id=context.now.boot_id,
    )  # fmt: skip
    return answer(context, "accepted", "unit_cancelled", desk=desk, unit_ended=True)


def _repeated(act: Read | Misread, context: Context) -> Outcome | None:
    last = context.desk.last
    if last is None or last.device != act.scan.device or last.boot_id != context.now.boot_id:
        return None
    age_ns = act.scan.monotonic_ns - last.monotonic_ns
    if not 0 <= age_ns < context.repeat_s * 1e9 or last.digest != _digest(act.scan, context.salt):
        return None
    if isinstance(act, Read) and counts_equal(act.code, context):
        return None
    code = "repeated" if last.counted else "repeated_refused"
    return answer(context, "repeated", code, {"seconds": f"{age_ns / 1e9:.1f}"})


def _last(scan: Scan, context: Context, outcome: Outcome) -> LastScan:
    return LastScan(
        digest=_digest(scan, context.salt),
        device=scan.device,
        monotonic_ns=scan.monotonic_ns,
        boot_id=context.now.boot_id,
        counted=outcome.verdict in ("accepted", "incomplete"),
    )


def _digest(scan: Scan, salt: bytes) -> str:
    """Tells equal scans apart from others; salted, because the scan may be a badge and the desk is stored."""
    return hmac.new(salt, scan.symbology.encode() + b"\0" + scan.raw, hashlib.sha256).hexdigest()[:16]
