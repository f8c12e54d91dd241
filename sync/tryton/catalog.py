"""What Tryton calls the things of the line: its warehouse, units, products and lots.

Tryton guarantees nothing about a lot's number: two lots of one product may share it. There is one writer per Tryton, and of
several lots with one number the oldest (lowest id) is meant, here and everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from edge.config.units import unit_code
from edge.contracts import Rejected
from edge.errors import SinkFault
from edge.wording import Words
from edge.wording.tryton import REFUSED, TROUBLE
from sync.tryton.rest import Rest, Row, day, exact

NEEDED: Final = ("production", "stock_lot", "purchase")
AT_ONCE: Final = 80  # numbers in one domain: it travels in the address line, and proxies stop at 8 kB
#: Tryton's own symbols that no person writes
_SYMBOLS: Final = {"u": "C62"}


class NoPlace(Exception):
    """The event has no place in Tryton; ``words`` say why. Becomes Rejected."""

    def __init__(self, words: Words) -> None:
        super().__init__(words.en)
        self.words = words

    @classmethod
    def of(cls, code: str, **fields: object) -> NoPlace:
        """By the code of a sentence in ``edge.wording.tryton.REFUSED``."""
        return cls(REFUSED[code].fill(fields))

    @property
    def verdict(self) -> Rejected:
        """As a courier parks it: in both languages, unless Tryton's words are all there is."""
        return Rejected(reason=self.words.en if self.words.en == self.words.zh else f"{self.words.en} {self.words.zh}")


class Uom(Struct, frozen=True, kw_only=True):
    """A unit of measure; one of it is ``factor`` of its category's reference."""

    id: int
    code: str  #: UN/CEFACT, "" where Tryton's symbol means none
    category: int
    factor: Decimal
    rounding: Decimal

    def base(self, quantity: Decimal) -> Decimal:
        """``quantity`` of this unit, in the category's reference; to nine places, as Tryton's factors are rounded."""
        return round(quantity * self.factor, 9).normalize() + 0

    def of(self, quantity: Decimal, unit: Uom) -> Decimal:
        """``quantity`` of ``unit``, in this unit."""
        return quantity if unit.id == self.id else round(quantity * unit.factor / self.factor, 9).normalize() + 0

    def price(self, price: Decimal, unit: Uom) -> Decimal:
        """``price`` per ``unit``, per this unit."""
        return price if unit.id == self.id else round(price * self.factor / unit.factor, 4)


class Product(Struct, frozen=True, kw_only=True):
    """One product."""

    id: int
    code: str
    uom: Uom
    lot_uom: Uom | None  #: set where a lot may hold at most one of it: with module stock_lot_unit, a serial
    cost: Decimal
    suppliers: tuple[int, ...]


class Site(Struct, frozen=True, kw_only=True):
    """Where the line posts to."""

    company: int
    currency: int
    warehouse: int
    input: int
    storage: int
    picking: int  #: where components are taken from
    supplier: int  #: the location that deliveries come from
    uoms: Mapping[int, Uom]
    modules: frozenset[str]


