"""What an order used and made, summed from the events collected for it. Pure.

``make`` tells what a unit or lot took (role ``input``) and what came out (``output``); ``join`` adds the serials that were
joined to the unit (``component``) and names the unit once more, which does not count. ``load`` moves nothing in Tryton.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from msgspec import Struct

from sync.tryton.event import Event, Item


class Key(Struct, frozen=True, order=True):
    """One lot, serial or untracked material. ``number`` "" where it is not told apart."""

    material: str
    number: str
    unit: str


class Account(Struct, frozen=True, kw_only=True):
    """Quantities by lot. Zero where a lot took part with an unknown share: it belongs to the genealogy all the same."""

    used: Mapping[Key, Decimal]
    made: Mapping[Key, Decimal]

    @property
    def total_made(self) -> Decimal:
        """Over all lots and serials."""
        return sum(self.made.values(), Decimal(0))


def account(events: Iterable[Event]) -> Account:
    """The sums over ``events``; an event that comes twice counts once."""
    used: dict[Key, Decimal] = {}
    made: dict[Key, Decimal] = {}
    joined: dict[Key, Decimal] = {}
    seen: set[str] = set()
    for event in events:
        if event.id in seen:
            continue
        seen.add(event.id)
        for item in event.items:
            match event.act, item.role:
                case ("make", "input") | ("join", "component"):
                    _add(used, item)
                case "make", "output":
                    _add(made, item)
                case "join", "output":
                    joined[_key(item)] = item.quantity or Decimal(0)
    return Account(used=used, made={**joined, **made})


def _key(item: Item) -> Key:
    return Key(material=item.material, number=item.number, unit=item.unit)


def _add(sums: dict[Key, Decimal], item: Item) -> None:
    key = _key(item)
    sums[key] = sums.get(key, Decimal(0)) + (item.quantity or Decimal(0))
