"""What libyaml says, in words for a technician."""

from __future__ import annotations

from typing import Final

import yaml

from edge.config.problem import Place, Problem, problem
from edge.config.source import Source
from edge.config.widechars import Mended
from edge.wording import Words
from edge.wording.config import say

#: beginning of libyaml's sentence (libyaml 0.2.5, scanner.c and parser.c) -> ours
_SENTENCES: Final = (
    ("mapping values are not allowed", "yaml_colon_inside"),
    ("could not find expected ':'", "yaml_no_colon"),
    ("did not find expected key", "yaml_indent"),
    ("did not find expected '-' indicator", "yaml_indent"),
    ("block sequence entries are not allowed", "yaml_indent"),
    ("block mapping entries are not allowed", "yaml_indent"),
    ("did not find expected ',' or '}'", "yaml_brace"),
    ("did not find expected ',' or ']'", "yaml_bracket"),
    ("did not find expected node content", "yaml_value"),
    ("found character that cannot start any token", "yaml_character"),
    ("found unexpected end of stream", "yaml_quote"),
    ("found unknown escape character", "yaml_escape"),
)


def explain(error: yaml.YAMLError, source: Source, mended: Mended | None = None) -> Problem:
    """``error`` at its place in ``source``; ``mended`` is what was read instead."""
    words = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "")
    code = next((code for start, code in _SENTENCES if words.startswith(start)), "yaml")
    mark = getattr(error, "problem_mark", None)
    if code == "yaml_quote":
        mark = getattr(error, "context_mark", None) or mark  # where the quote was opened
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
    if mended is not None:
        column = mended.column(line, column - 1) + 1
    if line > len(source.lines) or (line == len(source.lines) and not source.lines[line - 1].strip()):
        line, column = _last(source)
    fields = {"problem": Words(words, words)} if code == "yaml" else {}
    return problem(code, Place(source, line, column), "", say(code, **fields))


def _last(source: Source) -> tuple[int, int]:
    """The end of the last line that holds something."""
    line = max((number for number, text in enumerate(source.lines, 1) if text.strip()), default=0)
    return line, len(source.lines[line - 1].rstrip()) + 1 if line else 0
