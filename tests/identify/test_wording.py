"""Both languages of every sentence about a code hold the same places."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

from edge.identify import checks
from edge.identify.ai import IDENTIFIERS
from edge.wording import identify as wording

TABLES = (
    wording.ELEMENTS,
    wording.SIBLINGS,
    wording.CARRIERS,
    wording.WHY,
    wording.UNREADABLE,
    wording.PROPERTIES,
    wording.FORMAT,
)


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_places():
    for table in TABLES:
        for key, words in table.items():
            assert _places(words.en) == _places(words.zh), key


def test_every_name_of_an_element_belongs_to_a_known_identifier():
    assert set(wording.ELEMENTS) <= set(IDENTIFIERS)


def test_every_sentence_is_used_and_every_flaw_has_a_sentence():
    package = Path(checks.__file__).parent
    source = "\n".join(path.read_text() for path in sorted(package.glob("*.py")))
    written = {
        node.value
        for node in ast.walk(ast.parse(source.replace("from __future__ import annotations", "")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    flaws = {key for key in wording.UNREADABLE if not key.startswith("bad_content.")}
    assert flaws <= written
    used = set(re.findall(r'Flaw\(\s*"([a-z_.]+)"', source))
    assert used <= set(wording.UNREADABLE)
    content = set(re.findall(r'_content\("([a-z_]+)"', source))
    assert {f"bad_content.{name}" for name in content} == set(wording.UNREADABLE) - flaws
