"""The options of a driver or destination as its page must list them: from the models that check the file."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from edge.config.secrets import SecretName


class Option(NamedTuple):
    """One row: ``tags.*.unit`` stands for the ``unit`` of every tag."""

    path: str
    default: str
    meaning: str  #: as the model says it; "" where it says nothing


def options_of(module: str) -> list[Option]:
    """All of them, nested ones behind the one that holds them."""
    return list(_rows(importlib.import_module(module).Options, ""))


def _rows(model: type[BaseModel], prefix: str) -> Iterator[Option]:
    for name, field in model.model_fields.items():
        yield Option(prefix + name, _default(field), field.description or "")
        inner, many = _inner(field.annotation)
        if inner is not None:
            yield from _rows(inner, f"{prefix}{name}.{'*.' if many else ''}")


def _inner(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The model inside ``Model``, ``Model | None`` or ``dict[…, Model]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    arguments = get_args(annotation)
    if get_origin(annotation) is dict:
        return _inner(arguments[1])[0], True
    if get_origin(annotation) in (Union, UnionType):
        return next(((model, many) for model, many in map(_inner, arguments) if model is not None), (None, False))
    return None, False


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    assert default is not PydanticUndefined
    match default:
        case None | "" | b"":
            return "–"
        case BaseModel():
            return "–"
        case Enum():
            return f"`{default.value}`"
        case bool():
            return f"`{str(default).lower()}`"
        case tuple() | dict() if not default:
            return "–"
        case Path() | SecretName() | str() | int() | float():
            return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"
        case _:
            raise AssertionError(f"no way to print {default!r}")


def in_page(page: str, name: str) -> dict[str, tuple[str, str]]:
    """option -> (default, meaning), from the table in the section ``## `name```."""
    section = page.split(f"\n## `{name}`\n", 1)[1].split("\n## ", 1)[0]
    table = section.split("| option | default | meaning |\n|---|---|---|\n", 1)[1].split("\n\n", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]
    return {option.strip("`"): (default, meaning.replace("\\*", "*")) for option, default, meaning in rows}
