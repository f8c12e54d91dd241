"""Events as a line writes them, numbered like a log, and a shelf that a courier would keep."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from edge.epcis import Draft, Ids, Item, Place, Role, Sensor, build
from edge.model import Kind, Moment, Record

IDS = Ids("https://id.example.com")
PLACE = Place(site="SZ1", area="assembly", line="L3", station="ST10", ids=IDS)
GTIN = {"BRG-6204": "09506000134352", "SHAFT-9": "09506000134376", "PUMP-100": "09506000134369"}


def lot(role: Role, material: str, number: str, quantity: str | None, **more: object) -> Item:
    """One lot in an event."""
    return Item(
        role=role,
        id=IDS.lot(material, GTIN.get(material), number),
        material=material,
        unit="C62",
        quantity=None if quantity is None else Decimal(quantity),
        lot=number,
        **more,  # type: ignore[arg-type]
    )


def serial(role: Role, material: str, number: str) -> Item:
    """One unit in an event."""
    return Item(
        role=role,
        id=IDS.serial(material, GTIN.get(material), number),
        material=material,
        unit="C62",
        quantity=Decimal(1),
        serial=number,
    )


class Line:
    """Writes the events of one line, in log order."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.at = datetime.now(UTC) - timedelta(minutes=5)

    def write(self, draft: Draft) -> Record:
        """The next record."""
        self.at += timedelta(milliseconds=7)
        moment = Moment(
            utc=self.at, offset_s=28800, monotonic_ns=len(self.records), boot_id="b", synchronised=True, bound_s=0.01
        )
        data = build(
            draft, place=PLACE, moment=moment, event_id=str(uuid.uuid4()), provenance={}, procedure=("press", 4)
        )
        leaf = hashlib.sha256(b"\0" + data).digest()
        record = Record(origin="o", seq=len(self.records) + 1, kind=Kind.EVENT, leaf=leaf, data=data)
        self.records.append(record)
        return record

    def receive(self, item: Item, *, purchase: str = "", expiry: date | None = None, supplier: str = "") -> Record:
        return self.write(
            Draft(act="receive", items=(item,), biz_step="receiving", step="receive", purchase_order=purchase)
        )

    def load(self, order: str, item: Item) -> Record:
        return self.write(
            Draft(
                act="load", items=(item,), biz_step="picking", step="bearings", order=order, order_material="PUMP-100"
            )
        )

    def make(self, order: str, number: str, inputs: Sequence[Item], *, force: float = 10_400.0) -> Record:
        sensor = Sensor(
            name="force",
            tag="press-2.force",
            device="press-2",
            type="Force",
            uom="NEW",
            start=self.at,
            end=self.at,
            values={"maxValue": force},
            low=9500.0,
            high=11200.0,
            count=12,
        )
        return self.write(
            Draft(
                act="make",
                items=(*inputs, serial(Role.OUTPUT, "PUMP-100", number)),
                biz_step="assembling",
                step="done",
                order=order,
                order_material="PUMP-100",
                sensors=(sensor,),
            )
        )

    def valves(self, order: str, made: str, number: str, bearings: Sequence[Item]) -> Record:
        """Valves by lot: ``made`` of them under ``number``."""
        return self.write(
            Draft(
                act="make",
                items=(*bearings, lot(Role.OUTPUT, "VALVE-7", number, made)),
                biz_step="assembling",
                step="done",
                order=order,
                order_material="VALVE-7",
            )
        )

    def join(self, order: str, number: str, components: Sequence[Item]) -> Record:
        return self.write(
            Draft(
                act="join",
                items=(serial(Role.OUTPUT, "PUMP-100", number), *components),
                biz_step="assembling",
                step="done",
                order=order,
                order_material="PUMP-100",
            )
        )

    def pump(
        self,
        order: str,
        number: str,
        bearings: Sequence[tuple[str, str | None]],
        shaft: str,
        *,
        force: float = 10_400.0,
    ) -> list[Record]:
        """One pump: bearings by lot, one shaft by serial; two events as the line writes them."""
        inputs = [lot(Role.INPUT, "BRG-6204", name, quantity) for name, quantity in bearings]
        return [
            self.make(order, number, inputs, force=force),
            self.join(order, number, [serial(Role.COMPONENT, "SHAFT-9", shaft)]),
        ]

    def close(self, order: str, made: int, *, material: str = "PUMP-100") -> Record:
        """The order is closed with so much made."""
        item = Item(
            role=Role.MADE,
            id=IDS.material(material, GTIN.get(material)),
            material=material,
            unit="C62",
            quantity=Decimal(made),
        )
        return self.write(
            Draft(
                act="close",
                items=(item,),
                biz_step="https://lotline.example/ns/v1/closing",
                step="close",
                order=order,
                order_material=material,
                reason="confirmed",
            )
        )


class Kept:
    """A shelf: what was gathered, by document."""

    def __init__(self) -> None:
        self.documents: dict[str, list[Record]] = {}

    def keep(self, document: str, records: Sequence[Record]) -> None:
        self.documents.setdefault(document, []).extend(records)

    def gathered(self, document: str) -> Sequence[Record]:
        return self.documents.get(document, [])
