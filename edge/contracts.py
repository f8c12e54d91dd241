"""What a driver and a destination promise. Nothing else in the house is an interface.

A device is ``async with driver.session() as items`` and ``async for item in items``: entering connects, iterating reads,
leaving releases within a second, connecting again is doing it again. A session that cannot start or go on raises
``DeviceUnavailable`` (retry) or ``DeviceFault`` (a technician); an iterator that simply ends counts as gone away.
Drivers never retry, never sleep between attempts, never log: the supervisor does.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

from msgspec import Struct

from edge.model import Item, Record


class Driver(Protocol):
    """One device, or one bus on which several devices share a port."""

    @property
    def device_ids(self) -> tuple[str, ...]:
        """The devices it speaks for; one, except on a bus."""

    def session(self) -> AbstractAsyncContextManager[AsyncGenerator[Item, None]]:
        """One connection. Raises DeviceUnavailable or DeviceFault, on entering or while iterating."""


class Signal(StrEnum):
    """What a scanner can tell its holder."""

    GOOD = "good"
    BAD = "bad"


@runtime_checkable
class Feedback(Protocol):
    """A driver whose device can beep or light up. Called only after the record is on disk."""

    async def signal(self, signal: Signal) -> None:
        """Best effort within 500 ms; a device that is away is no error."""


class Accepted(Struct, frozen=True, kw_only=True):
    """The destination holds it. ``document`` also settles everything gathered for that document."""

    receipt: str
    document: str = ""


class Gathered(Struct, frozen=True, kw_only=True):
    """Will be part of ``document``, which a later record completes. Blocks nothing."""

    document: str


class Rejected(Struct, frozen=True, kw_only=True):
    """Refused for good, in the destination's own words."""

    reason: str


Verdict = Accepted | Gathered | Rejected
TAKEN: Final = (Accepted, Gathered)  #: the verdicts after which nothing waits for the record


class Shelf(Protocol):
    """What a courier keeps for its sink."""

    def gathered(self, document: str) -> Sequence[Record]:
        """The records gathered for ``document``, in log order. May block: call from the sink's own thread."""


class Sink(Protocol):
    """One destination. At-least-once calls, exactly-once effect: the key of a record is ``lotline:id`` in its bytes."""

    async def deliver(self, batch: Sequence[Record]) -> Sequence[Verdict | None]:
        """One verdict per record of ``batch``, in order; None = still pending, offer again.

        Raises SinkUnavailable (nothing is known of the batch: offered again, with the same keys) or SinkFault.
        """

    async def aclose(self) -> None:
        """Release connections within a second."""


@runtime_checkable
class KeepsOrder(Protocol):
    """A sink that may itself keep the order inside a batch.

    While ``keeps_order`` is true a batch may hold several records about one item, and the sink promises: after a record
    that got Rejected or None, later records of that batch about one of its items get None. Otherwise (and for a sink
    without this ability) a batch never holds two records about one item.
    """

    @property
    def keeps_order(self) -> bool:
        """Asked before every batch."""
