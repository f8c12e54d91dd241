"""A real Tryton with what the demo line works with: its materials under the same GTINs, a purchase to receive, orders to make."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from edge.simulate.line import BEARING, PUMP, SHAFT, UNITS_PER_ORDER
from edge.simulate.tryton import Plan, SeedMaterial, SeedOrder, SeedPurchase, SeedStock, TrytonSite

ORDERS: Final = 5
SHAFTS: Final = ORDERS * UNITS_PER_ORDER


def demo_site(folder: Path, say: Callable[[str], None]) -> TrytonSite:
    """The site, not yet started; its database is new each time, its programs are installed under ``folder`` once."""
    database = folder / "database"
    if database.exists():
        shutil.rmtree(database)
    plan = Plan(
        materials={
            "BRG-6204": SeedMaterial(name="Bearing 6204", tracking="lot", gtin=BEARING),
            "SHAFT-9": SeedMaterial(name="Shaft 9", tracking="serial", gtin=SHAFT),
            "PUMP-100": SeedMaterial(name="Pump 100", tracking="serial", gtin=PUMP, made=True),
        },
        bills={"PUMP-100": {"BRG-6204": "2", "SHAFT-9": "1"}},
        stock=tuple(SeedStock(material="SHAFT-9", quantity="1", lot=f"S{number}") for number in range(1, SHAFTS + 1)),
        purchases=(SeedPurchase(supplier="SUP-1", lines={"BRG-6204": "1000"}),),
        orders=tuple(SeedOrder(material="PUMP-100", quantity=str(UNITS_PER_ORDER)) for _ in range(ORDERS)),
    )
    return TrytonSite(database, cache=folder / "programs", plan=plan, say=say)
