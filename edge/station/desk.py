"""What a station and its floor remember between two scans. Small frozen values, stored under a key beside the records.

Each value is written in the same transaction as the record that changed it, so a restart finds exactly the state in which
the last acknowledged scan left the station. Names of people never stand here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from edge.epcis import ScanRef
from edge.identify import Code
from edge.masters import LotStatus


class Loaded(Struct, frozen=True, kw_only=True):
    """A lot mounted at a position."""

    step: str
    position: str
    material: str
    lot: str
    item: str  #: id URI, key of its balance
    expiry: date | None


class Part(Struct, frozen=True, kw_only=True):
    """A scanned component of the unit in progress."""

    step: str
    material: str
    item: str
    quantity: Decimal
    lot: str = ""
    serial: str = ""
    expiry: date | None = None


class LabelPart(Struct, frozen=True, kw_only=True):
    """The codes of one label that have come so far."""

    code: Code
    asks: str  #: the answer that asked for the rest
    step: str
    device: str
    until_ns: int  #: monotonic


class LastScan(Struct, frozen=True, kw_only=True):
    """The last scan that counted, to tell a bouncing trigger from work."""

    digest: str
    device: str
    monotonic_ns: int
    boot_id: str
    counted: bool = True


class Desk(Struct, frozen=True, kw_only=True):
    """One station."""

    operator: str = ""  #: pseudonymous id
    order: str = ""
    loaded: Mapping[str, Loaded] = {}  #: by position
    spliced: tuple[Loaded, ...] = ()  #: lots taken off while this unit was in progress
    unit: str = ""  #: its serial or lot number
    unit_known: bool = False  #: the number has been scanned
    unit_since: datetime | None = None
    since_ns: int = 0  #: monotonic, when this unit's time began: the end of the unit before
    boot_id: str = ""
    parts: tuple[Part, ...] = ()
    scans: tuple[ScanRef, ...] = ()
    label: LabelPart | None = None
    last: LastScan | None = None


class LotState(Struct, frozen=True, kw_only=True):
    """One lot as this PC knows it. ``balance`` None: nobody has said how much it holds."""

    item: str
    material: str
    lot: str
    unit: str
    balance: Decimal | None
    expiry: date | None = None
    status: LotStatus = LotStatus.RELEASED
    supplier: str = ""


class OrderState(Struct, frozen=True, kw_only=True):
    """How far an order has come on this PC."""

    order: str
    made: Decimal
    closed: bool = False


_DESK: Final = "desk/"
_LOT: Final = "lot/"
_ORDER: Final = "order/"

Remembered = TypeVar("Remembered", bound=Struct)


class Floor:
    """What the stations of one PC share: balances and order counts. Changed only together with the commit that says so."""

    def __init__(self, state: Mapping[str, bytes], generation: int = 0) -> None:
        self.lots: dict[str, LotState] = {}
        self.orders: dict[str, OrderState] = {}
        self.desks: dict[str, Desk] = {}
        self.generation = generation  #: of the log whose state this is
        self.reload(state, generation)

    def spoil(self) -> None:
        """A commit failed: memory is ahead of the disk and must not be used again."""
        self.generation = -1

    def reload(self, state: Mapping[str, bytes], generation: int = 0) -> None:
        """Forget what was in memory and take what is on disk."""
        self.lots = _named(state, _LOT, LotState)
        self.orders = _named(state, _ORDER, OrderState)
        self.desks = _named(state, _DESK, Desk)
        self.generation = generation

    def apply(
        self, station: str, desk: Desk, lots: tuple[LotState, ...], orders: tuple[OrderState, ...]
    ) -> dict[str, bytes]:
        """Take the new values and return them as they are to be stored."""
        self.desks[station] = desk
        self.lots.update((lot.item, lot) for lot in lots)
        self.orders.update((order.order, order) for order in orders)
        return {
            _DESK + station: msgspec.json.encode(desk),
            **{_LOT + lot.item: msgspec.json.encode(lot) for lot in lots},
            **{_ORDER + order.order: msgspec.json.encode(order) for order in orders},
        }


def _named(state: Mapping[str, bytes], prefix: str, kind: type[Remembered]) -> dict[str, Remembered]:
    decoder = msgspec.json.Decoder(kind)
    return {key.removeprefix(prefix): decoder.decode(data) for key, data in state.items() if key.startswith(prefix)}
