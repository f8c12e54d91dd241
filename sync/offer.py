"""The values between a courier and its file: what is offered, what is counted, what is parked."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from edge.log import record_id
from edge.model import Record
from sync.keys import Keys, keys_of


class Sharing(Enum):
    """May the events of one batch be about the same item?"""

    FREE = "free"  #: yes, the destination keeps their order
    NONE = "none"  #: no, the courier keeps it


class Offered(Struct, kw_only=True):
    """One event of an offer. ``kept``: it waits already and has a row.

    ``tries``: how often it got no verdict; ``failures``: how often it was set aside for failing alone. Its keys are read
    from the bytes when somebody asks: most events are taken at once, and nobody does.
    """

    record: Record
    kept: bool
    tries: int = 0
    failures: int = 0
    _keys: Keys | None = None

    @property
    def id(self) -> str:
        """The delivery key."""
        return record_id(self.record.data) if self._keys is None else self._keys.id

    @property
    def keys(self) -> Keys:
        """What it holds and waits for."""
        if self._keys is None:
            self._keys = keys_of(self.record.data)
        return self._keys


class Offer(Struct, frozen=True, kw_only=True):
    """What to deliver now, in log order, and what must wait behind something when the cursor moves to ``seen``."""

    events: tuple[Offered, ...]
    blocked: tuple[Offered, ...]
    seen: int
    moved: bool  #: is ``seen`` beyond the cursor?
    oldest: bytes | None  #: the oldest unsettled event, as stored
    next_due: float | None  #: when a waiting event is to be offered again, monotonic seconds


class Tally(Struct, frozen=True, kw_only=True):
    """The counters, durable with the rows. ``waiting`` counts rows, not what lies beyond the cursor."""

    origin: str
    cursor: int
    settlement: int
    delivered: int
    gathered: int
    parked: int
    waiting: int
    absent: int | None  #: events deleted before this destination existed; None until it first caught up
    receipt_at: str


class Parked(Struct, frozen=True, kw_only=True):
    """One refused event, with the destination's own words."""

    id: str
    seq: int
    reason: str
    at: str
    items: tuple[str, ...]
