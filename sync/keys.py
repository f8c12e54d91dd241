"""What a courier has to know of an event: its delivery key, what it is about, and how old it is.

An event *holds* the items in ``lotline:items`` and its work order, and *waits* for the items; one that closes an order
waits for the order as well, because it is about everything that was made for it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct, field

from edge.model import Moment

_ORDER: Final = "order:"  # item ids are URIs, so no item can look like this


class Keys(Struct, frozen=True, kw_only=True, gc=False):
    """``id`` is the delivery key; ``waits`` is a part of ``holds``."""

    id: str
    items: tuple[str, ...]
    holds: tuple[str, ...]
    waits: tuple[str, ...]


def keys_of(data: bytes) -> Keys:
    """The keys of an event as stored."""
    event = _EVENT.decode(data)
    items = tuple(item.id for item in event.items)
    if event.order is None:
        return Keys(id=event.id, items=items, holds=items, waits=items)
    holds = (*items, _ORDER + event.order.id)
    return Keys(id=event.id, items=items, holds=holds, waits=holds if event.act == "close" else items)


def age_s(data: bytes, now: Moment) -> float:
    """Seconds since the event, by the monotonic clock where it is still this boot's."""
    event = _AGE.decode(data)
    if event.clock is not None and event.clock.boot_id == now.boot_id:
        return max(0.0, (now.monotonic_ns - event.clock.monotonic_ns) / 1e9)
    return max(0.0, (now.utc - datetime.fromisoformat(event.time)).total_seconds())


class _Named(Struct, frozen=True, gc=False):
    id: str


class _Event(Struct, frozen=True, gc=False):
    id: str = field(name="eventID")
    act: str = field(name="lotline:act", default="")
    items: list[_Named] = field(name="lotline:items", default_factory=list)
    order: _Named | None = field(name="lotline:workOrder", default=None)


class _ClockRead(Struct, frozen=True, gc=False):
    monotonic_ns: int = field(name="monotonicNs")
    boot_id: str = field(name="bootId")


class _Age(Struct, frozen=True, gc=False):
    time: str = field(name="eventTime")
    clock: _ClockRead | None = field(name="lotline:clock", default=None)


_EVENT: Final = msgspec.json.Decoder(_Event)
_AGE: Final = msgspec.json.Decoder(_Age)
