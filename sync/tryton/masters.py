"""Products, bills, open productions, lots in stock and suppliers out of Tryton, in the shape the station checks against.

What cannot be told apart at a line is left out and counted in the log: a product, order or supplier whose code is missing or
does not fit an id (letters, digits, ``._-``), a lot number longer than the 20 characters of GS1 (10), a unit without a
UN/CEFACT code. People are never asked for.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from edge.config.base import Words
from edge.config.masters import (
    GTIN_PATTERN,
    BillFile,
    LotFile,
    MastersFile,
    MaterialFile,
    OrderState,
    SupplierFile,
    Tracking,
    WorkOrderFile,
)
from sync.tryton.catalog import Catalog
from sync.tryton.rest import Row, day, exact

log = logging.getLogger(__name__)

PAGE: Final = 500
LOT_CHARACTERS: Final = 20
DEPTH_MAX: Final = 10  # of phantom bills inside phantom bills
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_STATES: Final = {
    "draft": OrderState.PLANNED,
    "waiting": OrderState.RUNNING,
    "assigned": OrderState.RUNNING,
    "running": OrderState.RUNNING,
}


async def masters_of(catalog: Catalog, serials: Collection[str]) -> MastersFile:
    """Everything, as of now. ``serials``: materials that are told apart by serial although Tryton does not say so."""
    goods = _rows(catalog, "product.product", [["type", "=", "goods"]], _product(catalog))
    products = {row["id"]: row async for row in goods}
    bills = {row["id"]: row async for row in _rows(catalog, "production.bom", [], _BILL)}
    materials = {
        row["code"]: material
        for row in products.values()
        if _is_id(row["code"]) and (material := _material(catalog, row, serials)) is not None
    }
    log.debug("%d of %d products have a code and a unit", len(materials), len(products))
    return MastersFile(
        version="tryton",
        materials=materials,
        bills=_bills(catalog, products, bills, materials),
        work_orders=await _orders(catalog, materials),
        lots=await _lots(catalog, materials),
        suppliers=await _suppliers(catalog),
    )


# ---- materials


def _product(catalog: Catalog) -> Sequence[str]:
    fields = [
        "code",
        "name",
        "default_uom",
        "identifiers.type",
        "identifiers.code",
        "boms.bom",
        "template.lot_required",
    ]
    if "stock_lot_unit" in catalog.site.modules:
        fields.append("template.lot_uom")
    return [*fields, "product_suppliers.code"]


def _material(catalog: Catalog, row: Row, serials: Collection[str]) -> MaterialFile | None:
    unit = catalog.site.uoms[row["default_uom"]].code
    if not unit:
        return None
    gtins = [i["code"] for i in row["identifiers"] if i["type"] == "ean" and re.fullmatch(GTIN_PATTERN, i["code"])]
    other = [i["code"] for i in row["identifiers"] if i["code"] not in gtins[:1]]
    bought = [supplier["code"] for supplier in row["product_suppliers"] or () if supplier["code"]]
    return MaterialFile(
        name=Words(en=row["name"], zh=row["name"]),
        gtin=gtins[0] if gtins else None,
        codes=tuple(dict.fromkeys([*other, *bought])),
        unit=unit,
        tracking=_tracking(catalog, row, serials),
    )


def _tracking(catalog: Catalog, row: Row, serials: Collection[str]) -> Tracking:
    """Tryton asks for lots, and only module stock_lot_unit says that a lot holds one."""
    if row["code"] in serials:
        return Tracking.SERIAL
    units, most = catalog.site.uoms, row["template"].get("lot_uom")
    if most and units[most].base(units[most].rounding) == units[row["default_uom"]].factor:
        return Tracking.SERIAL
    return Tracking.LOT if row["template"]["lot_required"] else Tracking.NONE


# ---- bills

_SIDE: Final = ("product", "quantity", "unit", "phantom_bom")
_BILL: Final = (
    "write_date",
    "create_date",
    "phantom",
    "phantom_unit",
    "phantom_quantity",
    *(f"inputs.{name}" for name in _SIDE),
    *(f"outputs.{name}" for name in _SIDE),
)


def _bills(
    catalog: Catalog, products: Mapping[int, Row], bills: Mapping[int, Row], materials: Collection[str]
) -> dict[str, BillFile]:
    """Per made product its first bill, for one base unit; phantom bills are dissolved into what they stand for."""
    found: dict[str, BillFile] = {}
    units = catalog.site.uoms
    for product in products.values():
        uses = [use["bom"] for use in product["boms"] if use["bom"] in bills]
        if product["code"] not in materials or not uses:
            continue
        bill = bills[uses[0]]
        made = sum((_base(catalog, line) for line in bill["outputs"] if line["product"] == product["id"]), Decimal(0))
        if not made:
            continue
        made /= units[product["default_uom"]].factor
        needs: dict[str, Decimal] = {}
        for component, base in _dissolved(catalog, bill, bills, Decimal(1), DEPTH_MAX):
            row = products.get(component)
            if row is not None and row["code"] in materials:
                amount = base / units[row["default_uom"]].factor / made
                needs[row["code"]] = needs.get(row["code"], Decimal(0)) + amount
        revision = bill["write_date"] or bill["create_date"]
        found[product["code"]] = BillFile(
            revision=f"{bill['id']}@{revision:%Y-%m-%dT%H:%M:%SZ}",
            needs={code: round(amount, 9).normalize() + 0 for code, amount in needs.items()},
        )
    return found


def _base(catalog: Catalog, line: Row) -> Decimal:
    return catalog.site.uoms[line["unit"]].base(exact(line["quantity"]))


def _dissolved(
    catalog: Catalog, bill: Row, bills: Mapping[int, Row], share: Decimal, depth: int
) -> list[tuple[int, Decimal]]:
    lines: list[tuple[int, Decimal]] = []
    for line in bill["inputs"]:
        amount = _base(catalog, line) * share
        inner = bills.get(line["phantom_bom"])
        if inner is None:
            lines.append((line["product"], amount))
        elif depth:
            whole = catalog.site.uoms[inner["phantom_unit"]].base(exact(inner["phantom_quantity"]))
            lines += _dissolved(catalog, inner, bills, amount / whole, depth - 1)
    return lines


# ---- orders, lots, suppliers


async def _orders(catalog: Catalog, materials: Collection[str]) -> dict[str, WorkOrderFile]:
    domain = [["company", "=", catalog.site.company], ["state", "in", list(_STATES)]]
    fields = ["number", "state", "product.code", "product.default_uom", "quantity", "unit"]
    orders: dict[str, WorkOrderFile] = {}
    async for row in _rows(catalog, "production", domain, fields):
        product = row["product"]
        if product is None or product["code"] not in materials or not _is_id(row["number"]):
            continue
        units = catalog.site.uoms
        orders[row["number"]] = WorkOrderFile(
            material=product["code"],
            quantity=units[product["default_uom"]].of(exact(row["quantity"]), units[row["unit"]]),
            state=_STATES[row["state"]],
        )
    return orders


async def _lots(catalog: Catalog, materials: Mapping[str, MaterialFile]) -> tuple[LotFile, ...]:
    """Lots where components are picked from; what lies in quarantine elsewhere is not announced, so it is refused."""
    domain: list[Any] = [["quantity", ">", 0]]
    if "stock_lot_unit" in catalog.site.modules:
        domain.append(["product.template.lot_uom", "=", None])  # serials are each their own; there may be very many
    fields = ["number", "product.code", "quantity"]
    if "stock_lot_sled" in catalog.site.modules:
        fields.append("expiration_date")
    here = {"locations": [catalog.site.picking], "stock_date_end": day(await catalog.today())}
    lots: dict[tuple[str, str], LotFile] = {}
    async for row in _rows(catalog, "stock.lot", domain, fields, here):
        code, number = row["product"]["code"], row["number"]
        if code not in materials or materials[code].tracking is not Tracking.LOT or len(number) > LOT_CHARACTERS:
            continue
        lots.setdefault(
            (code, number),
            LotFile(material=code, lot=number, expiry=row.get("expiration_date"), quantity=exact(row["quantity"])),
        )
    return tuple(lots.values())


async def _suppliers(catalog: Catalog) -> dict[str, SupplierFile]:
    suppliers: dict[str, SupplierFile] = {}
    domain = [["state", "in", ["confirmed", "processing"]], ["company", "=", catalog.site.company]]
    for model, where in (("purchase.product_supplier", []), ("purchase.purchase", domain)):
        async for row in _rows(catalog, model, where, ["party.code", "party.name"]):
            if _is_id(row["party"]["code"]):
                suppliers[row["party"]["code"]] = SupplierFile(name=row["party"]["name"])
    return dict(sorted(suppliers.items()))


async def _rows(
    catalog: Catalog, model: str, domain: Sequence[Any], fields: Sequence[str], context: Mapping[str, Any] | None = None
) -> AsyncIterator[Row]:
    """Every record, page by page, oldest first."""
    offset = 0
    while True:
        page = await catalog.rest.search(model, domain, fields, limit=PAGE, offset=offset, context=context)
        for row in page:
            yield row
        if len(page) < PAGE:
            return
        offset += PAGE


def _is_id(code: str | None) -> bool:
    return code is not None and _ID.fullmatch(code) is not None
