"""``lotline`` before any verb: what there is, which one was meant, in which language."""

from __future__ import annotations

import importlib
import re

import pytest

from edge import __version__
from edge.cli import VERBS
from edge.wording import Words
from edge.wording import cli as said
from tests.cli.line import lotline


def test_help_names_every_verb_and_is_a_success() -> None:
    ran = lotline("--help")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert set(re.findall(r"^  (\w+)  ", ran.stdout, re.MULTILINE)) == set(VERBS)


def test_no_verb_is_answered_with_all_of_them_and_is_a_mistake() -> None:
    ran = lotline()
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == lotline("--help").stdout


def test_a_misspelt_verb_is_told_which_one_was_meant() -> None:
    ran = lotline("statsu")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.splitlines()[0] == "lotline: no verb 'statsu'; did you mean 'status'?"


@pytest.mark.parametrize("words", [("--lang", "zh", "statsu"), ("--lang=zh", "statsu"), ("statsu", "--lang", "zh")])
def test_the_language_may_stand_before_or_after_the_verb(words: tuple[str, ...]) -> None:
    assert lotline(*words).stderr.splitlines()[0] == "lotline：没有动词 'statsu'；是否指 'status'？"


def test_the_environment_chooses_the_language_and_lang_wins() -> None:
    assert lotline("--help", LANG="zh_CN.UTF-8").stdout.startswith(said.ABOUT.zh)
    assert lotline("--help", LC_ALL="zh_CN.UTF-8", LANG="en_US.UTF-8").stdout.startswith(said.ABOUT.zh)
    assert lotline("--help", "--lang", "en", LANG="zh_CN.UTF-8").stdout.startswith(said.ABOUT.en)


def test_version() -> None:
    assert lotline("--version").stdout == f"lotline {__version__}\n"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_its_file_and_its_help(verb: str) -> None:
    assert importlib.import_module(f"edge.cli.{verb}").__doc__.startswith(f"``lotline {verb}")
    ran = lotline(verb, "--help")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"usage: lotline {verb}")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("status",),
            Words(
                "lotline status: no running line answers at {state}/control.sock. "
                "Start it with `lotline run FILE`, or name its directory with --state.\n",
                "lotline status: {state}/control.sock 没有正在运行的产线程序。"
                "请用 `lotline run FILE` 启动，或用 --state 指定目录。\n",
            ),
        ),
        (
            ("sync", "status"),
            Words(
                "lotline sync: no running line answers at {state}/control.sock. "
                "Start it with `lotline run FILE`, or name its directory with --state.\n",
                "lotline sync: {state}/control.sock 没有正在运行的产线程序。"
                "请用 `lotline run FILE` 启动，或用 --state 指定目录。\n",
            ),
        ),
        (
            ("verify",),
            Words(
                "lotline verify: no log in {state}. Name the directory of the line with --state.\n",
                "lotline verify: {state} 中没有日志。请用 --state 指定产线的状态目录。\n",
            ),
        ),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_without_a_line_a_verb_says_what_to_do(tmp_path, words: tuple[str, ...], says: Words, language: str) -> None:
    ran = lotline(*words, "--state", str(tmp_path), "--lang", language)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == says.fill({"state": tmp_path}).to(language)


def test_both_languages_of_every_sentence_have_the_same_places() -> None:
    sentences = [value for value in vars(said).values() if isinstance(value, Words)] + list(said.VERBS.values())
    for verb in VERBS:
        sentences += [
            value for value in vars(importlib.import_module(f"edge.cli.{verb}")).values() if isinstance(value, Words)
        ]
    assert len(sentences) > 30
    for words in sentences:
        assert sorted(re.findall(r"\{\w+\}", words.en)) == sorted(re.findall(r"\{\w+\}", words.zh)), words
