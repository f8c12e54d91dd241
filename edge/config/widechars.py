"""Characters that a Chinese input method leaves behind: ``：`` ``，`` and U+3000 where YAML wants ``:`` ``,``
and a space.

They are legal inside a text, so they are looked for only where YAML cannot be read or a value is refused. Each
is told; the
file is then read on as if they were right, only to find the other mistakes too. Nothing is repaired.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from edge.config.problem import Place, Problem, problem
from edge.config.source import Source
from edge.wording.config import say

_KEY_BEFORE: Final = re.compile(r"(?:^|[{,，\[]|-\s)[\s　]*[A-Za-z0-9_.-]+[ 　]*$")
_KEY_AFTER: Final = re.compile(r"[\s　]*[A-Za-z0-9_.\-]+[ 　]*[:：]")
_TAB_INDENT: Final = re.compile(r"[ 　]*\t[ \t]*(?=[^ \t#])")
_CODE: Final = {"：": "wide_colon", "，": "wide_comma", "　": "wide_space"}


class Mended(Struct, kw_only=True):
    """A text to be read instead of the source's own. ``added``: line -> columns where a space was put in."""

    text: str
    added: dict[int, list[int]] = {}

    def column(self, line: int, column: int) -> int:
        """The column (from 0) in the source."""
        if not self.added:
            return column
        return column - sum(1 for one in self.added.get(line, ()) if one < column)


def of(text: str) -> str:
    """The sentence code for the first full-width sign in ``text``, or ""."""
    return next((_CODE[char] for char in text if char in _CODE), "")


def tabs(source: Source) -> list[Problem]:
    """Every line that is indented with a tab."""
    return [
        problem("tab", Place(source, number, line.index("\t") + 1), "", say("tab"))
        for number, line in enumerate(source.lines, 1)
        if _TAB_INDENT.match(line)
    ]


def look(source: Source) -> tuple[list[Problem], Mended]:
    """Every full-width sign that stands where YAML has a meaning for the narrow one, and the text without them."""
    problems: list[Problem] = []
    lines: list[str] = []
    added: dict[int, list[int]] = {}
    depth = 0
    for number, line in enumerate(source.lines, 1):
        found, depth = _structural(line, depth)
        problems += [
            problem(_CODE[line[at]], Place(source, number, at + 1), "", say(_CODE[line[at]]))
            for at in found
            if line[at] != "　" or at == 0 or line[at - 1] != "　"  # a run of spaces is one mistake
        ]
        out = ""
        for at, char in enumerate(line):
            out += {"：": ":", "，": ",", "　": " "}[char] if at in found else char
            if at in found and char == "：" and line[at + 1 : at + 2] not in ("", " "):
                added.setdefault(number, []).append(len(out))
                out += " "
        lines.append(out)
    return problems, Mended(text="\n".join(lines), added=added)


def _structural(line: str, depth: int) -> tuple[set[int], int]:
    """Columns (from 0) of the signs in ``line`` that are structure; and the flow depth after it, given that
    before it."""
    found: set[int] = set()
    quote = ""
    last = ""  # the last sign that is no space
    for at, char in enumerate(line):
        if quote:
            quote = "" if char == quote else quote
        elif char == "#" and (at == 0 or line[at - 1] in " 　\t"):
            break
        elif char in "\"'" and last in ("", ":", ",", "-", "{", "[", "：", "，"):
            quote = char
        elif char in "{[":
            depth += 1
        elif char in "}]":
            depth = max(0, depth - 1)
        elif (
            (char == "：" and _KEY_BEFORE.search(line[:at]))
            or (char == "，" and depth and _KEY_AFTER.match(line[at + 1 :]))
            or (char == "　" and last in ("", ":", ",", "-", "{", "[", "：", "，"))
        ):
            found.add(at)
        if char not in " 　\t":
            last = char
    return found, depth
