"""The bytes of a record: what every one of them says about itself, and the id by which the world knows it.

The bytes are made once, here or in ``edge.epcis``. They are what is hashed, stored, exported and delivered; nobody
serialises a record a second time in order to check it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec
from msgspec import Struct

from edge.model import SCHEMA, Entry, Kind, Moment


class Provenance(Struct, frozen=True, kw_only=True):
    """Which software, configuration, rules and masters stood behind a record. "" where one played no part."""

    build: str = ""
    config: str = ""
    procedure: str = ""
    bill: str = ""
    masters: str = ""
    checks: str = ""  #: the modes in which the checks ran


RESERVED: Final = frozenset({"kind", "schema", "id", "station", "time", "offset", "clock", "from"})


def entry(
    kind: Kind,
    moment: Moment,
    station: str,
    provenance: Provenance,
    body: Mapping[str, object],
    *,
    record_id: str = "",
) -> Entry:
    """An ordinary record: the envelope, then ``body``. Decimals become exact strings, bytes base64.

    Events are EPCIS documents of their own and are not made here. Raises ValueError when ``body`` uses a name of the
    envelope.
    """
    if taken := RESERVED & body.keys():
        raise ValueError(f"a record's body may not use {sorted(taken)}: the envelope does")
    document = {
        "kind": kind,
        "schema": SCHEMA[kind],
        "id": record_id or new_id(),
        "station": station,
        "time": time_text(moment.utc),
        "offset": offset_text(moment.offset_s),
        "clock": clock_members(moment),
        "from": provenance,
        **body,
    }
    return Entry(kind=kind, data=msgspec.json.encode(document))


def clock_members(moment: Moment) -> dict[str, object]:
    """What a record says about the clock behind its time; ``lotline:clock`` of an event is the same."""
    return {
        "monotonicNs": moment.monotonic_ns,
        "bootId": moment.boot_id,
        "synchronised": moment.synchronised,
        "boundS": moment.bound_s,
    }


def time_text(utc: datetime) -> str:
    """ "2026-11-22T03:42:07.123Z": UTC, milliseconds cut (never rounded into the future)."""
    return utc.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"  # without "+00:00"


def offset_text(offset_s: int) -> str:
    """ "+08:00", as EPCIS 2.0 writes ``eventTimeZoneOffset``."""
    hours, minutes = divmod(abs(offset_s) // 60, 60)
    return f"{'-' if offset_s < 0 else '+'}{hours:02d}:{minutes:02d}"


class _Names(Struct):
    id: str = ""
    event_id: str = msgspec.field(name="eventID", default="")


_names: Final = msgspec.json.Decoder(_Names)


def record_id(data: bytes) -> str:
    """The id inside the bytes: ``eventID`` of an event ("urn:uuid:…"), ``id`` of any other record."""
    names = _names.decode(data)
    return names.event_id or names.id


class _Kinds(Struct):
    kind: str = ""
    event_kind: str = msgspec.field(name="lotline:kind", default="")


_kinds: Final = msgspec.json.Decoder(_Kinds)


def kind_inside(data: bytes) -> str:
    """The kind that the bytes name, "" where they name none. Raises msgspec.MsgspecError on no JSON object."""
    kinds = _kinds.decode(data)
    return kinds.event_kind or kinds.kind


class _Ids:
    """UUIDv7 (RFC 9562 §5.7), monotonic in this process (§6.2 method 2: the random part counts on)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last_ms = 0
        self._random = 0

    def next(self) -> str:
        with self._lock:
            now_ms = time.time_ns() // 1_000_000
            if now_ms > self._last_ms:
                self._last_ms = now_ms
                # the top bit stays clear: room to count on for 2^73 ids before the millisecond has to move
                self._random = int.from_bytes(os.urandom(10)) & ((1 << 73) - 1)
            else:  # same millisecond, or the wall clock went back: time never runs backwards in an id
                self._random += 1 + (os.urandom(1)[0] & 0x7F)
            bits = (
                (self._last_ms & ((1 << 48) - 1)) << 80
                | 0x7 << 76
                | (self._random >> 62 & 0xFFF) << 64
                | 0b10 << 62
                | self._random & ((1 << 62) - 1)
            )
        text = f"{bits:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_ids: Final = _Ids()


def new_id() -> str:
    """A new UUIDv7 as text; later ids of one process are greater."""
    return _ids.next()
