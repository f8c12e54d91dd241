"""Both languages of a sentence have the same places."""

import string

import pytest

from edge.wording.config import SAY


@pytest.mark.parametrize("code", sorted(SAY))
def test_both_languages_have_the_same_places(code):
    def places(text: str) -> list[str]:
        return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)

    assert places(SAY[code].en) == places(SAY[code].zh)
    assert SAY[code].en
    assert SAY[code].zh
