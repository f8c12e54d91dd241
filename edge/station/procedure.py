"""A procedure ready to be followed: its steps in order, what each asks for, and which steps must stand before which."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from edge.config.masters import Tracking
from edge.config.procedure import (
    BadgeStep,
    CloseStep,
    ConsumeStep,
    DoneStep,
    LoadStep,
    MeasureStep,
    OrderStep,
    ProcedureFile,
    ReceiveStep,
    Step,
    UnitStep,
)
from edge.masters import Masters
from edge.wording import Words

#: steps that say who works on what; they hold until changed
_STANDING = (BadgeStep, OrderStep)
#: steps that a scan fulfils
_SCANNED = (BadgeStep, OrderStep, LoadStep, UnitStep, ConsumeStep)


class Procedure(Struct, frozen=True, kw_only=True):
    """One revision of one procedure."""

    id: str
    revision: int
    makes: str  #: material of the unit, "" where nothing is made
    makes_as: Literal["serial", "lot"]
    makes_quantity: Decimal
    steps: Mapping[str, Step]
    before: Mapping[str, tuple[str, ...]]  #: step -> steps that must stand when its scan comes

    @property
    def measures(self) -> Mapping[str, MeasureStep]:
        return {name: step for name, step in self.steps.items() if isinstance(step, MeasureStep)}

    @property
    def done(self) -> DoneStep:
        """How a complete unit is recorded."""
        return next((step for step in self.steps.values() if isinstance(step, DoneStep)), DoneStep())

    @property
    def close(self) -> CloseStep | None:
        return next((step for step in self.steps.values() if isinstance(step, CloseStep)), None)

    def per_unit(self, step: LoadStep | ConsumeStep, masters: Masters) -> Decimal | None:
        """How much of the step's material one unit (or one scan) takes, in its base unit; None: the bill does not say."""
        amount = step.per_unit if isinstance(step, LoadStep) else step.per_scan
        if amount != "bill":
            return amount
        bill = masters.bills.get(self.makes)
        need = bill.needs.get(step.load if isinstance(step, LoadStep) else step.consume) if bill else None
        if need is None:
            return None
        whole = need * self.makes_quantity
        return whole if isinstance(step, LoadStep) else whole / step.count

    def takes(self, step: Step, material: str, masters: Masters) -> bool:
        """Whether a code that means ``material`` can belong to ``step``."""
        match step:
            case ReceiveStep(receive=wanted):
                return wanted == "any" or material in wanted
            case LoadStep(load=wanted) | ConsumeStep(consume=wanted):
                bill = masters.bills.get(self.makes)
                return material == wanted or (bill is not None and material in bill.alternates.get(wanted, ()))
            case UnitStep():
                return material == self.makes
            case _:
                return False


def compile_procedure(file: ProcedureFile) -> Procedure:
    """``file`` with its order made explicit."""
    free = set(file.order.any)
    before: dict[str, tuple[str, ...]] = {}
    earlier: list[tuple[str, Step]] = []
    for name, step in file.steps.items():
        if isinstance(step, LoadStep | ReceiveStep | OrderStep):
            before[name] = tuple(n for n, s in earlier if isinstance(s, _STANDING))
        elif isinstance(step, UnitStep | ConsumeStep):
            before[name] = tuple(n for n, s in earlier if isinstance(s, _SCANNED) and not (n in free and name in free))
        else:
            before[name] = ()
        earlier.append((name, step))
    makes = file.makes
    return Procedure(
        id=file.procedure,
        revision=file.revision,
        makes=makes.material if makes else "",
        makes_as=makes.as_ if makes else "serial",
        makes_quantity=makes.quantity if makes else Decimal(1),
        steps=dict(file.steps),
        before=before,
    )


def instruction(step: Step, procedure: Procedure, masters: Masters) -> Words:
    """What the page asks for at ``step``."""
    if step.say is not None:
        return Words(step.say.en, step.say.zh)
    match step:
        case BadgeStep():
            return Words("Scan your badge", "请扫工牌")
        case OrderStep():
            return Words("Scan the work order", "请扫工单")
        case ReceiveStep():
            return Words("Scan the supplier's label", "请扫供应商标签")
        case LoadStep(load=material, position=position):
            name = material_name(material, masters)
            return Words(f"Load {name.en} at {position}, scan its label", f"请将{name.zh}装到 {position} 并扫标签")
        case UnitStep(scan=what):
            number = Words("serial number", "序列号") if what == "serial" else Words("lot number", "批号")
            return Words(f"Scan the unit's {number.en}", f"请扫产品{number.zh}")
        case ConsumeStep(consume=material, identify=identify):
            name = material_name(material, masters)
            if identify is Tracking.NONE:
                return Words(f"Scan {name.en}", f"请扫{name.zh}")
            return Words(f"Scan the label of {name.en}", f"请扫{name.zh}标签")
        case MeasureStep():
            return Words("Run the machine", "请运行设备")
        case CloseStep():
            return Words("Close the order", "请关闭工单")
        case _:
            return Words("Complete the unit", "请完成产品")


def material_name(material: str, masters: Masters) -> Words:
    """``material`` as people call it; its id where the masters do not know it."""
    known = masters.materials.get(material)
    return known.name if known else Words(material, material)
