"""The file, read and understood, or refused with every mistake in it.

Nothing is repaired and nothing is half accepted. What comes back is complete: site, the options of every
device and destination, the
effective configuration as plain data, and its fingerprint, which stands in every record.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import orjson
from msgspec import Struct
from pydantic import BaseModel

from edge.config import widechars
from edge.config.assemble import Assembled, assemble
from edge.config.crosscheck import crosscheck
from edge.config.explain import check, got, locate
from edge.config.near import near, near_or_known, nearest
from edge.config.nodes import MAX_VALUES, Map, Node, Text, data
from edge.config.parts import Part, Parts
from edge.config.problem import Mistakes, Problem, problem
from edge.config.secrets import SecretName
from edge.config.site import Site
from edge.errors import ConfigError
from edge.wording import Words
from edge.wording.config import say

Section = Literal["devices", "destinations"]
_WORD: Final[Mapping[Section, str]] = {"devices": "driver", "destinations": "sink"}


class FileRead(NamedTuple):
    """One file, as it was read."""

    path: Path
    text: str


class Loaded(Struct, frozen=True, kw_only=True):
    """A file without a mistake."""

    site: Site
    devices: Mapping[str, tuple[str, BaseModel]]  #: id -> (driver, its Options)
    destinations: Mapping[str, tuple[str, BaseModel]]  #: name -> (sink, its Options)
    files: tuple[FileRead, ...]  #: every file read, the line's own first
    folders: tuple[Path, ...]  #: where a ``secrets.yaml`` may stand: the folders of those files
    effective: Mapping[str, Any]  #: everything merged, as plain data; a secret is a SecretName
    fingerprint: str  #: SHA-256, hex, of the effective configuration


def load(path: Path, *, drivers: Mapping[str, str], sinks: Mapping[str, str], label: str = "") -> Loaded:
    """Read ``path``. ``drivers`` and ``sinks`` are the tables name -> module; a module is imported where the
    file names it.

    ``label`` is how the file is called in messages, the path as given otherwise. Raises ConfigError
    (``Mistakes``): its message is the
    printed list of everything that is wrong. No device and no destination is contacted.
    """
    assembled = assemble(path, label or str(path))
    root = assembled.root
    if root is None or not assembled.readable:
        raise _mistakes(assembled.problems, assembled, complete=False)
    if root.size > MAX_VALUES:
        words = say("many", limit=MAX_VALUES)
        raise _mistakes([*assembled.problems, problem("many", root.place, "", words)], assembled, complete=False)
    _name_procedures(root)
    site = check(Site, root)
    problems = list(assembled.problems)
    if not isinstance(site, Site):
        problems += site
    devices = _parts(root, "devices", drivers, problems)
    destinations = _parts(root, "destinations", sinks, problems)
    problems += crosscheck(Parts(root, devices, destinations))
    if problems or not isinstance(site, Site):
        raise _mistakes(problems, assembled, complete=True)
    effective = data(root, SecretName)
    return Loaded(
        site=site,
        devices=_options(devices),
        destinations=_options(destinations),
        files=tuple(FileRead(source.path, source.text) for source in assembled.sources),
        folders=tuple(dict.fromkeys(source.path.resolve().parent for source in assembled.sources)),
        effective=effective,
        fingerprint=fingerprint(effective),
    )


def fingerprint(effective: Mapping[str, Any]) -> str:
    """SHA-256 of the effective configuration. Sections in any order are the same; steps in another order are not."""
    ordered = {name: effective[name] for name in sorted(effective)}
    return hashlib.sha256(_bytes(ordered)).hexdigest()


def as_json(effective: Mapping[str, Any]) -> dict[str, Any]:
    """The effective configuration as JSON values; a secret is ``{"!secret": name}``."""
    plain: dict[str, Any] = orjson.loads(_bytes(effective))
    return plain


def _bytes(effective: Mapping[str, Any]) -> bytes:
    return orjson.dumps(effective, default=_secret, option=orjson.OPT_PASSTHROUGH_SUBCLASS)


def _secret(value: object) -> dict[str, str]:
    if isinstance(value, SecretName):
        return {"!secret": str(value)}
    raise TypeError(value)


def _mistakes(problems: list[Problem], assembled: Assembled, *, complete: bool) -> ConfigError:
    order = {id(source): index for index, source in enumerate(assembled.sources)}
    unique = {(one.rule, one.place.line, one.place.column, one.file, one.say.en): one for one in problems}
    ordered = sorted(unique.values(), key=lambda one: (order[id(one.place.source)], one.place.line, one.place.column))
    return Mistakes(ordered, complete=complete)


def _name_procedures(root: Map) -> None:
    """A procedure under ``procedures:`` is called by its key; one in a file of its own says its name itself."""
    spot = locate(root, ("procedures",))
    if spot.path and isinstance(spot.node, Map):
        for key, value in spot.node.pairs.values():
            if isinstance(value, Map) and "procedure" not in value.pairs:
                name = Text(place=key.place, text=key.text, bare=False)
                value.pairs = {"procedure": (name, name), **value.pairs}


def _parts(root: Map, section: Section, table: Mapping[str, str], problems: list[Problem]) -> dict[str, Part]:
    spot = locate(root, (section,))
    if not spot.path or not isinstance(spot.node, Map):
        return {}
    found = {}
    for name, (key, node) in spot.node.pairs.items():
        part = _part(section, name, key, node, table, problems)
        if part is not None:
            found[name] = part
    return found


def _part(
    section: Section, name: str, key: Text, node: Node, table: Mapping[str, str], problems: list[Problem]
) -> Part | None:
    word = _WORD[section]
    path = f"{section}.{name}"
    if not isinstance(node, Map):
        words = say("expected", expected=say("is_map"), got=got(node))
        place = node.place if isinstance(node, Text) and node.text else key.place
        problems.append(problem("expected", place, path, words))
        return None
    _, kind = node.pairs.get(word, (None, None))
    if kind is None:
        typo = next((one for one in node.pairs if nearest(one, [word]) or one.startswith(word)), "")
        at = node.pairs[typo][0].place if typo else key.place
        if code := widechars.of(typo):
            problems.append(problem(code, at, path, say(code)))
            return None
        if typo:
            problems.append(
                problem("unknown_key", at, f"{path}.{typo}", say("unknown_key", key=typo, near=near(typo, [word])))
            )
            return None
        words = say(f"no_{word}", choices=", ".join(table))
        problems.append(problem(f"no_{word}", key.place, path, words))
        return None
    chosen = kind.value if isinstance(kind, Text) and not kind.tag else None
    if not isinstance(chosen, str) or chosen not in table:
        hint = near_or_known(chosen if isinstance(chosen, str) else "", table)
        words = say(f"unknown_{word}", got=got(kind), near=hint)
        place = kind.place if not isinstance(kind, Text) or kind.text else key.place
        problems.append(problem(f"unknown_{word}", place, f"{path}.{word}", words))
        return None
    return _made(section, name, chosen, key, node, table, problems)


def _made(
    section: Section, name: str, chosen: str, key: Text, node: Map, table: Mapping[str, str], problems: list[Problem]
) -> Part | None:
    word = _WORD[section]
    try:
        module = importlib.import_module(table[chosen])
    except ModuleNotFoundError as exc:
        package = exc.name or ""
        words = say("not_installed", name=chosen, package=Words(package, package))
        problems.append(problem("not_installed", node.pairs[word][1].place, f"{section}.{name}.{word}", words))
        return None
    rest = Map(place=node.place, pairs={one: pair for one, pair in node.pairs.items() if one != word}, size=node.size)
    options = check(module.Options, rest, (section, name), key=key)
    if isinstance(options, list):
        problems += options
        return Part(chosen, module, None)
    return Part(chosen, module, options)


def _options(found: Mapping[str, Part]) -> dict[str, tuple[str, BaseModel]]:
    return {name: (part.name, part.options) for name, part in found.items() if part.options is not None}
