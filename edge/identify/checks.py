"""What must be true inside one component of a GS1 value, beyond its length and characters.

A check takes the component and returns None, or the flaw it found. Which component is held to which checks stands in
``edge.identify.ai``. Rules: GS1 General Specifications §7.9 (check digits and characters), §7.12 (century of a date),
§3 (each identifier).
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from typing import Final

from edge.identify.code import Flaw
from edge.identify.codelists import COUNTRY_LETTERS, COUNTRY_NUMBERS, CURRENCIES, PACKAGE_TYPES

Check = Callable[[str], Flaw | None]

_PREFIX_DIGITS: Final = 4  # shortest GS1 company prefix
_CSET_82: Final = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_CSET_32: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_PAIR_PRIMES: Final = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83)
_PAIR_MODULUS: Final = 1021


def expected_check_digit(body: str) -> str:
    """The mod-10 digit that belongs behind ``body`` (General Specifications §7.9.1). ASCII digits only."""
    threes = sum(map(int, body[-1::-2]))
    ones = sum(map(int, body[-2::-2]))
    return str(-(3 * threes + ones) % 10)


def expected_check_pair(body: str) -> str:
    """The two characters that belong behind ``body`` (General Specifications §7.9.5)."""
    weighted = zip(reversed(body), _PAIR_PRIMES, strict=False)
    total = sum(_CSET_82.index(character) * prime for character, prime in weighted) % _PAIR_MODULUS
    return _CSET_32[total >> 5] + _CSET_32[total & 31]


def is_month_or_day(yymmdd: str) -> bool:
    """Whether ``yymmdd`` is a date, or a whole month when its day is 00."""
    return (yymmdd[4:] == "00" and "01" <= yymmdd[2:4] <= "12") or _is_day(yymmdd)


def _is_day(yymmdd: str) -> bool:
    year, month, day = int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:])
    if not 1 <= month <= 12:
        return False
    # Two digits name a leap year by themselves; only 00 could be 2100, and only from 2050 on: told when it is resolved.
    return 1 <= day <= calendar.monthrange(2000 + year, month)[1]


def _check_digit(part: str) -> Flaw | None:
    expected = expected_check_digit(part[:-1])
    return None if part[-1] == expected else Flaw("check_digit", {"found": part[-1], "expected": expected})


def _check_pair(part: str) -> Flaw | None:
    if len(part) < 2:
        return Flaw("check_digit.pair", {"found": part, "expected": "??"})
    expected = expected_check_pair(part[:-2])
    return None if part[-2:] == expected else Flaw("check_digit.pair", {"found": part[-2:], "expected": expected})


def _prefix_first(part: str) -> Flaw | None:
    begin = part[:_PREFIX_DIGITS]
    return None if len(begin) == _PREFIX_DIGITS and begin.isdigit() else Flaw("company_prefix")


def _prefix_second(part: str) -> Flaw | None:
    return _prefix_first(part[1:])


def _date(part: str) -> Flaw | None:
    return None if _is_day(part) else Flaw("bad_date", {"part": part})


def _date_or_month(part: str) -> Flaw | None:
    return None if is_month_or_day(part) else Flaw("bad_date", {"part": part})


def _date8(part: str) -> Flaw | None:
    year, month, day = int(part[:4]), int(part[4:6]), int(part[6:])
    valid = year and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]
    return None if valid else Flaw("bad_date", {"part": part})


def _time(limits: tuple[int, ...]) -> Check:
    def check(part: str) -> Flaw | None:
        pairs = [int(part[at : at + 2]) for at in range(0, len(part), 2)]
        ok = all(value <= limit for value, limit in zip(pairs, limits, strict=True))
        return None if ok else Flaw("bad_time", {"part": part})

    return check


def _content(name: str, holds: Callable[[str], object]) -> Check:
    """A check that refuses with the sentence ``name`` what ``holds`` does not."""

    def check(part: str) -> Flaw | None:
        return None if holds(part) else Flaw(f"bad_content.{name}", {"part": part})

    return check


def _is_piece_of_total(part: str) -> bool:
    half = len(part) // 2
    return 0 < int(part[:half]) <= int(part[half:])


def _is_position_in_sequence(part: str) -> bool:
    found = re.fullmatch(r"([1-9][0-9]*)/([1-9][0-9]*)", part)
    return found is not None and int(found[1]) <= int(found[2])


def _is_iban(part: str) -> bool:
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]+", part) or part[:2] not in COUNTRY_LETTERS:
        return False
    moved = part[4:] + part[:4]  # ISO 13616: letters count from 10, the whole is 1 modulo 97
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1


#: name in ``edge.identify.ai`` -> check. Coupons (8110, 8112) are for North American tills and stay unchecked inside.
CHECKS: Final[dict[str, Check]] = {
    "check_digit": _check_digit,
    "check_pair": _check_pair,
    "prefix_first": _prefix_first,
    "prefix_second": _prefix_second,
    "date": _date,
    "date_or_month": _date_or_month,
    "date8": _date8,
    "hour_minute": _time((23, 59)),
    "hour": _time((23,)),
    "minute": _time((59,)),
    "second": _time((59,)),
    "country": _content("country", COUNTRY_NUMBERS.__contains__),
    "country_or_999": _content("country", (COUNTRY_NUMBERS | {"999"}).__contains__),
    "country_letters": _content("country", COUNTRY_LETTERS.__contains__),
    "currency": _content("currency", CURRENCIES.__contains__),
    "package_type": _content("package_type", PACKAGE_TYPES.__contains__),
    "media_type": _content("media_type", lambda part: 1 <= int(part) <= 10 or int(part) >= 80),
    "sex": _content("sex", "0129".__contains__),
    "yes_no": _content("yes_no", "01".__contains__),
    "minus_sign": _content("minus_sign", "-".__eq__),
    "zero": _content("zero", "0".__eq__),
    "not_zero": _content("not_zero", int),
    "winding": _content("winding", "019".__contains__),
    "piece_of_total": _content("piece_of_total", _is_piece_of_total),
    "position_in_sequence": _content("position_in_sequence", _is_position_in_sequence),
    "no_leading_zero": _content("no_leading_zero", lambda part: part == "0" or part[0] != "0"),
    "not_all_digits": _content("not_all_digits", lambda part: not part.isdigit()),
    "percent_encoded": _content("percent_encoded", lambda part: not re.search(r"%(?![0-9A-Fa-f]{2})", part)),
    "latitude": _content("latitude", lambda part: int(part) <= 1_800_000_000),
    "longitude": _content("longitude", lambda part: int(part) <= 3_600_000_000),
    "importer_index": _content("importer_index", lambda part: re.fullmatch(r"[A-Za-z0-9_-]", part)),
    "iban": _content("iban", _is_iban),
}
