"""A mistake in a file: where it stands, what is wrong, and how it is printed.

``file:line:column: path: sentence``, the line itself, and a caret that stands under the right character even where
characters are two columns wide (Unicode Annex 11: W and F). Lines and columns count from 1, columns in characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from edge.config.source import Source
from edge.errors import ConfigError
from edge.wording import Words
from edge.wording.config import say

_ROOM: Final = 110  # characters of a source line that are shown; longer lines are cut around the caret
_SECRETS: Final = re.compile(
    r"""(?ix) \b (?: [\w-]* (?:password|passwd|secret|token|credential)[\w-]* | (?:api[_-]?)?key | pin ) ["']?
    \s* [:：] \s* (?!\s*!secret\b)
    ( "(?:[^"\\]|\\.)*"? | '[^']*'? | [^\s,，}\]\#][^,，}\]\#]* )
    | :// [^/@\s:]* : ([^/@\s]+) @"""
)


class Place(Struct, frozen=True):
    """One position in a source. ``line`` 0 means the file as a whole."""

    source: Source
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.source.label}:{self.line}:{self.column}" if self.line else self.source.label


class Problem(Struct, frozen=True, kw_only=True):
    """One mistake; ``second`` is the other place where two are involved.

    The lines are taken from the source only when it is printed: by then every secret in them is known and hidden.
    """

    rule: str  #: code of the sentence, stable
    place: Place
    path: str
    say: Words
    second: Place | None = None

    @property
    def file(self) -> str:
        return self.place.source.label

    @property
    def line(self) -> int:
        return self.place.line

    @property
    def col(self) -> int:
        return self.place.column if self.place.line else 0

    @property
    def snippet(self) -> str:
        """The line with its caret; of two places, both. "" for a file as a whole."""
        parts = [_snippet(self.place)]
        if self.second is not None and self.second != self.place:
            parts.append(_snippet(self.second))
        return "\n".join(part for part in parts if part)

    def to(self, language: str) -> str:
        """As printed."""
        where = f"{self.file}:{self.line}:{self.col}: " if self.line else f"{self.file}: "
        head = where + (f"{self.path}: " if self.path else "") + self.say.to(language)
        return "\n".join(part for part in (head, self.snippet) if part)

    def data(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.col,
            "path": self.path,
            "rule": self.rule,
            "en": self.say.en,
            "zh": self.say.zh,
            "other": str(self.second) if self.second else "",
        }


class Mistakes(ConfigError):
    """Every mistake of a file at once. ``str()`` is the printed list in English, ``to(language)`` in either."""

    def __init__(self, problems: Sequence[Problem], *, complete: bool = True) -> None:
        self.problems = tuple(problems)
        self.complete = complete
        super().__init__(Words(self.to("en"), self.to("zh")))

    def to(self, language: str) -> str:
        """The printed list."""
        count = len(self.problems)
        end = [say("count_one") if count == 1 else say("count", count=count)]
        if not self.complete:
            end.insert(0, say("rest_waits"))
        return "\n".join([*(problem.to(language) for problem in self.problems), *(words.to(language) for words in end)])


def problem(rule: str, place: Place, path: str, words: Words, second: Place | None = None) -> Problem:
    """A Problem at ``place``."""
    return Problem(rule=rule, place=place, path=path, say=words, second=second)


def _snippet(place: Place) -> str:
    if not 0 < place.line <= len(place.source.lines):
        return ""
    line, column = _masked(
        place.source.lines[place.line - 1], place.column - 1, place.source.hidden.get(place.line, ())
    )
    if len(line) > _ROOM:
        start = max(0, min(column - _ROOM // 2, len(line) - _ROOM))
        line, column = line[start : start + _ROOM], column - start
    shown = "".join(char if char.isprintable() or char == "\u3000" else " " for char in line)
    before = "".join(_blank(char) for char in shown[:column])
    return f"{place.line:>6} | {shown}\n{'':>6} | {before}^"


def _blank(char: str) -> str:
    if unicodedata.combining(char):
        return ""
    return "  " if unicodedata.east_asian_width(char) in "WF" else " "


def _masked(line: str, column: int, hidden: Sequence[tuple[int, int]]) -> tuple[str, int]:
    """``line`` with every secret in it replaced by ``***``, and ``column`` moved along."""
    found = [hit.span(1) if hit.group(1) is not None else hit.span(2) for hit in _SECRETS.finditer(line)]
    spans: list[tuple[int, int]] = []
    for start, end in sorted([*hidden, *found]):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    for start, end in reversed(spans):
        line = line[:start] + "***" + line[end:]
        if column >= end:
            column += 3 - (end - start)
        elif column > start:
            column = start
    return line, column
