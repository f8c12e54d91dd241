"""The samples that a technician copies are taken by the models that will read them."""

from __future__ import annotations

import importlib

import pytest
import yaml
from msgspec import Struct

from drivers import DRIVERS
from edge.files import shipped


@pytest.mark.parametrize("name", ["serial_scanner", "tcp_scanner"])
def test_every_device_of_a_sample_builds_and_every_option_is_shown(name):
    devices = yaml.safe_load((shipped("config") / "samples" / f"{name}.yaml").read_text(encoding="utf-8"))["devices"]
    shown: set[str] = set()
    for device, settings in devices.items():
        module = importlib.import_module(DRIVERS[settings.pop("driver")])
        options = module.Options.model_validate(settings)
        assert module.build(device, options).device_ids == (device,)
        shown |= set(settings)
    missing = set(module.Options.model_fields) - shown
    if name == "tcp_scanner":  # the sample of serial_scanner shows what both share
        from drivers.scanner import ScannerOptions

        missing -= set(ScannerOptions.model_fields)
    assert missing == set()


def test_what_the_sample_says_is_the_default_is_the_default():
    devices = yaml.safe_load((shipped("config") / "samples" / "serial_scanner.yaml").read_text("utf-8"))["devices"]
    module = importlib.import_module(DRIVERS["serial_scanner"])
    written = {key: value for key, value in devices["hand-2"].items() if key not in ("driver", "feedback")}
    plain = module.Options(port=written["port"])
    assert module.Options.model_validate(written) == plain


def test_both_languages_of_every_sentence_have_the_same_places():
    import re

    from edge.wording import Words, devices

    def texts(value: object) -> list[Words]:
        if isinstance(value, Words):
            return [value]
        if isinstance(value, dict):
            return [text for each in value.values() for text in texts(each)]
        if isinstance(value, Struct):
            return [text for name in value.__struct_fields__ for text in texts(getattr(value, name))]
        return []

    sentences = texts(dict(vars(devices)))
    assert len(sentences) > 40
    for words in sentences:
        assert set(re.findall(r"\{\w+\}", words.en)) == set(re.findall(r"\{\w+\}", words.zh)), words


def test_every_notice_has_words():
    from edge.model import NoticeCode
    from edge.wording.devices import NOTICES

    assert set(NOTICES) == set(NoticeCode)
