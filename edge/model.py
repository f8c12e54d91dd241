"""The values that travel through the house. Frozen, keyword-only, no behaviour beyond reading themselves.

A device yields ``Scan``, ``Readings`` or ``Notice``; the log takes ``Entry`` and gives back ``Record``. Instants are
aware UTC datetimes beside a monotonic clock: order and age are told by the second, never by the first.
"""

from __future__ import annotations

from array import array
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from msgspec import Struct


class Moment(Struct, frozen=True, kw_only=True):
    """One instant as this PC knows it. ``bound_s`` is the kernel's estimate of the error of ``utc``, in seconds."""

    utc: datetime
    offset_s: int  #: the site's offset from UTC at that instant
    monotonic_ns: int  #: CLOCK_MONOTONIC of ``boot_id``
    boot_id: str
    synchronised: bool
    bound_s: float


class Scan(Struct, frozen=True, kw_only=True):
    """The bytes of one trigger, framing removed; the AIM identifier and every GS (0x1D) are kept."""

    device: str
    raw: bytes
    captured_at: datetime
    monotonic_ns: int
    symbology: str = ""  #: AIM identifier where the device gives it apart from the bytes, else ""
    encoding: str = "utf-8"


class Tag(Struct, frozen=True, kw_only=True):
    """One measured quantity of one device; value = raw × scale + offset, rounded to ``digits`` decimals."""

    name: str  #: "press-2.force"
    unit: str  #: UN/CEFACT Rec 20 code, "" for a plain signal
    scale: float = 1.0
    offset: float = 0.0
    digits: int = 3
    low: float | None = None
    high: float | None = None
    every_s: float = 1.0

    def value(self, raw: float) -> float:
        """``raw`` in ``unit``."""
        return round(raw * self.scale + self.offset, self.digits)


class Layout(Struct, frozen=True, kw_only=True):
    """The tags of one frame, in the order of its values. Made once, compared by identity."""

    device: str
    tags: tuple[Tag, ...]
    typecode: str  #: array typecode of the values: "q" signed integers, "d" doubles


class Quality(StrEnum):
    """How far a value may be trusted (OPC UA Part 8 §6.3.2: good, uncertain, bad)."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"


class Readings(Struct, frozen=True, kw_only=True):
    """One frame: the raw values of ``layout.tags`` at one instant, as the device gave them, before scaling."""

    layout: Layout
    values: array[int] | array[float]
    captured_at: datetime
    monotonic_ns: int
    quality: Quality = Quality.GOOD


class NoticeCode(StrEnum):
    """What a device says besides values."""

    NO_READ = "no_read"  #: triggered, nothing decoded
    OVERRUN = "overrun"  #: longer than the cap; discarded up to the next terminator
    UNDECODABLE = "undecodable"  #: damaged on the way; discarded, never shortened
    DROPPED = "dropped"  #: partial data thrown away after a reconnect
    SILENT = "silent"  #: one device of a shared bus stopped answering
    ANSWERING = "answering"  #: and answers again
    NO_VALUE = "no_value"  #: the device answers, but has no valid value for a tag, or refuses it


class Notice(Struct, frozen=True, kw_only=True):
    """Something a technician may want to know; recorded, shown, never a scan."""

    device: str
    code: NoticeCode
    text: str
    captured_at: datetime
    monotonic_ns: int


Item = Scan | Readings | Notice


class Known(StrEnum):
    """How a quantity was known."""

    LABEL = "label"
    TYPED = "typed"
    SCALE = "scale"
    COUNTER = "counter"
    THEORETICAL = "theoretical"


class Quantity(Struct, frozen=True, kw_only=True):
    """An exact amount with its unit (UN/CEFACT Rec 20) and how it was known."""

    value: Decimal
    unit: str
    known: Known


class Kind(StrEnum):
    """The kinds of records. The schema version of each stands in ``SCHEMA``."""

    SCAN = "scan"
    EVENT = "event"
    REFUSAL = "refusal"
    READINGS = "readings"
    RECEIPT = "receipt"
    CONFIG = "config"
    AUDIT = "audit"


SCHEMA: Final[dict[Kind, int]] = dict.fromkeys(Kind, 1)


class Entry(Struct, frozen=True, kw_only=True):
    """What is to be remembered: ``data`` is the exact JSON that will be hashed, stored, exported and delivered."""

    kind: Kind
    data: bytes


class Record(Struct, frozen=True, kw_only=True):
    """One entry of the log. (``origin``, ``seq``) names it for ever; ``leaf`` = SHA-256(0x00 ‖ data), RFC 6962 §2.1."""

    origin: str
    seq: int
    kind: Kind
    leaf: bytes
    data: bytes


class DeviceState(StrEnum):
    """Shown verbatim on the page."""

    CONNECTING = "connecting"
    ONLINE = "online"
    WAITING = "waiting"  #: not reachable; trying again by itself
    FAULT = "fault"  #: a person has to do something first
    STOPPED = "stopped"
