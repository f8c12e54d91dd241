"""The shape of ``masters:``: what should be here. The same shape is what a destination pulls and what the
cache stores."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal

from pydantic import Field

from edge.config.base import Amount, Day, Id, Model, Text
from edge.config.units import Unit

GTIN_PATTERN: Final = r"^([0-9]{8}|[0-9]{12,14})$"


class Tracking(StrEnum):
    """How a material is told apart."""

    NONE = "none"
    LOT = "lot"
    SERIAL = "serial"


class MaterialFile(Model):
    """One material definition."""

    name: Text
    gtin: str | None = Field(default=None, pattern=GTIN_PATTERN, description="GTIN-8, -12, -13 or -14 with check digit")
    codes: tuple[str, ...] = Field(
        default=(), description="other codes that mean this material, e.g. a supplier's part number"
    )
    unit: Unit = Field(default="C62", description="base unit; every balance is kept in it")
    tracking: Tracking = Tracking.LOT
    conversions: dict[str, Amount] = Field(
        default={},
        description="unit, or GTIN of a pack -> how many base units it holds, e.g. {kg: 120, '19506000134359': 50}",
    )
    label: tuple[Literal["gtin", "lot", "quantity", "expiry"], ...] = Field(
        default=(),
        description="what a supplier's label of it carries in all its symbols; receiving waits for every one",
    )


class BillFile(Model):
    """What one piece (or base unit) of a material needs."""

    revision: str
    needs: dict[Id, Amount]
    alternates: dict[Id, tuple[Id, ...]] = Field(default={}, description="component -> materials allowed in its place")


class OrderState(StrEnum):
    """Where a work order stands."""

    PLANNED = "planned"
    RUNNING = "running"
    CLOSED = "closed"


class WorkOrderFile(Model):
    """One work order (EPCIS prodorder)."""

    material: Id
    quantity: Amount
    state: OrderState = OrderState.RUNNING


class LotStatus(StrEnum):
    """Whether a lot may be used."""

    RELEASED = "released"
    HELD = "held"
    REJECTED = "rejected"


class LotFile(Model):
    """One lot that the ERP or a person has announced."""

    material: Id
    lot: str = Field(min_length=1, max_length=20, description="GS1 (10): up to 20 characters")
    expiry: Day | None = None
    quantity: Amount | None = Field(default=None, description="known balance in the material's base unit")
    status: LotStatus = LotStatus.RELEASED
    supplier: Id | None = None


class PersonFile(Model):
    """One person. ``id`` is the pseudonym that records carry; the name never leaves this file."""

    badge: str = Field(min_length=1, description="what the badge's code says after its prefix")
    name: str
    roles: tuple[Id, ...] = ("operator",)
    training: tuple[Id, ...] = ()


class SupplierFile(Model):
    """Where lots come from."""

    name: str
    approved: bool = Field(default=True, description="lots of a supplier that is not approved are stopped")


class MastersFile(Model):
    """Everything a station checks against, offline."""

    version: str = "file"
    materials: dict[Id, MaterialFile] = {}
    bills: dict[Id, BillFile] = Field(default={}, description="made material -> its bill")
    work_orders: dict[Id, WorkOrderFile] = {}
    lots: tuple[LotFile, ...] = ()
    suppliers: dict[Id, SupplierFile] = {}
    people: dict[Id, PersonFile] = {}
