"""What ``bind`` is given and what it gives back: values only, so that every answer can be shown with a table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

from msgspec import Struct

from edge.epcis import Draft, Place
from edge.identify import Code, Unreadable
from edge.log import Sighting
from edge.masters import Masters
from edge.model import Moment, Scan
from edge.station.desk import Desk, LotState, OrderState
from edge.station.procedure import Procedure
from edge.station.windows import Window
from edge.wording import Words


class Read(Struct, frozen=True, kw_only=True):
    """A code was scanned (or typed) and says something."""

    scan: Scan
    code: Code


class Misread(Struct, frozen=True, kw_only=True):
    """A code was scanned and says nothing that could be true."""

    scan: Scan
    problem: Unreadable


class Confirm(Struct, frozen=True):
    """A person confirmed that the order is to be closed."""


class Clear(Struct, frozen=True):
    """A person gave up the unit in progress."""


class Expire(Struct, frozen=True):
    """The other code of a label did not come in time."""


Act = Read | Misread | Confirm | Clear | Expire

Verdict = Literal["accepted", "incomplete", "repeated", "refused", "cannot_know"]


class Context(Struct, frozen=True, kw_only=True):
    """Everything an answer may depend on."""

    place: Place
    procedure: Procedure
    masters: Masters
    desk: Desk
    lots: Mapping[str, LotState]
    orders: Mapping[str, OrderState]
    now: Moment
    today: date  #: at the site
    windows: Mapping[str, Mapping[str, Window]]
    sightings: Mapping[str, Mapping[str, Sighting]]  #: item id -> role -> where it was first seen in that role
    watching_since_ns: int  #: monotonic; windows before it were not seen by this process
    repeat_s: float
    salt: bytes  #: of this log


class Outcome(Struct, frozen=True, kw_only=True):
    """The answer, and what becomes true if it can be made durable."""

    verdict: Verdict
    code: str  #: key into edge.wording.station.ANSWERS
    fields: Mapping[str, str | Words]
    step: str
    desk: Desk
    lots: tuple[LotState, ...] = ()
    orders: tuple[OrderState, ...] = ()
    drafts: tuple[Draft, ...] = ()
    unit_ended: bool = False
    unit_began: bool = False
