"""How an answer is made, and the small questions several answers share."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TypeVar

from edge.config.base import Model
from edge.config.procedure import MeasureStep, ReceiveStep
from edge.epcis import Draft, ScanRef
from edge.identify import Code
from edge.masters import Masters, Material
from edge.model import Scan
from edge.station.checks import Refuse, fulfilled
from edge.station.context import Context, Outcome, Verdict
from edge.station.desk import Desk, LotState, OrderState
from edge.station.procedure import Procedure, instruction
from edge.wording import Words

Kind = TypeVar("Kind", bound=Model)


def answer(
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
    """An outcome in which nothing changes but what is given."""
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


def refused(context: Context, refuse: Refuse, step: str = "") -> Outcome:
    """The outcome of a check that said no, or that could not be made."""
    return answer(context, "cannot_know" if refuse.unknown else "refused", refuse.code, refuse.fields, step)


def hint(context: Context) -> Words:
    """The next thing the station waits for."""
    name = next_step(context)
    return instruction(context.procedure.steps[name], context.procedure, context.masters) if name else Words("–", "–")


def next_step(context: Context) -> str | None:
    """The first step that does not stand yet and that a person can fulfil, with hands or with the machine."""
    for name, step in context.procedure.steps.items():
        if isinstance(step, ReceiveStep) or not fulfilled(context, name):
            return name
        if isinstance(step, MeasureStep) and step.while_ is not None and not context.windows.get(name):
            return name
    return None


def first_step(procedure: Procedure, kind: type[Kind]) -> tuple[str, Kind | None]:
    """The procedure's first step of ``kind``, with its name; ("", None) where it has none."""
    return next(((name, step) for name, step in procedure.steps.items() if isinstance(step, kind)), ("", None))


def meant(code: Code, masters: Masters) -> Material | None:
    """The material a code means."""
    return masters.material_of(code.gtin, code.material, code.text if code.family in ("plain", "ean", "itf") else None)


def reference(scan: Scan, code: Code) -> ScanRef:
    """The scan as an event quotes it."""
    return ScanRef(
        raw=base64.b64encode(scan.raw).decode(),
        symbology=code.symbology,
        device=scan.device,
        captured_at=scan.captured_at,
    )
