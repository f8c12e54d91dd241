"""What elements mean: the properties of a code that a station asks for, from its GS1 elements."""

from __future__ import annotations

import calendar
from datetime import date
from decimal import Decimal
from typing import Final

from msgspec import Struct

from edge.identify.code import Flaw, element_name

_WINDOW_BACK: Final = 50  # General Specifications §7.12: from 49 years back to 50 years ahead


class Facts(Struct, frozen=True, kw_only=True):
    """The properties of ``Code`` that elements can give."""

    gtin: str | None = None
    sscc: str | None = None
    lot: str | None = None
    serial: str | None = None
    expiry: date | None = None
    count: Decimal | None = None
    weight: Decimal | None = None
    purchase_order: str | None = None


def facts(values: dict[str, str], year: int) -> Facts | Flaw:
    """The facts in checked ``values`` (identifier -> value), scanned in ``year``.

    Flaw only for a 29 February that the century of the scan turns into no date (2100, from 2051 on).
    """
    expiry = None
    if (raw := values.get("17") or values.get("7003")) is not None:
        expiry = gs1_date(raw[:6], year)
        if expiry is None:
            ai = "17" if "17" in values else "7003"
            return Flaw("bad_date", {"ai": ai, "name": element_name(ai), "value": raw, "part": raw[:6]})
    count = values.get("30") or values.get("37")
    return Facts(
        gtin=_gtin(values),
        sscc=values.get("00"),
        lot=values.get("10"),
        serial=values.get("21"),
        expiry=expiry,
        count=None if count is None else Decimal(count),
        weight=_net_weight(values),
        purchase_order=values.get("400"),
    )


def gs1_date(yymmdd: str, year: int) -> date | None:
    """The day that ``yymmdd`` names when read in ``year``; day 00 is the last of its month. None: no such day.

    The century is the one that brings it nearest: 51 or more years ahead is the last century, 50 or more back the next.
    """
    two, month, day = int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:])
    ahead = two - year % 100
    century = year // 100 - (ahead > _WINDOW_BACK) + (ahead <= -_WINDOW_BACK)
    full = century * 100 + two
    try:
        return date(full, month, day or calendar.monthrange(full, month)[1])
    except ValueError:  # no such day, or no such month or year
        return None


def _gtin(values: dict[str, str]) -> str | None:
    if (gtin := values.get("01") or values.get("03") or values.get("02")) is not None:
        return gtin
    piece = values.get("8006") or values.get("8026")
    return None if piece is None else piece[:14]


def _net_weight(values: dict[str, str]) -> Decimal | None:
    for ai, value in values.items():
        if ai.startswith("310"):
            return Decimal(value).scaleb(-int(ai[3]))
    return None
