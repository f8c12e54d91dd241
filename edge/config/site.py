"""The shape of a line PC's file: site, devices, stations, procedures, masters, destinations."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field

from edge.config.base import DayTime, Id, Model, Text
from edge.config.masters import MastersFile
from edge.config.procedure import ProcedureFile

IDENTITY_PATTERN: Final = r"^https?://[^\s/]+(/[^\s]*)?$"


class Shift(Model):
    """One shift, in the site's time zone; one that ends before it starts runs over midnight."""

    start: DayTime
    end: DayTime


class TimeSource(Model):
    """How far the wall clock must be trusted before the page warns."""

    require_sync: bool = Field(default=True, description="warn on the page while the clock is not synchronised")
    max_error_s: float = Field(default=1.0, gt=0, description="or while the kernel's error bound is above this")


class StationFile(Model):
    """One station: a place where a procedure happens."""

    name: Text
    scanners: tuple[Id, ...] = Field(default=(), description="devices whose scans belong to this station")
    procedure: Id
    repeat_s: float = Field(
        default=2.0, gt=0, le=30, description="the same bytes from the same device within this time count once"
    )


class FormatFile(Model):
    """A house format: a regular expression whose named groups say what the code means."""

    pattern: str = Field(
        description="matches the whole text; groups: badge, order, material, lot, serial, quantity, expiry, position, "
        "command"
    )


class Web(Model):
    """Where the page is served."""

    host: Literal["127.0.0.1", "::1", "localhost"] = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535, description="0 takes a free one")


class Storage(Model):
    """How much disk the log may count on, and for how long it keeps what everybody has seen."""

    reserve_mb: int = Field(default=256, ge=1, description="below this much free space nothing more is acknowledged")
    retention_days: int = Field(default=400, ge=1)
    segment_mb: int = Field(default=256, ge=1, le=4096)


class Site(Model):
    """The whole file. ``devices`` and ``destinations`` are checked by the model of the driver or sink each names."""

    lotline: Literal[1] = Field(description="version of this file's format")
    site: Id
    area: Id
    line: Id
    timezone: str = Field(description="IANA name, e.g. Asia/Shanghai")
    identity: str = Field(pattern=IDENTITY_PATTERN, description="prefix of ids for things without a GS1 key")
    shifts: dict[Id, Shift] = {}
    time: TimeSource = TimeSource()
    web: Web = Web()
    storage: Storage = Storage()
    devices: dict[Id, Any] = {}
    formats: dict[Id, FormatFile] = {}
    stations: dict[Id, StationFile] = Field(min_length=1)
    procedures: dict[Id, ProcedureFile] = Field(
        default={}, description="id -> procedure; may stand in files of their own by include:"
    )
    masters: MastersFile = MastersFile()
    destinations: dict[Id, Any] = {}
