"""What the page shows, as one document of plain values: built from the desk, the masters and the last answer, holding no state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

from edge.config.procedure import (
    BadgeStep,
    CloseStep,
    ConsumeStep,
    LoadStep,
    Measure,
    MeasureStep,
    OrderStep,
    ReceiveStep,
    UnitStep,
)
from edge.config.units import unit_word
from edge.masters import Masters
from edge.station.answers import next_step
from edge.station.checks import fulfilled, measure_words, step_words
from edge.station.context import Context
from edge.station.procedure import instruction, material_name
from edge.station.windows import Live, Window
from edge.wording import Words
from edge.wording.station import ANSWERS, Level


class Said(Struct, frozen=True, kw_only=True):
    """The last answer, as it is shown."""

    verdict: str
    code: str
    level: Level
    number: str
    title: Words
    say: Words
    value: str
    at: datetime
    seq: int


_STEP = {
    "asked": Words("Waiting", "等待"),
    "measured": Words("Measured by the machine", "由设备测量"),
    "repeat": Words("As often as needed", "可多次"),
    "end": Words("By itself, or confirm below", "自动，或在下方确认"),
}


def document(
    context: Context,
    *,
    name: Words,
    said: Said | None,
    recent: Sequence[Said],
    live: Mapping[str, Live],
    stopped: Words | None,
) -> dict[str, Any]:
    """The station's part of the page's document; devices, delivery and storage are the daemon's to add."""
    desk, masters, procedure = context.desk, context.masters, context.procedure
    order = masters.orders.get(desk.order)
    here = context.orders.get(desk.order)
    waiting = next_step(context)
    person = masters.people.get(desk.operator)
    return {
        "station": context.place.station,
        "name": both(name),
        "site": f"{context.place.site} · {context.place.area} · {context.place.line}",
        "state": _state(context, said, waiting, stopped),
        "next": both(_next(context, waiting)),
        "verdict": None if said is None else {**_said(said), "age_s": (context.now.utc - said.at).total_seconds()},
        "unit": {
            "id": desk.unit or "–",
            "material": procedure.makes,
            "material_name": both(material_name(procedure.makes, masters)),
        }
        if desk.unit_known or desk.parts
        else None,
        "steps": [_step(context, step, waiting) for step in procedure.steps],
        "order": None
        if order is None
        else {
            "id": order.id,
            "material": order.material,
            "material_name": both(material_name(order.material, masters)),
            "made": f"{here.made if here else Decimal(0):f}",
            "quantity": f"{order.quantity:f}",
        },
        "operator": None
        if not desk.operator
        else {"id": desk.operator, "name": person.name if person else desk.operator},
        "loaded": [_loaded(context, position, masters) for position in desk.loaded],
        "live": _parameters(context, live),
        "recent": [{"at": s.at.isoformat(), "level": s.level, "text": both(_line(s))} for s in recent],
        "acts": _acts(context),
    }


def both(words: Words) -> dict[str, str]:
    """Two languages, as the page takes them."""
    return {"en": words.en, "zh": words.zh}


def _said(said: Said) -> dict[str, Any]:
    return {
        "kind": said.verdict,
        "level": said.level,
        "code": said.code,
        "number": said.number,
        "title": both(said.title),
        "say": both(said.say),
        "value": said.value,
        "at": said.at.isoformat(),
        "seq": said.seq,
    }


def _line(said: Said) -> Words:
    return Words(f"{said.title.en}  {said.value}".strip(), f"{said.title.zh}  {said.value}".strip())


def _state(context: Context, said: Said | None, waiting: str | None, stopped: Words | None) -> str:
    if stopped is not None:
        return "storage_stop"
    if said is not None and said.level == "stop":
        return "blocked"
    step = context.procedure.steps[waiting] if waiting else None
    if isinstance(step, BadgeStep):
        return "no_operator"
    if isinstance(step, OrderStep):
        return "no_order"
    if context.desk.parts or context.desk.unit_known or context.desk.label:
        return "collecting"
    return "done" if said is not None and said.code in ("unit_done", "unit_done_closed", "received") else "idle"


def _next(context: Context, waiting: str | None) -> Words:
    if (label := context.desk.label) is not None:
        return ANSWERS[label.asks].title
    if waiting is None:
        return Words("Ready", "就绪")
    step = context.procedure.steps[waiting]
    if isinstance(step, ConsumeStep) and step.count > 1:
        done = sum(part.step == waiting for part in context.desk.parts)
        words = instruction(step, context.procedure, context.masters)
        return Words(f"{words.en}  {done + 1} of {step.count}", f"{words.zh}  第 {done + 1} / {step.count} 个")
    return instruction(step, context.procedure, context.masters)


