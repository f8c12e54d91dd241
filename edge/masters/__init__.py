"""What should be here: materials, bills, orders, lots, suppliers, people. Cached, versioned, usable without network."""

from edge.config.masters import LotStatus, OrderState, Tracking
from edge.masters.cache import MastersCache
from edge.masters.snapshot import Bill, LotMaster, Masters, Material, Person, WorkOrder, compile_masters, gtin14

__all__ = [
    "Bill",
    "LotMaster",
    "LotStatus",
    "Masters",
    "MastersCache",
    "Material",
    "OrderState",
    "Person",
    "Tracking",
    "WorkOrder",
    "compile_masters",
    "gtin14",
]
