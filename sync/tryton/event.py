"""What Tryton's documents need of an event, read from its stored bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec
from msgspec import Struct, field

from edge.model import Record


class Item(Struct, frozen=True, gc=False):
    """One line of ``lotline:items``. ``quantity`` None: it took part, with an unknown share."""

    role: str
    id: str
    material: str
    unit: str
    quantity: Decimal | None = None
    lot: str = ""
    serial: str = ""
    expiry: date | None = None
    supplier: str = ""

    @property
    def number(self) -> str:
        """What Tryton calls the lot: a serial is a lot of one."""
        return self.serial or self.lot


class Order(Struct, frozen=True, gc=False):
    """The work order."""

    id: str
    material: str = ""


class Report(Struct, frozen=True):
    """One measured parameter of one unit."""

    name: str = field(name="lotline:name", default="")
    value: float | None = None
    least: float | None = field(name="minValue", default=None)
    mean: float | None = field(name="meanValue", default=None)
    most: float | None = field(name="maxValue", default=None)

    @property
    def values(self) -> tuple[float, ...]:
        """Everything that is known of it."""
        return tuple(v for v in (self.value, self.least, self.mean, self.most) if v is not None)


class _Element(Struct, frozen=True):
    reports: list[Report] = field(name="sensorReport", default_factory=list)


class Event(Struct, frozen=True):
    """One event. ``id`` is the delivery key."""

    id: str = field(name="eventID")
    time: str = field(name="eventTime")
    offset: str = field(name="eventTimeZoneOffset", default="+00:00")
    act: str = field(name="lotline:act", default="")
    items: list[Item] = field(name="lotline:items", default_factory=list)
    order: Order | None = field(name="lotline:workOrder", default=None)
    purchase: str = field(name="lotline:purchaseOrder", default="")
    sensors: list[_Element] = field(name="sensorElementList", default_factory=list)

    @property
    def day(self) -> date:
        """The day on which it happened, where it happened."""
        sign = -1 if self.offset.startswith("-") else 1
        hours, minutes = self.offset[1:].split(":")
        here = datetime.fromisoformat(self.time) + sign * timedelta(hours=int(hours), minutes=int(minutes))
        return here.date()

    @property
    def at(self) -> datetime:
        """The instant, in UTC."""
        return datetime.fromisoformat(self.time)

    @property
    def reports(self) -> Sequence[Report]:
        """Every measured parameter."""
        return [report for element in self.sensors for report in element.reports]


def event_of(record: Record) -> Event:
    """The event in ``record``."""
    return _EVENT.decode(record.data)


_EVENT: Final = msgspec.json.Decoder(Event)
