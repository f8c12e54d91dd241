"""What a technician copies works, and what is shown exists in both languages."""

from __future__ import annotations

import string
from importlib import import_module

import pytest
import yaml

from edge.config.secrets import Mark
from edge.files import shipped
from edge.wording.sync import COURIER, DESTINATION, OWN_FILE, age


class Loader(yaml.SafeLoader):
    """Reads ``!secret name`` as the configuration does."""


Loader.add_constructor("!secret", lambda loader, node: Mark(str(node.value)))


@pytest.mark.parametrize("sink", ["spool", "http"])
def test_the_sample_is_a_destination(sink: str) -> None:
    text = (shipped("config") / "samples" / f"{sink}.yaml").read_text(encoding="utf-8")
    for uncommented in (text, text.replace("# ca_file", "ca_file")):
        (destination,) = yaml.load(uncommented, Loader)["destinations"].values()
        assert destination.pop("sink") == sink
        options = import_module(f"sync.{sink}").Options
        options.model_validate(destination)
        assert set(destination) >= {name for name in options.model_fields if name != "ca_file"}


@pytest.mark.parametrize("code", [*COURIER, *DESTINATION, *OWN_FILE])
def test_both_languages_have_the_same_places(code: str) -> None:
    words = {**COURIER, **DESTINATION, **OWN_FILE}[code]
    places = [sorted(name for _, name, _, _ in string.Formatter().parse(text) if name) for text in (words.en, words.zh)]
    assert places[0] == places[1]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (119.9, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172_800, "2 d"), (6e5, "6 d")],
)
def test_an_age_is_told_as_people_say_it(seconds: float, said: str) -> None:
    assert age(seconds).en == said
