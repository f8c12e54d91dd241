"""Profiles: what is known of a device, as data. A file of ``config/profiles`` named like the profile.

Its tags and settings stand under what the technician writes: a setting of the file wins, a tag of the file with the
name of a profile's tag changes only what it mentions (limits, say).
"""

from __future__ import annotations

import difflib
from functools import cache
from typing import Any

import yaml
from pydantic import Field

from edge.config.base import Id, Model, Text, refuse
from edge.files import shipped

_SERIAL_SETTINGS = ("baudrate", "parity", "stopbits")


class Profile(Model):
    """One file of ``config/profiles``."""

    about: Text
    source: str = Field(min_length=1, description="where the register map was read: document, version")
    verified: bool = Field(description="whether the map was read there; false = from memory, check it at the device")
    defaults: dict[str, Any] = Field({}, description="settings of the device as it leaves the factory")
    tags: dict[Id, dict[str, Any]] = Field(min_length=1)


def merged(given: dict[str, Any]) -> dict[str, Any]:
    """``given`` with what its profile adds. Raises when there is no such profile."""
    profile = _profile(given["profile"])
    defaults = {
        name: value
        for name, value in profile.defaults.items()
        if "host" not in given or name not in _SERIAL_SETTINGS  # a gateway has the line settings
    }
    tags: dict[str, Any] = {name: dict(tag) for name, tag in profile.tags.items()}
    written = given.get("tags", {})
    if not isinstance(written, dict):
        return {**defaults, **given}  # refused by the model, which says why
    for name, tag in written.items():
        tags[name] = {**tags[name], **tag} if name in tags and isinstance(tag, dict) else tag
    return {**defaults, **given, "tags": tags}


def names() -> list[str]:
    """Every profile there is."""
    return sorted(file.stem for file in (shipped("config") / "profiles").glob("*.yaml"))


@cache
def _profile(name: str) -> Profile:
    known = names()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise refuse(
            f"there is no profile '{name}'; "
            + (f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}"),
            f"没有名为“{name}”的 profile；" + (f"是否想写“{near[0]}”？" if near else f"已有：{', '.join(known)}"),
        )
    return Profile.model_validate(yaml.safe_load((shipped("config") / "profiles" / f"{name}.yaml").read_text("utf-8")))
