"""YAML as nodes that know where they stand.

PyYAML's C parser gives the events; they are put together here, without recursion, so that no nesting can
exhaust the stack.
Duplicate keys, unknown tags, anchors that contain themselves and files that unfold without end are mistakes, each with
its place. ``<<`` merges mappings (YAML 1.1 type ``merge``), the own keys win.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import yaml
from msgspec import Struct

from edge.config.near import near
from edge.config.problem import Place, Problem, problem
from edge.config.scalars import Plain, plain
from edge.config.source import Source
from edge.config.widechars import Mended, of
from edge.wording import Words
from edge.wording.config import say

MAX_DEPTH: Final = 40
MAX_VALUES: Final = 400_000  # 30,000 lots with a dozen values each
SECRET: Final = "!secret"


class Text(Struct, kw_only=True, eq=False):
    """A scalar. ``bare`` = unquoted, so that ``17`` may be a number; ``tag`` is "" or ``!secret``."""

    place: Place
    text: str
    bare: bool
    tag: str = ""
    size: int = 1
    depth: int = 1
    last_line: int = 0  #: where it ends, so that a secret can be hidden
    last_column: int = 0

    @property
    def value(self) -> Plain:
        """What YAML 1.2 makes of it."""
        return plain(self.text) if self.bare else self.text


class Map(Struct, kw_only=True, eq=False):
    """A mapping: key -> (the key as it stands, its value)."""

    place: Place
    pairs: dict[str, tuple[Text, Node]]
    size: int = 1
    depth: int = 1


class Seq(Struct, kw_only=True, eq=False):
    """A list."""

    place: Place
    items: list[Node]
    size: int = 1
    depth: int = 1


Node = Text | Map | Seq


class Composed(Struct, kw_only=True):
    """What stands in one file. ``whole`` is False when reading had to stop early."""

    root: Node | None
    problems: list[Problem]
    whole: bool
    wide_keys: bool  #: some key has a full-width sign in it


def data(node: Node, secret: Callable[[str], Any]) -> Any:
    """``node`` as plain data; a ``!secret name`` becomes ``secret(name)``."""
    match node:
        case Text():
            return secret(node.text) if node.tag else node.value
        case Map():
            return {key: data(value, secret) for key, (_, value) in node.pairs.items()}
        case Seq():
            return [data(item, secret) for item in node.items]


def walk(node: Node, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Node]]:
    """Every node below and including ``node``, with its path."""
    yield path, node
    if isinstance(node, Map):
        for key, (_, value) in node.pairs.items():
            yield from walk(value, (*path, key))
    elif isinstance(node, Seq):
        for index, item in enumerate(node.items):
            yield from walk(item, (*path, index))


def hide(text: Text) -> None:
    """Never show the line's part from where ``text`` begins; a text of several lines hides them all."""
    source, first, column = text.place.source, text.place.line, text.place.column
    for line in range(first, text.last_line + 1):
        start = column - 1 if line == first else 0
        end = text.last_column - 1 if line == text.last_line else len(source.lines[line - 1])
        if (start, end) not in source.hidden.setdefault(line, []):
            source.hidden[line].append((start, end))


def compose(source: Source, mended: Mended) -> Composed:
    """The nodes of ``mended`` text, with places in ``source``. Raises yaml.MarkedYAMLError where YAML itself
    is broken."""
    return _Composer(source, mended).run()


class _Stop(Exception):
    """Reading on would make no sense."""


