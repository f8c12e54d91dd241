"""The sample works, and what is said exists in both languages."""

from __future__ import annotations

import re
import string

import pytest
import yaml

from edge.config.secrets import Mark
from edge.files import shipped
from edge.wording.tryton import REFUSED, TROUBLE
from sync.tryton import Options


class Loader(yaml.SafeLoader):
    """Reads ``!secret name`` as the configuration does."""


Loader.add_constructor("!secret", lambda loader, node: Mark(str(node.value)))


def test_the_sample_is_a_destination_with_every_option() -> None:
    text = (shipped("config") / "samples" / "tryton.yaml").read_text(encoding="utf-8")
    whole = re.sub(r"(?m)^    # (\w+:)", r"    \1", text)
    for sample in (text, whole):
        (destination,) = yaml.load(sample, Loader)["destinations"].values()
        assert destination.pop("sink") == "tryton"
        Options.model_validate(destination)
    assert set(destination) == set(Options.model_fields)


@pytest.mark.parametrize("code", [*REFUSED, *TROUBLE])
def test_both_languages_have_the_same_places(code: str) -> None:
    words = {**REFUSED, **TROUBLE}[code]
    places = [sorted(name for _, name, _, _ in string.Formatter().parse(text) if name) for text in (words.en, words.zh)]
    assert places[0] == places[1]
