"""One immutable state of the masters, with the look-ups a check needs. Made anew whenever the file or the ERP says more."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct

from edge.config.masters import LotStatus, MastersFile, OrderState, Tracking
from edge.config.units import unit_code
from edge.wording import Words


class Material(Struct, frozen=True, kw_only=True):
    """One material definition; every quantity of it is kept in ``unit``."""

    id: str
    name: Words
    gtin: str | None  #: 14 digits
    unit: str
    tracking: Tracking
    conversions: Mapping[str, Decimal]  #: unit code or GTIN-14 of a pack -> base units
    label: tuple[str, ...]


class Bill(Struct, frozen=True, kw_only=True):
    """What one base unit of ``material`` needs, in the base units of the components."""

    material: str
    revision: str
    needs: Mapping[str, Decimal]
    alternates: Mapping[str, tuple[str, ...]]


class WorkOrder(Struct, frozen=True, kw_only=True):
    """One work order."""

    id: str
    material: str
    quantity: Decimal
    state: OrderState


class LotMaster(Struct, frozen=True, kw_only=True):
    """What the masters say of one lot."""

    material: str
    lot: str
    expiry: date | None
    quantity: Decimal | None
    status: LotStatus
    supplier: str | None


class Person(Struct, frozen=True, kw_only=True):
    """One person. Only ``id`` may enter a record."""

    id: str
    name: str
    roles: frozenset[str]
    training: frozenset[str]


class Masters(Struct, frozen=True, kw_only=True):
    """The whole, at one version."""

    version: str
    taken_at: datetime | None  #: when the ERP gave it; None for the file's own
    materials: Mapping[str, Material]
    by_code: Mapping[str, str]  #: GTIN-14 or any other code -> material id
    bills: Mapping[str, Bill]
    orders: Mapping[str, WorkOrder]
    lots: Mapping[tuple[str, str], LotMaster]
    people: Mapping[str, Person]  #: by pseudonym
    badges: Mapping[str, Person]
    unapproved: frozenset[str]  #: suppliers

    def material_of(self, gtin: str | None, *codes: str | None) -> Material | None:
        """The material that a GTIN-14, an id or any other code means."""
        for code in (gtin, *codes):
            if code and (found := self.by_code.get(code) or (code if code in self.materials else None)):
                return self.materials[found]
        return None


def gtin14(gtin: str) -> str:
    """GS1 General Specifications §3.3.2: shorter GTINs are filled with zeros on the left."""
    return gtin.rjust(14, "0")


def compile_masters(file: MastersFile, *, taken_at: datetime | None = None) -> Masters:
    """The look-ups of ``file``. Its version carries a digest, so two contents never share one."""
    digest = hashlib.sha256(file.model_dump_json().encode()).hexdigest()[:8]
    materials = {
        id_: Material(
            id=id_,
            name=Words(m.name.en, m.name.zh),
            gtin=gtin14(m.gtin) if m.gtin else None,
            unit=m.unit,
            tracking=m.tracking,
            conversions={_measure(other): amount for other, amount in m.conversions.items()},
            label=m.label,
        )
        for id_, m in file.materials.items()
    }
    people = {
        id_: Person(id=id_, name=p.name, roles=frozenset(p.roles), training=frozenset(p.training))
        for id_, p in file.people.items()
    }
    return Masters(
        version=f"{file.version}+{digest}",
        taken_at=taken_at,
        materials=materials,
        by_code={
            code: id_
            for id_, m in file.materials.items()
            for code in (*((gtin14(m.gtin),) if m.gtin else ()), *m.codes, *map(_measure, m.conversions))
        },
        bills={
            id_: Bill(material=id_, revision=b.revision, needs=dict(b.needs), alternates=dict(b.alternates))
            for id_, b in file.bills.items()
        },
        orders={
            id_: WorkOrder(id=id_, material=o.material, quantity=o.quantity, state=o.state)
            for id_, o in file.work_orders.items()
        },
        lots={
            (x.material, x.lot): LotMaster(
                material=x.material,
                lot=x.lot,
                expiry=x.expiry,
                quantity=x.quantity,
                status=x.status,
                supplier=x.supplier,
            )
            for x in file.lots
        },
        people=people,
        badges={p.badge: people[id_] for id_, p in file.people.items()},
        unapproved=frozenset(id_ for id_, s in file.suppliers.items() if not s.approved),
    )


def _measure(text: str) -> str:
    """A key of ``conversions``: the GTIN-14 of a pack, or the code of a unit."""
    if text.isdigit() and len(text) in (8, 12, 13, 14):
        return gtin14(text)
    try:
        return unit_code(text)
    except ValueError:
        return text


def merged(own: MastersFile, pulled: MastersFile) -> MastersFile:
    """``own`` with what the ERP knows better. The line's file keeps the last word on people and on what the ERP lacks."""
    return MastersFile(
        version=pulled.version,
        materials={
            **pulled.materials,
            **{
                id_: m
                if (erp := pulled.materials.get(id_)) is None
                else m.model_copy(update={"gtin": erp.gtin or m.gtin})
                for id_, m in own.materials.items()
            },
        },
        bills={**own.bills, **pulled.bills},
        work_orders={**own.work_orders, **pulled.work_orders},
        lots=(
            *(x for x in own.lots if (x.material, x.lot) not in {(p.material, p.lot) for p in pulled.lots}),
            *pulled.lots,
        ),
        suppliers={**own.suppliers, **pulled.suppliers},
        people=own.people,
    )
