"""Identity is a URI: GS1 Digital Link where there is a GTIN or SSCC (Digital Link URI Syntax 1.4 §4), else the site's prefix.

Every value is percent-encoded to the unreserved set of RFC 3986 §2.3, so that an id is an absolute ASCII URI whatever
was scanned.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from urllib.parse import quote

from msgspec import Struct

_GS1: Final = "https://id.gs1.org"


@lru_cache(maxsize=1024)  # stations, orders, materials and lots come with every unit
def _safe(value: str) -> str:
    return quote(value, safe="")


class Ids(Struct, frozen=True):
    """Ids under ``prefix``, e.g. https://id.example.com"""

    prefix: str

    def lot(self, material: str, gtin: str | None, lot: str) -> str:
        """One lot of a material (EPCIS class-level id)."""
        return f"{self._class(material, gtin)}/{'10' if gtin else 'lot'}/{_safe(lot)}"

    def serial(self, material: str, gtin: str | None, serial: str) -> str:
        """One unit (EPCIS instance-level id)."""
        return f"{self._class(material, gtin)}/{'21' if gtin else 'serial'}/{_safe(serial)}"

    def material(self, material: str, gtin: str | None) -> str:
        """All of a material, where nothing tells its parts apart."""
        return self._class(material, gtin)

    def station(self, *path: str) -> str:
        return self._own("station", ".".join(path))

    def work_order(self, order: str) -> str:
        return self._own("workorder", order)

    def purchase_order(self, order: str) -> str:
        return self._own("purchaseorder", order)

    def device(self, device: str) -> str:
        return self._own("device", device)

    def operator(self, operator: str) -> str:
        return self._own("operator", operator)

    def supplier(self, supplier: str) -> str:
        return self._own("supplier", supplier)

    def readings(self, tag: str, start: str, end: str) -> str:
        """The raw readings of ``tag`` from ``start`` to ``end`` (ISO 8601, UTC), as ``lotline`` keeps them."""
        return f"{self._own('readings', tag)}/{_safe(start)}/{_safe(end)}"

    def _class(self, material: str, gtin: str | None) -> str:
        return f"{_GS1}/01/{gtin}" if gtin else self._own("material", material)

    def _own(self, kind: str, value: str) -> str:
        return f"{self.prefix.rstrip('/')}/{kind}/{_safe(value)}"
