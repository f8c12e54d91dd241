"""What a model expects at a place of the file, read from its annotations.

Used for three things that pydantic's errors do not tell: which keys exist where an unknown one stands, that
``17`` is a text where a
text is expected, and that ``true`` is no number and a number no date (pydantic would quietly convert both).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, PlainValidator, WrapValidator
from pydantic_core import PydanticUndefined

from edge.config.nodes import Map, Node, Seq, Text

_OWN: Final = (BeforeValidator, PlainValidator, WrapValidator)  # such a field reads the value its own way
_LEAVES: Final = (bool, int, float, str, date, time)

Path = tuple[str | int, ...]


def keys_at(model: type[BaseModel], path: Path, node: Node | None) -> list[str]:
    """The keys that may stand in the mapping at ``path``; of several models the one that fits ``node`` best."""
    found = list(_models(model, path))
    best = max(found, key=lambda one: _fit(one, node), default=None)
    return list(_names(best)) if best is not None else []


def leaves(model: type[BaseModel], node: Node) -> Iterator[tuple[Path, Text, type]]:
    """Every scalar of ``node`` for which exactly one plain type is expected."""
    yield from _leaves(model, node, (), ())


def _names(model: type[BaseModel]) -> Mapping[str, Any]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _fit(model: type[BaseModel], node: Node | None) -> int:
    return len(_names(model).keys() & node.pairs.keys()) if isinstance(node, Map) else 0


def _models(annotation: Any, path: Path) -> Iterator[type[BaseModel]]:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _models(args[0], path)
    elif origin in (Union, UnionType):
        for one in args:
            yield from _models(one, path)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not path:
            yield annotation
        elif (field := _names(annotation).get(str(path[0]))) is not None:
            yield from _models(field.annotation, path[1:])
    elif path and isinstance(origin, type) and issubclass(origin, Mapping):
        yield from _models(args[1], path[1:])
    elif path and isinstance(origin, type) and issubclass(origin, Sequence):
        yield from _models(args[0], path[1:])


def _leaves(annotation: Any, node: Node, path: Path, about: Sequence[Any]) -> Iterator[tuple[Path, Text, type]]:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _leaves(args[0], node, path, (*about, *args[1:]))
    elif (own := next((one for one in about if isinstance(one, _OWN)), None)) is not None:
        asked = own.json_schema_input_type
        if asked is not PydanticUndefined:  # it says what may be written, which is what matters here
            yield from _leaves(asked, node, path, ())
    elif origin in (Union, UnionType):
        arms = [one for one in args if one is not NoneType and _shape(one) is type(node)]
        if isinstance(node, Map) and len(arms) > 1:
            arms = [max(arms, key=lambda one: max((_fit(model, node) for model in _models(one, ())), default=0))]
        if len(arms) == 1:
            yield from _leaves(arms[0], node, path, ())
    elif isinstance(node, Text):
        if annotation in _LEAVES and not (node.value is None or node.tag):
            yield path, node, annotation
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _below(annotation, node, path)
    elif isinstance(node, Map) and isinstance(origin, type) and issubclass(origin, Mapping):
        for key, (_, value) in node.pairs.items():
            yield from _leaves(args[1], value, (*path, key), ())
    elif isinstance(node, Seq) and isinstance(origin, type) and issubclass(origin, Sequence):
        for index, item in enumerate(node.items):
            yield from _leaves(args[0], item, (*path, index), ())


def _below(model: type[BaseModel], node: Node, path: Path) -> Iterator[tuple[Path, Text, type]]:
    if isinstance(node, Map):
        for name, field in _names(model).items():
            if name in node.pairs:
                yield from _leaves(field.annotation, node.pairs[name][1], (*path, name), field.metadata)


def _shape(annotation: Any) -> type[Text | Map | Seq] | None:
    """The kind of node that ``annotation`` wants; None for what wants anything."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return None if any(isinstance(one, _OWN) for one in args[1:]) else _shape(args[0])
    if origin is Literal:
        return Text
    kind = origin or annotation
    if not isinstance(kind, type):
        return None
    if issubclass(kind, str):
        return Text
    if issubclass(kind, BaseModel | Mapping):
        return Map
    return Seq if issubclass(kind, Sequence) else Text
