"""Every answer exists in both languages with the same places, and every place can be filled."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from edge.wording import Words
from edge.wording.station import ANSWERS


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("code", ANSWERS)
def test_both_languages_have_the_same_places(code: str) -> None:
    answer = ANSWERS[code]
    assert places(answer.title.en) == places(answer.title.zh)
    assert places(answer.say.en) == places(answer.say.zh)


@pytest.mark.parametrize("code", ANSWERS)
def test_chinese_is_chinese_and_short_enough_to_be_read_at_a_glance(code: str) -> None:
    answer = ANSWERS[code]
    assert re.search("[\u4e00-\u9fff]", answer.title.zh)
    if answer.level == "stop":
        assert len(answer.say.zh) <= 60
        assert len(answer.say.en) <= 150


def test_numbers_in_the_manual_are_unique() -> None:
    numbers = [answer.number for answer in ANSWERS.values()]
    assert len(numbers) == len(set(numbers))


def test_a_field_may_speak_both_languages() -> None:
    said = Words("Scan {what}.", "请扫{what}。").fill({"what": Words("the shaft", "轴")})
    assert (said.en, said.zh, said.to("zh_CN.UTF-8"), said.to("de")) == (
        "Scan the shaft.", "请扫轴。", "请扫轴。", "Scan the shaft.",
    )  # fmt: skip
