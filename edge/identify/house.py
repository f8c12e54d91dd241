"""House formats: codes of the factory's own making, told by regular expressions that a technician writes in YAML.

``formats: {reel: {pattern: "R(?P<material>[A-Z0-9-]+)/(?P<lot>\\w+)/(?P<quantity>\\d+)"}}``. A pattern must
match the whole text; its named groups say what the code means.
"""

from __future__ import annotations

import difflib
import re
from datetime import date
from decimal import Decimal
from typing import Final

from edge.config.site import FormatFile
from edge.errors import ConfigError
from edge.identify.code import Code, Flaw
from edge.identify.facts import gs1_date
from edge.wording import Words
from edge.wording.identify import FORMAT, WHY

#: what a group may be called: the properties of ``Code`` that no GS1 rule defines, and lot, serial and expiry
GROUPS: Final = ("badge", "order", "material", "lot", "serial", "quantity", "expiry", "position", "command")
#: Longer texts are not offered to patterns: a careless one takes exponential time, and no house code is this long.
TEXT_MAX: Final = 256

#: a repetition repeated, as in ``(a+)+``: the usual way to write a pattern that never ends
_REPEATED_TWICE: Final = re.compile(r"(?<!\\)[+*]\)[+*{]")
_QUANTITY: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
_DATE: Final = re.compile(r"(?:([0-9]{4})([-/.]?)([0-9]{2})\2([0-9]{2})|([0-9]{6}))")


class HouseFormat:
    """One format, compiled. Raises ConfigError when the pattern is no regular expression or its groups mean nothing."""

    __slots__ = ("_pattern", "_why", "is_badge", "name")

    def __init__(self, name: str, file: FormatFile) -> None:
        self.name = name
        self._pattern = _compiled(name, file.pattern)
        self._why = WHY["house"].fill({"name": name})
        self.is_badge = "badge" in self._pattern.groupindex  #: badges are looked for before anything else

    def read(self, text: str, symbology: str, year: int) -> Code | Flaw | None:
        """What ``text`` says in this format; None when it is not of this format, Flaw when a value in it is wrong."""
        found = self._pattern.fullmatch(text) if len(text) <= TEXT_MAX else None
        if found is None:
            return None
        said: dict[str, str] = {group: value for group, value in found.groupdict().items() if value}
        quantity, expiry = said.get("quantity"), said.get("expiry")
        day = None
        if expiry is not None and (day := _day(expiry, year)) is None:
            return Flaw("bad_date.house", {"part": expiry})
        if quantity is not None and (not _QUANTITY.fullmatch(quantity) or not Decimal(quantity)):
            return Flaw("bad_quantity", {"part": quantity})
        return Code(
            family=f"house:{self.name}",
            symbology=symbology,
            text=text,
            why=self._why,
            badge=said.get("badge"),
            order=said.get("order"),
            material=said.get("material"),
            lot=said.get("lot"),
            serial=said.get("serial"),
            quantity=None if quantity is None else Decimal(quantity),
            expiry=day,
            position=said.get("position"),
            command=said.get("command"),
        )

    @property
    def why(self) -> Words:
        """Why a text is read in this format."""
        return self._why


def _compiled(name: str, pattern: str) -> re.Pattern[str]:
    about: dict[str, object] = {"name": name, "pattern": pattern}
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as exc:
        place = exc.pos if isinstance(exc, re.error) and exc.pos is not None else 0
        problem = {"problem": exc.msg if isinstance(exc, re.error) else str(exc), "place": place + 1}
        raise ConfigError(FORMAT["syntax"].fill({**about, **problem})) from exc
    groups: dict[str, object] = {"groups": ", ".join(GROUPS)}
    for group in compiled.groupindex:
        if group not in GROUPS:
            close = difflib.get_close_matches(group, GROUPS, n=1)
            refused = FORMAT["group_near" if close else "group"]
            fields = {**about, "group": group, "word": close[0] if close else ""}
            raise ConfigError(refused.fill(fields), FORMAT["group_hint"].fill(groups))
    if (twice := _REPEATED_TWICE.search(pattern)) is not None:
        raise ConfigError(FORMAT["slow"].fill({**about, "part": twice[0], "place": twice.start() + 1}))
    if not compiled.groupindex:
        raise ConfigError(FORMAT["none"].fill(about), FORMAT["group_hint"].fill(groups))
    return compiled


def _day(text: str, year: int) -> date | None:
    """``2027-05-31``, ``2027/05/31``, ``20270531``, or ``270531`` by the rule of GS1."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    if found[5]:
        return gs1_date(found[5], year)
    try:
        return date(int(found[1]), int(found[3]), int(found[4]))
    except ValueError:
        return None