def _step(context: Context, name: str, waiting: str | None) -> dict[str, Any]:
    step, desk = context.procedure.steps[name], context.desk
    done, detail = fulfilled(context, name), Words("", "")
    match step:
        case BadgeStep():
            detail = Words(desk.operator, desk.operator)
        case OrderStep():
            detail = Words(desk.order, desk.order)
        case LoadStep(position=position) if position in desk.loaded:
            lot = context.lots[desk.loaded[position].item]
            unit = unit_word(lot.unit)
            left = f"{lot.balance or 0:f}"
            detail = Words(f"{lot.lot}, {left} {unit.sign} left", f"{lot.lot}，剩 {left} {unit.zh}")
        case UnitStep():
            detail = Words(desk.unit, desk.unit)
        case ConsumeStep(count=count):
            parts = [part for part in desk.parts if part.step == name]
            last = (parts[-1].serial or parts[-1].lot) if parts else ""
            text = f"{len(parts)} / {count}  {last}".rstrip() if count > 1 else last
            detail = Words(text, text)
        case MeasureStep():
            done, detail = bool(context.windows.get(name)), _STEP["measured"]
        case ReceiveStep():
            done, detail = False, _STEP["repeat"]
        case CloseStep():
            done, detail = False, _STEP["end"]
        case _:
            done = False
    words = step_words(name, context) if step.say else instruction(step, context.procedure, context.masters)
    return {"name": name, "say": both(words), "done": done, "now": name == waiting, "detail": both(detail)}


def _loaded(context: Context, position: str, masters: Masters) -> dict[str, Any]:
    loaded = context.desk.loaded[position]
    lot = context.lots[loaded.item]
    unit = unit_word(lot.unit)
    return {
        "position": position,
        "material": loaded.material,
        "material_name": both(material_name(loaded.material, masters)),
        "lot": loaded.lot,
        "left": f"{lot.balance or Decimal(0):f}",
        "unit": {"en": unit.sign, "zh": unit.zh},
        "expiry": loaded.expiry.isoformat() if loaded.expiry else None,
    }


def _parameters(context: Context, live: Mapping[str, Live]) -> list[dict[str, Any]]:
    """Every measure of the procedure: its live value, judged only where it would be judged now.

    Between two strokes a press stands at nothing, and nothing is wrong with that: a measure with a window of its own is judged by
    its last window, which is shown while it waits to be used.
    """
    rows = []
    for step_name, step in context.procedure.measures.items():
        for name, measure in step.measure.items():
            value = live.get(measure.tag)
            if value is not None:
                window = context.windows.get(step_name, {}).get(name) if step.while_ else None
                rows.append(_parameter(name, measure, value, window, context, always=step.while_ is None))
    return rows


def _parameter(
    name: str, measure: Measure, live: Live, window: Window | None, context: Context, *, always: bool
) -> dict[str, Any]:
    limits = live.tag if measure.within == "limits" else measure.within
    low, high = limits.low, limits.high
    shown = live.value if window is None else {"max": window.high, "min": window.low}.get(measure.keep[0], window.mean)
    age_s = max(0.0, (context.now.monotonic_ns - live.monotonic_ns) / 1e9)
    judged = always or window is not None
    return {
        "tag": measure.tag,
        "label": both(measure_words(name, measure)),
        "value": f"{shown:.{live.tag.digits}f}",
        "number": shown,
        "unit": unit_word(live.tag.unit).sign,
        "low": low,
        "high": high,
        "age_s": round(age_s, 1),
        "stale": age_s > measure.fresh_s,
        "ok": not judged or ((low is None or shown >= low) and (high is None or shown <= high)),
    }


def _acts(context: Context) -> list[dict[str, Any]]:
    desk, acts = context.desk, []
    if context.procedure.close is not None and desk.order and not desk.parts and not desk.unit_known:
        acts.append({"act": "confirm_close", "say": both(Words("Close order", "关闭工单")), "hold": True})
    if desk.parts or desk.unit_known or desk.label is not None:
        acts.append({"act": "cancel_unit", "say": both(Words("Clear unit", "清除产品")), "hold": True})
    return acts
