""" "did you mean": the names that are nearest to a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from edge.wording import Words
from edge.wording.config import SAY, say

NOTHING = Words("", "")


def nearest(text: str, names: Iterable[str], count: int = 1) -> list[str]:
    """Up to ``count`` of ``names`` that look like ``text``, upper and lower case alike."""
    folded: dict[str, str] = {}
    for name in names:
        folded.setdefault(name.casefold(), name)
    # a text far longer than any name cannot be a misspelling of one, and comparing it would take long
    if len(text) > 200:
        return []
    return [folded[hit] for hit in difflib.get_close_matches(text.casefold(), folded, n=count, cutoff=0.6)]


def near(text: str, names: Iterable[str]) -> Words:
    """``; did you mean 'x'?`` or nothing."""
    return mean([Words(f"'{name}'", f"'{name}'") for name in nearest(text, names)])


def near_or_known(text: str, names: Iterable[str], most: int = 8) -> Words:
    """As ``near``; where nothing is near and there are few, all of them."""
    names = list(names)
    if (words := near(text, names)) != NOTHING or not 0 < len(names) <= most:
        return words
    return say("known", words=", ".join(names))


def mean(choices: list[Words]) -> Words:
    """``; did you mean A or B?`` or nothing."""
    return say("did_you_mean", words=either(choices)) if choices else NOTHING


def either(choices: list[Words]) -> Words:
    """A, B or C."""
    if len(choices) < 2:
        return choices[0] if choices else NOTHING
    return Words(
        ", ".join(words.en for words in choices[:-1]) + SAY["or"].en + choices[-1].en,
        "、".join(words.zh for words in choices[:-1]) + SAY["or"].zh + choices[-1].zh,
    )
