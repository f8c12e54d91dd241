"""One file and everything it includes, as one tree of nodes.

Mappings that list things (devices, procedures, materials, …) are put together from all files; a thing defined
twice is a
mistake with both places, never an override. A file that is one procedure (it begins with ``procedure:``) goes
under ``procedures``.
"""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import Final

import yaml
from msgspec import Struct

from edge.config import widechars, yamlwords
from edge.config.near import near
from edge.config.nodes import Composed, Map, Node, Seq, Text, compose
from edge.config.problem import Place, Problem, problem
from edge.config.source import MAX_BYTES, Source, read
from edge.wording.config import say

INCLUDE: Final = "include"
MAX_INCLUDES: Final = 20  # files that include one another in a row
#: mappings whose entries may come from several files, and the one list that may
_JOINED: Final = frozenset(
    {(), ("masters",)}
    | {(name,) for name in ("devices", "formats", "stations", "procedures", "destinations", "shifts")}
    | {("masters", name) for name in ("materials", "bills", "work_orders", "lots", "suppliers", "people")}
)
_SECTIONS: Final = frozenset(path[0] for path in _JOINED if path)


class Assembled(Struct, kw_only=True):
    """``root`` is None where there is nothing to go on with; ``readable`` is False when some file could not be
    read whole."""

    root: Map | None
    sources: list[Source]
    problems: list[Problem]
    readable: bool


def assemble(path: Path, label: str) -> Assembled:
    """The tree of ``path``. Raises nothing: what is wrong stands in ``problems``."""
    result = Assembled(root=None, sources=[], problems=[], readable=True)
    result.root = _file(path, label, None, (), {}, result)
    return result


def _file(
    path: Path,
    label: str,
    asked: Place | None,
    chain: tuple[Path, ...],
    seen: dict[Path, Place],
    result: Assembled,
) -> Map | None:
    source, flaw = read(path, label)
    result.sources.append(source)
    whole_file = Place(source, 0, 0)
    if flaw is not None:
        place = Place(source, flaw.line, flaw.column)
        if flaw.code == "missing_file":
            code, where = ("include_missing", asked) if asked else ("missing_file", whole_file)
            words = say(code, file=path.name, near=near(path.name, _neighbours(path)))
            result.problems.append(problem(code, where, INCLUDE if asked else "", words))
        else:
            result.problems.append(problem(flaw.code, place, "", say(flaw.code, **flaw.fields)))
        if flaw.code != "gbk":  # that one could be decoded all the same: its other mistakes can be told too
            result.readable = False
            return None
    composed = _compose(source, result)
    if composed is None:
        return None
    result.problems += composed.problems
    result.readable &= composed.whole
    if not composed.whole:
        return None
    if composed.root is None or (isinstance(composed.root, Text) and composed.root.value is None):
        _unfit("empty", whole_file, result)
        return None
    if not isinstance(composed.root, Map):
        _unfit(widechars.of(composed.root.text) if isinstance(composed.root, Text) else "", composed.root.place, result)
        return None
    root = _procedure(composed.root) if asked else composed.root
    if asked is None and "procedure" in root.pairs and "lotline" not in root.pairs:
        _unfit("procedure_alone", root.place, result)
        return None
    if asked is None and root.pairs.keys() & _SECTIONS and not root.pairs.keys() & {"lotline", "site", "stations"}:
        _unfit("part_alone", root.place, result)
        return None
    return _includes(root, path, label, (*chain, path.resolve()), seen, result)


def _unfit(code: str, place: Place, result: Assembled) -> None:
    code = code or "root"
    result.problems.append(problem(code, place, "", say(code)))
    result.readable = False


def _neighbours(path: Path) -> list[str]:
    """Names of the YAML files beside a file that is not there."""
    try:
        return [entry.name for entry in islice(path.parent.iterdir(), 1000) if entry.suffix in (".yaml", ".yml")]
    except (OSError, ValueError):
        return []


