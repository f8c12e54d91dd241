"""The file as a whole, asked by name: what stands where, whether or not all of it is right.

A check between two pieces reads the nodes, so that one mistake does not hide what is wrong elsewhere: a device with a
mistake in it is still a device.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from msgspec import Struct
from pydantic import BaseModel

from edge.config.explain import Path, Spot, locate, path_text
from edge.config.nodes import Map, Seq, Text
from edge.config.problem import Place, Problem, problem
from edge.wording import Words
from edge.wording.config import say


class Part(Struct, frozen=True):
    """One device or destination: what drives it, its module, and its options (None where they are wrong)."""

    name: str
    module: ModuleType
    options: BaseModel | None


class Parts(Struct, frozen=True):
    """The nodes, and the options of what is driven."""

    root: Map
    devices: Mapping[str, Part]
    destinations: Mapping[str, Part]

    @property
    def pulled(self) -> bool:
        """Does a destination bring masters of its own? Then the file alone cannot say what is missing."""
        return any(hasattr(part.module, "pull") for part in self.destinations.values())

    def names(self, *path: str | int) -> list[str]:
        """The keys of the mapping at ``path``."""
        spot = locate(self.root, path)
        return list(spot.node.pairs) if spot.path == path and isinstance(spot.node, Map) else []

    def indexes(self, *path: str | int) -> range:
        """The indexes of the list at ``path``."""
        spot = locate(self.root, path)
        return range(len(spot.node.items)) if spot.path == path and isinstance(spot.node, Seq) else range(0)

    def text(self, *path: str | int) -> str | None:
        """The text at ``path``; None where there is none, or something else."""
        spot = locate(self.root, path)
        if spot.path != path or not isinstance(spot.node, Text) or spot.node.tag:
            return None
        return spot.node.text or None

    def texts(self, *path: str | int) -> list[tuple[Path, str]]:
        """The texts of the list at ``path``, each with its own path."""
        found = [((*path, index), self.text(*path, index)) for index in self.indexes(*path)]
        return [(where, text) for where, text in found if text is not None]

    def has(self, *path: str | int) -> bool:
        """Is ``path`` written?"""
        return locate(self.root, path).path == path

    def spot(self, *path: str | int) -> Spot:
        """Where ``path`` stands, or the nearest thing above it that is written."""
        return locate(self.root, path)

    def place(self, *path: str | int) -> Place:
        """Where the value at ``path`` begins."""
        return self.spot(*path).place

    def key_place(self, *path: str | int) -> Place:
        """Where the key at the end of ``path`` stands."""
        spot = self.spot(*path)
        return spot.key.place if spot.key is not None else spot.place

    def wrong(
        self, rule: str, path: Path, at: Place | None = None, second: Place | None = None, **fields: Any
    ) -> Problem:
        """The problem ``rule`` at ``path``; where there is a second place the sentence names it as {place}."""
        if second is not None:
            fields["place"] = second
        return problem(rule, at or self.place(*path), path_text(path), say(rule, **fields), second)


def quoted(text: object) -> Words:
    """A value as it is shown in a sentence."""
    return Words(f"'{text}'", f"'{text}'")
