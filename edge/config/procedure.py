"""The shape of a procedure: what must happen at a station, in which order, as steps that read aloud.

A step's kind is told by its first word: ``role`` (badge), ``state`` (work order), ``receive``, ``load``, ``scan`` (the
unit), ``consume``, ``measure``, ``event`` (completes the unit), ``close`` (the order).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, Tag

from edge.config.base import Amount, Id, Model, Text
from edge.config.masters import Tracking

TAG_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9_-]*\.[A-Za-z0-9][A-Za-z0-9_.-]*$"
TagName = Annotated[str, Field(pattern=TAG_PATTERN)]


class _Step(Model):
    say: Text | None = Field(
        default=None, description="the instruction on the page; a plain one is made from the step otherwise"
    )


class BadgeStep(_Step):
    """Somebody with this role has to be here; stays until another badge."""

    role: Id = Field(default="operator", description="role the person needs")
    training: Id | None = Field(default=None, description="training the person needs")


class OrderStep(_Step):
    """A work order has to be chosen; stays until another one."""

    state: Literal["running"] = Field(description="state the order must be in")


class ReceiveStep(_Step):
    """A supplier lot comes in: lot, quantity, expiry, from its label(s)."""

    receive: tuple[Id, ...] | Literal["any"] = Field(description="materials taken in here, or any")
    needs: tuple[Literal["lot", "quantity", "expiry"], ...] = Field(
        default=("lot", "quantity"), description="what the label (or labels) must say before the receipt is made"
    )
    quantity: Amount | None = Field(default=None, description="quantity of a label that says none, in the base unit")
    collect_s: float = Field(default=10.0, gt=0, le=120, description="time to scan all codes of one label")


class LoadStep(_Step):
    """A lot is mounted at a position; units take from it by the bill until it changes."""

    load: Id = Field(description="material")
    position: Id
    per_unit: Amount | Literal["bill"] = Field(default="bill", description="how much one unit takes, in the base unit")
    unknown_lots: Literal["refuse", "accept"] = Field(
        default="refuse", description="a lot that neither masters nor a receipt know"
    )
    quantity: Amount | None = Field(
        default=None, description="how much a lot holds when nothing else says it, in the base unit"
    )
    collect_s: float = Field(default=10.0, gt=0, le=120)


class UnitStep(_Step):
    """The unit that is made here says its number."""

    scan: Literal["serial", "lot"]


class ConsumeStep(_Step):
    """A scanned component goes into the unit."""

    consume: Id = Field(description="material")
    identify: Tracking = Field(
        default=Tracking.SERIAL, description="serial: each its own; lot: by lot label; none: by material code"
    )
    count: int = Field(default=1, ge=1, le=1000, description="how many scans; equal labels count one by one")
    per_scan: Amount | Literal["bill"] = Field(default="bill", description="how much one scan takes, in the base unit")
    unknown_lots: Literal["refuse", "accept"] = "refuse"
    collect_s: float = Field(default=10.0, gt=0, le=120)


class Limits(Model):
    """Closed interval in the tag's unit."""

    low: float | None = None
    high: float | None = None


class Measure(Model):
    """One parameter over the step's window, against limits."""

    tag: TagName
    name: Text | None = Field(default=None, description="what people call it; its id otherwise")
    keep: tuple[Literal["value", "min", "mean", "max"], ...] = ("value",)
    within: Limits | Literal["limits"] = Field(default="limits", description="limits: those of the tag")
    fresh_s: float = Field(default=5.0, gt=0, description="older than this at completion is stale")
    type: str | None = Field(
        default=None, description="EPCIS measurement type when the unit does not tell it, e.g. RelativeHumidity"
    )


class MeasureStep(_Step):
    """Process parameters and climate, bound to the unit. The window is ``while`` the machine's signal is on,
    else the unit's time."""

    measure: dict[Id, Measure]
    while_: TagName | None = Field(
        default=None, alias="while", description="a signal; the window runs from rising to falling"
    )


class DoneStep(_Step):
    """Completes the unit when every step before it holds."""

    event: Literal["assembling", "commissioning", "creating_class_instance", "inspecting", "packing"] = "assembling"
    disposition: Literal["in_progress", "conformant", "active"] = "in_progress"


class CloseStep(_Step):
    """Closes the order: when its quantity is reached, or when a person confirms."""

    close: Literal["order"]
    when: Literal["quantity", "confirmed"] = "confirmed"


KINDS: Final = {
    "role": "badge",
    "training": "badge",
    "state": "order",
    "receive": "receive",
    "load": "load",
    "scan": "unit",
    "consume": "consume",
    "measure": "measure",
    "event": "done",
    "close": "close",
}


def _kind(value: Any) -> str | None:
    words = value if isinstance(value, dict) else type(value).model_fields if isinstance(value, Model) else ()
    kind = next((kind for word, kind in KINDS.items() if word in words), None)
    return kind and f"<{kind}>"  # in brackets: an error's path names it, and a key of the file may be called the same


Step = Annotated[
    Annotated[BadgeStep, Tag("<badge>")]
    | Annotated[OrderStep, Tag("<order>")]
    | Annotated[ReceiveStep, Tag("<receive>")]
    | Annotated[LoadStep, Tag("<load>")]
    | Annotated[UnitStep, Tag("<unit>")]
    | Annotated[ConsumeStep, Tag("<consume>")]
    | Annotated[MeasureStep, Tag("<measure>")]
    | Annotated[DoneStep, Tag("<done>")]
    | Annotated[CloseStep, Tag("<close>")],
    Discriminator(
        _kind,
        custom_error_type="step_kind",
        custom_error_message="a step says one of: role, state, receive, load, scan, consume, measure, event, close",
    ),
]


class Makes(Model):
    """What a unit of this procedure is."""

    material: Id
    as_: Literal["serial", "lot"] = Field(default="serial", alias="as")
    quantity: Amount = Field(default=Decimal(1), description="how much one unit is, in the material's base unit")


class StepOrder(Model):
    """Steps listed under ``any`` may come in any order among themselves; all others come as written."""

    any: tuple[Id, ...] = ()


class ProcedureFile(Model):
    """One procedure."""

    procedure: Id
    revision: int = Field(ge=1)
    makes: Makes | None = None
    steps: dict[Id, Step] = Field(min_length=1)
    order: StepOrder = StepOrder()
