"""The file in pieces that are each valid, so that one mistake does not hide what is wrong elsewhere.

A check between two pieces is made where both are valid. Whether a name exists is asked of the nodes: a device
with a mistake in it is
still there.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import TypeVar

from msgspec import Struct
from pydantic import BaseModel, ValidationError

from edge.config.explain import Path, Spot, locate, path_text
from edge.config.masters import BillFile, LotFile, MaterialFile, PersonFile, WorkOrderFile
from edge.config.nodes import Map, Node, Seq, Text, data
from edge.config.problem import Place, Problem, problem
from edge.config.procedure import ProcedureFile
from edge.config.secrets import Mark
from edge.config.site import FormatFile, StationFile, Web
from edge.wording import Words
from edge.wording.config import say

M = TypeVar("M", bound=BaseModel)


class Part(Struct, frozen=True):
    """One device or destination: what drives it, its module, and its options (None where they are wrong)."""

    name: str
    module: ModuleType
    options: BaseModel | None


class Parts(Struct, frozen=True, kw_only=True):
    """Every valid piece, by its name in the file."""

    root: Map
    devices: Mapping[str, Part]
    destinations: Mapping[str, Part]
    stations: Mapping[str, StationFile]
    procedures: Mapping[str, ProcedureFile]
    formats: Mapping[str, FormatFile]
    materials: Mapping[str, MaterialFile]
    bills: Mapping[str, BillFile]
    orders: Mapping[str, WorkOrderFile]
    people: Mapping[str, PersonFile]
    lots: Mapping[int, LotFile]
    web: Web

    @property
    def pulled(self) -> bool:
        """Does a destination bring masters of its own? Then the file alone cannot say what is missing."""
        return any(hasattr(part.module, "pull") for part in self.destinations.values())

    def names(self, *path: str) -> list[str]:
        """What the mapping at ``path`` defines."""
        spot = locate(self.root, path)
        return list(spot.node.pairs) if spot.path == path and isinstance(spot.node, Map) else []

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
        self, rule: str, path: Path, at: Place | None = None, second: Place | None = None, **fields: object
    ) -> Problem:
        """The problem ``rule`` at ``path``; where there is a second place the sentence names it as {place}."""
        if second is not None:
            fields["place"] = second
        return problem(rule, at or self.place(*path), path_text(path), say(rule, **fields), second)


def quoted(text: object) -> Words:
    """A value as it is shown in a sentence."""
    return Words(f"'{text}'", f"'{text}'")


def parts(root: Map, devices: Mapping[str, Part], destinations: Mapping[str, Part]) -> Parts:
    """What is valid in ``root``. Raises nothing."""
    lots = locate(root, ("masters", "lots")).node
    web = locate(root, ("web",))
    made_web = _valid(web.node, Web) if web.path else None
    return Parts(
        root=root,
        devices=devices,
        destinations=destinations,
        stations=_section(root, StationFile, "stations"),
        procedures=_section(root, ProcedureFile, "procedures"),
        formats=_section(root, FormatFile, "formats"),
        materials=_section(root, MaterialFile, "masters", "materials"),
        bills=_section(root, BillFile, "masters", "bills"),
        orders=_section(root, WorkOrderFile, "masters", "work_orders"),
        people=_section(root, PersonFile, "masters", "people"),
        lots={
            index: lot
            for index, item in enumerate(lots.items if isinstance(lots, Seq) else ())
            if (lot := _valid(item, LotFile)) is not None
        },
        web=made_web or Web(),
    )


def _section(root: Map, model: type[M], *path: str) -> dict[str, M]:
    spot = locate(root, path)
    if spot.path != path or not isinstance(spot.node, Map):
        return {}
    return {name: made for name, (_, node) in spot.node.pairs.items() if (made := _valid(node, model)) is not None}


def _valid(node: Node, model: type[M]) -> M | None:
    if isinstance(node, Text):
        return None
    try:
        return model.model_validate(data(node, Mark))
    except ValidationError:
        return None