class _Composer:
    def __init__(self, source: Source, mended: Mended) -> None:
        self._source = source
        self._mended = mended
        self._problems: list[Problem] = []
        self._open: list[Map | Seq] = []
        self._keys: list[Text | None] = []  # beside _open: the key that waits for its value
        self._merges: list[list[Node]] = []  # beside _open: what << names
        self._anchors: dict[str, Node] = {}
        self._root: Node | None = None
        self._wide_keys = False

    def run(self) -> Composed:
        whole = True
        try:
            for event in yaml.parse(self._mended.text, Loader=yaml.CSafeLoader):
                self._take(event)
        except _Stop:
            whole = False
        return Composed(root=self._root, problems=self._problems, whole=whole, wide_keys=self._wide_keys)

    def _take(self, event: yaml.Event) -> None:
        place = self._place(event)
        match event:
            case yaml.ScalarEvent():
                self._put(event, self._scalar(event, place))
            case yaml.AliasEvent():
                self._alias(str(event.anchor), place)
            case yaml.MappingStartEvent():
                self._begin(event, Map(place=place, pairs={}))
            case yaml.SequenceStartEvent():
                self._begin(event, Seq(place=place, items=[]))
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._end()
            case yaml.DocumentStartEvent() if self._root is not None:
                self._stop("documents", place)
            case _:
                pass

    def _place(self, event: yaml.Event) -> Place:
        return Place(self._source, *self._position(event.start_mark))

    def _position(self, mark: Any) -> tuple[int, int]:
        """Line and column from 1, in the source. The C parser always gives marks; its types say it may not."""
        return mark.line + 1, self._mended.column(mark.line + 1, mark.column) + 1

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> Text:
        tag = event.tag or ""
        last_line, last_column = self._position(event.end_mark)
        if tag not in ("", "!", "tag:yaml.org,2002:str", SECRET):
            self._say("tag", place, tag=tag.replace("tag:yaml.org,2002:", "!!"))
            tag = ""
        return Text(
            place=place,
            text=event.value,
            bare=not event.style and tag == "",
            tag=SECRET if tag == SECRET else "",
            last_line=last_line,
            last_column=last_column,
        )

    def _begin(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, node: Map | Seq) -> None:
        if event.tag not in (None, "!"):
            self._say("tag", node.place, tag=event.tag.replace("tag:yaml.org,2002:", "!!"))
        if len(self._open) >= MAX_DEPTH:
            self._stop("deep", node.place, limit=MAX_DEPTH)
        if event.anchor:
            self._anchors[event.anchor] = node
        self._open.append(node)
        self._keys.append(None)
        self._merges.append([])

    def _end(self) -> None:
        node = self._open.pop()
        self._keys.pop()
        merges = self._merges.pop()
        if isinstance(node, Map):
            for other in merges:
                self._merge(node, other)
            node.size = 1 + sum(1 + value.size for _, value in node.pairs.values())
        else:
            node.size = 1 + sum(item.size for item in node.items)
        below = [value for _, value in node.pairs.values()] if isinstance(node, Map) else node.items
        node.depth = 1 + max((one.depth for one in below), default=0)
        if node.depth > MAX_DEPTH:  # what an alias stands for is nested as deep as if it were written there
            self._stop("deep", node.place, limit=MAX_DEPTH)
        if node.size > MAX_VALUES:
            self._stop("many", node.place, limit=MAX_VALUES)
        self._attach(node)

    def _put(self, event: yaml.ScalarEvent, node: Text) -> None:
        if event.anchor:
            self._anchors[event.anchor] = node
        self._attach(node)

    def _alias(self, name: str, place: Place) -> None:
        node = self._anchors.get(name)
        if node is None:
            self._say("alias_unknown", place, name=name, near=near(name, self._anchors))
            node = Text(place=place, text="", bare=True)
        elif any(node is one for one in self._open):
            self._stop("alias_self", place, name=name)
        self._attach(node)

    def _attach(self, node: Node) -> None:
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if isinstance(parent, Seq):
            parent.items.append(node)
        elif (key := self._keys[-1]) is None:
            if not isinstance(node, Text):
                self._say("complex_key", node.place)
                node = Text(place=node.place, text="", bare=True)
            self._keys[-1] = node
        else:
            self._keys[-1] = None
            self._pair(parent, key, node)

    def _pair(self, parent: Map, key: Text, node: Node) -> None:
        self._wide_keys |= key.bare and bool(of(key.text))
        if key.text == "<<" and key.bare:
            self._merges[-1].append(node)
        elif (first := parent.pairs.get(key.text)) is not None:
            self._problems.append(
                problem(
                    "duplicate_key",
                    first[0].place,
                    "",
                    say("duplicate_key", key=key.text, place=key.place),
                    key.place,
                )
            )
        else:
            parent.pairs[key.text] = (key, node)

    def _merge(self, node: Map, other: Node) -> None:
        match other:
            case Map():
                for key, pair in other.pairs.items():
                    node.pairs.setdefault(key, pair)
            case Seq() if all(isinstance(item, Map) for item in other.items):
                for item in other.items:
                    self._merge(node, item)
            case _:
                self._say("merge", other.place)

    def _say(self, code: str, place: Place, **fields: object) -> None:
        words: Words = say(code, **fields)
        self._problems.append(problem(code, place, "", words))

    def _stop(self, code: str, place: Place, **fields: object) -> None:
        self._say(code, place, **fields)
        raise _Stop