def _compose(source: Source, result: Assembled) -> Composed | None:
    try:
        composed = compose(source, widechars.Mended(text=source.text))
    except yaml.YAMLError as first:
        tabs = widechars.tabs(source)
        wide, mended = widechars.look(source)
        result.problems += tabs + wide
        if wide and not tabs:
            try:
                return compose(source, mended)
            except yaml.YAMLError as second:
                result.problems.append(yamlwords.explain(second, source, mended))
        elif not tabs:
            result.problems.append(yamlwords.explain(first, source))
        result.readable = False
        return None
    if composed.wide_keys:  # YAML takes "web：{port" for a key; read on as it was meant
        wide, mended = widechars.look(source)
        try:
            meant = compose(source, mended) if wide else composed
        except yaml.YAMLError:
            return composed
        result.problems += wide
        return meant
    return composed


def _procedure(root: Map) -> Map:
    """A file that is one procedure, as ``procedures: {its name: …}``."""
    key, name = root.pairs.get("procedure", (None, None))
    if key is None or not isinstance(name, Text) or "steps" not in root.pairs:
        return root
    nest = Map(place=root.place, pairs={name.text: (name, root)}, size=root.size + 1)
    pairs: dict[str, tuple[Text, Node]] = {"procedures": (key, nest)}
    if (include := root.pairs.pop(INCLUDE, None)) is not None:
        pairs[INCLUDE] = include
    return Map(place=root.place, pairs=pairs, size=root.size + 2)


def _includes(
    root: Map, path: Path, label: str, chain: tuple[Path, ...], seen: dict[Path, Place], result: Assembled
) -> Map:
    _, wanted = root.pairs.pop(INCLUDE, (None, None))
    names = wanted.items if isinstance(wanted, Seq) else [wanted] if wanted is not None else []
    for name in names:
        if not isinstance(name, Text) or not isinstance(name.value, str) or not name.text or name.tag:
            result.problems.append(problem("include_shape", name.place, INCLUDE, say("include_shape")))
            result.readable = False
            continue
        target = path.parent / name.text
        target_label = os.path.normpath(os.path.join(os.path.dirname(label), name.text))
        real = _real(target)
        if real in chain:
            trail = " → ".join(one.name for one in (*chain[chain.index(real) :], real))
            words = say("include_loop", file=name.text, chain=trail)
            result.problems.append(problem("include_loop", name.place, INCLUDE, words))
        elif len(chain) >= MAX_INCLUDES:
            words = say("include_deep", limit=MAX_INCLUDES)
            result.problems.append(problem("include_deep", name.place, INCLUDE, words))
            result.readable = False
        elif (first := seen.get(real)) is not None:
            words = say("include_twice", file=name.text, place=first)
            result.problems.append(problem("include_twice", name.place, INCLUDE, words, first))
        elif sum(len(source.text) for source in result.sources) > MAX_BYTES:
            words = say("too_large", size=f"{MAX_BYTES / 1e6:.1f}+", limit=MAX_BYTES // 1_000_000)
            result.problems.append(problem("too_large", name.place, INCLUDE, words))
            result.readable = False
        else:
            seen[real] = name.place
            part = _file(target, target_label, name.place, chain, seen, result)
            if part is not None:
                _join(root, part, (), result)
    return root


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):  # a NUL in the name, or links that lead in a circle
        return path


def _join(into: Map, part: Map, path: tuple[str, ...], result: Assembled) -> None:
    """``part`` into ``into``; what both define is a mistake unless it may come from several files."""
    for name, (key, value) in part.pairs.items():
        here = (*path, name)
        first_key, first = into.pairs.setdefault(name, (key, value))
        if first is value:
            continue
        if here in _JOINED and isinstance(first, Map) and isinstance(value, Map):
            _join(first, value, here, result)
        elif here in _JOINED and isinstance(first, Seq) and isinstance(value, Seq):
            first.items.extend(value.items)
        elif here in _JOINED and isinstance(value, Text) and value.value is None:
            continue  # a section that one of the files leaves empty
        else:
            words = say("twice", key=name, place=key.place)
            result.problems.append(problem("twice", first_key.place, ".".join(here), words, key.place))