class Catalog:
    """Look-ups in one Tryton. Nothing is remembered: a planner may change anything at any time."""

    def __init__(self, rest: Rest, site: Site) -> None:
        self.rest = rest
        self.site = site

    async def today(self) -> date:
        """The company's today; Tryton asks a person about moves in its future."""
        today: date = await self.rest.call("ir.date", "today")
        return today

    async def products(self, codes: Collection[str]) -> dict[str, Product]:
        """By code. Raises NoPlace for one that is not there."""
        fields = ["code", "default_uom", "cost_price"]
        if "stock_lot_unit" in self.site.modules:
            fields.append("template.lot_uom")
        if "purchase" in self.site.modules:
            fields.append("product_suppliers.party")
        found: dict[str, Product] = {}
        for part in parts(sorted(codes)):
            for row in await self.rest.search("product.product", [["code", "in", part]], fields):
                found.setdefault(row["code"], self._product(row))
        for code in codes:
            if code not in found:
                raise NoPlace.of("material", material=code)
        return found

    def uom(self, product: Product, code: str) -> Uom:
        """The unit of ``product``'s category that ``code`` means. Raises NoPlace."""
        if product.uom.code == code:
            return product.uom
        for uom in self.site.uoms.values():
            if uom.category == product.uom.category and uom.code == code:
                return uom
        raise NoPlace.of("unit", unit=code, material=product.code)

    async def lots(self, product: Product, numbers: Iterable[str]) -> dict[str, Row]:
        """The lots of ``product`` with these numbers that there are, by number."""
        fields = ["number", *(["expiration_date"] if "stock_lot_sled" in self.site.modules else [])]
        found: dict[str, Row] = {}
        for part in parts(sorted(set(numbers))):
            domain = [["product", "=", product.id], ["number", "in", part], ["active", "in", [True, False]]]
            for row in await self.rest.search("stock.lot", domain, fields):
                found.setdefault(row["number"], row)
        return found

    async def ensure_lots(self, product: Product, numbers: Mapping[str, date | None]) -> dict[str, int]:
        """number -> id, made where there is none. Raises NoPlace where Tryton knows another expiry date."""
        found = await self.lots(product, numbers)
        ids: dict[str, int] = {}
        for number, expiry in numbers.items():
            row = found.get(number)
            if row is None:
                ids[number] = await self.rest.create("stock.lot", self._lot_values(product, number, expiry))
                continue
            ids[number] = row["id"]
            known = row.get("expiration_date")
            if expiry is None or "stock_lot_sled" not in self.site.modules or known == expiry:
                continue
            if known is not None:
                raise NoPlace.of("expiry", lot=number, material=product.code, tryton=known, label=expiry)
            await self.rest.write("stock.lot", row["id"], {"expiration_date": day(expiry)})
        return ids

    def _lot_values(self, product: Product, number: str, expiry: date | None) -> dict[str, Any]:
        values: dict[str, Any] = {"product": product.id, "number": number}
        if expiry is not None and "stock_lot_sled" in self.site.modules:
            values["expiration_date"] = day(expiry)
        if product.lot_uom is not None:
            values |= {"unit": product.lot_uom.id, "unit_quantity": float(product.lot_uom.rounding)}
        return values

    def _product(self, row: Row) -> Product:
        lot_uom = (row.get("template") or {}).get("lot_uom")
        return Product(
            id=row["id"],
            code=row["code"],
            uom=self.site.uoms[row["default_uom"]],
            lot_uom=self.site.uoms[lot_uom] if lot_uom else None,
            cost=row.get("cost_price") or Decimal(0),
            suppliers=tuple(supplier["party"] for supplier in row.get("product_suppliers") or ()),
        )


async def survey(rest: Rest, company: str | None, warehouse: str | None) -> Site:
    """Finds the site in a Tryton that is met for the first time. Raises SinkFault saying what to name or activate."""
    companies = await rest.search("company.company", [], ["rec_name", "currency"])
    chosen = _one(companies, company, ("rec_name",), "company")
    rest.belong_to(chosen["id"])
    modules = await rest.search("ir.module", [["state", "=", "activated"]], ["name"])
    active = frozenset(row["name"] for row in modules)
    if missing := [name for name in NEEDED if name not in active]:
        raise SinkFault(TROUBLE["module"].fill({"names": ", ".join(missing)}), TROUBLE["module_do"])
    zones = ["input_location", "storage_location", "production_picking_location"]
    houses = await rest.search("stock.location", [["type", "=", "warehouse"]], ["code", "name", *zones])
    house = _one(houses, warehouse, ("code", "name"), "warehouse")
    supplier = await rest.search("stock.location", [["type", "=", "supplier"]], ["name"], limit=1)
    uoms = await rest.search("product.uom", [], ["symbol", "category", "factor", "rounding"])
    return Site(
        company=chosen["id"],
        currency=chosen["currency"],
        warehouse=house["id"],
        input=house["input_location"],
        storage=house["storage_location"],
        picking=house["production_picking_location"] or house["storage_location"],
        supplier=supplier[0]["id"],
        uoms={row["id"]: _uom(row) for row in uoms},
        modules=active,
    )


def parts(numbers: list[str]) -> Iterable[list[str]]:
    """``numbers`` in pieces that fit into an address line."""
    return (numbers[at : at + AT_ONCE] for at in range(0, len(numbers), AT_ONCE))


def _one(rows: list[Row], name: str | None, fields: tuple[str, ...], what: str) -> Row:
    fitting = [row for row in rows if name is None or name in (row[field] for field in fields)]
    if len(fitting) != 1:
        names = ", ".join(str(row[fields[0]] or row[fields[-1]]) for row in rows) or "–"
        raise SinkFault(TROUBLE[what].fill({"names": names}), TROUBLE[f"{what}_do"])
    return fitting[0]


def _uom(row: Row) -> Uom:
    symbol = row["symbol"] or ""
    try:
        code = _SYMBOLS.get(symbol) or unit_code(symbol)
    except ValueError:
        code = ""
    return Uom(
        id=row["id"],
        code=code,
        category=row["category"],
        factor=exact(row["factor"]),
        rounding=exact(row["rounding"]),
    )
