"""What the demo's Tryton holds before the first scan. Run by Tryton's own Python, inside its own venv, never imported.

``python tryton_seed.py trytond.conf DATABASE < plan.json`` fills a fresh database through proteus and prints one JSON object:
the company, the REST key and password of the edge's own user, and the numbers Tryton gave to orders and purchases.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import sys
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from proteus import Model, config

#: What the edge's user may do; nothing administrative. "Purchase" to read the lines that a receipt fulfils.
EDGE_GROUPS = ("Stock", "Production", "Quality", "Purchase")
TRACKED_AT = ["supplier", "customer", "storage", "production", "lost_found"]


def main(conf: str, database: str) -> None:
    """Seeds ``database`` by the plan on standard input."""
    plan = json.load(sys.stdin)
    session = config.set_trytond(f"sqlite:///{database}", config_file=conf)
    company, currency = _company(session, plan["timezone"])
    _numbering(plan)
    suppliers = {code: _party(name, code) for code, name in plan["suppliers"].items()}
    products = {code: _product(code, spec) for code, spec in plan["materials"].items()}
    boms = {code: _bom(code, needs, products) for code, needs in plan["bills"].items()}
    _stock(plan["stock"], products)
    control = _control(plan["control"], company, products)
    purchases = [_purchase(spec, suppliers, products) for spec in plan["purchases"]]
    orders = [_production(spec, boms, products) for spec in plan["orders"]]
    password = secrets.token_urlsafe(18)
    key = _edge_user(company, password)
    answer = {
        "company": company.id,
        "key": key,
        "user": "edge",
        "password": password,
        "control": control,
        "purchases": purchases,
        "orders": orders,
        "currency": currency.code,
    }
    json.dump(answer, sys.stdout)


def _company(session: Any, zone: str) -> tuple[Any, Any]:
    Currency, Party, Company, User = map(Model.get, ("currency.currency", "party.party", "company.company", "res.user"))
    currency = Currency(name="Euro", code="EUR", symbol="€", numeric_code="978", rounding=Decimal("0.01"))
    currency.save()
    party = Party(name="Lotline demo works")
    party.save()
    company = Company(party=party, currency=currency, timezone=zone)
    company.save()
    session._context.update(company=company.id, companies=[company.id])
    me = User(session.user)
    me.companies.append(Company(company.id))
    me.company = Company(company.id)
    me.save()
    session._context = User.get_preferences(True, session._context)
    return company, currency


def _numbering(plan: Mapping[str, Any]) -> None:
    """Tryton numbers orders itself; the sequences are given the prefixes that stand on the line's order papers."""
    Sequence = Model.get("ir.sequence")
    for name, prefix, first in (("Production", "WO-", plan["first_order"]), ("Purchase", "PO-", 1)):
        sequence, *_ = Sequence.find([("sequence_type.name", "=", name)])
        sequence.prefix, sequence.number_next = prefix, first
        sequence.save()


def _party(name: str, code: str) -> Any:
    party = Model.get("party.party")(name=name, code=code)
    party.save()
    return party


def _product(code: str, spec: Mapping[str, Any]) -> Any:
    Uom, Template = map(Model.get, ("product.uom", "product.template"))
    unit, *_ = Uom.find([("symbol", "=", spec["unit"])])
    template = Template(name=spec["name"], default_uom=unit, type="goods", list_price=Decimal("10"))
    template.cost_price_method = "fixed"
    template.producible = spec["made"]
    template.purchasable = not spec["made"]
    if spec["tracking"] != "none":
        template.lot_required = TRACKED_AT
        template.expiration_state = "optional"
    if spec["tracking"] == "serial":
        template.lot_uom = unit
    template.products[0].suffix_code = code
    template.products[0].cost_price = Decimal("1")
    template.save()
    product = template.products[0]
    if spec["gtin"]:
        identifier = product.identifiers.new()
        # Tryton's "ean" takes GTIN-8, -12, -13 and -14 alike.
        identifier.type, identifier.code = "ean", spec["gtin"]
        product.save()
    return product


def _bom(code: str, needs: Mapping[str, str], products: Mapping[str, Any]) -> Any:
    bom = Model.get("production.bom")(name=code)
    for component, quantity in needs.items():
        line = bom.inputs.new()
        line.product, line.quantity = products[component], float(quantity)
        line.unit = products[component].default_uom
    made = bom.outputs.new()
    made.product, made.quantity, made.unit = products[code], 1.0, products[code].default_uom
    bom.save()
    use = products[code].boms.new()
    use.bom = bom
    products[code].save()
    return bom


def _stock(rows: list[dict[str, Any]], products: Mapping[str, Any]) -> None:
    Inventory, Location, Lot = map(Model.get, ("stock.inventory", "stock.location", "stock.lot"))
    storage, *_ = Location.find([("code", "=", "STO")])
    inventory = Inventory(location=storage, date=dt.datetime.now(dt.UTC).date() - dt.timedelta(days=30))
    for row in rows:
        product = products[row["material"]]
        lot = None
        if row["lot"]:
            lot = Lot(number=row["lot"], product=product)
            if row["expiry"]:
                lot.expiration_date = dt.date.fromisoformat(row["expiry"])
            lot.save()
        line = inventory.lines.new()
        line.product, line.quantity = product, float(row["quantity"])
        if lot is not None:
            line.lot = lot
    inventory.save()
    inventory.click("confirm")


def _control(spec: Mapping[str, Any] | None, company: Any, products: Mapping[str, Any]) -> str:
    if spec is None:
        return ""
    control = Model.get("quality.control")(name=spec["name"], company=company)
    control.operations, control.frequency = ["production:do"], 1.0
    control.product = products[spec["material"]]
    for name, (label, low, high) in spec["points"].items():
        point = control.points.new()
        point.name, point.string, point.type_, point.digits = name, label, "float", 1
        point.tolerance_lower, point.tolerance_upper = low, high
    control.save()
    return str(control.name)


def _purchase(spec: Mapping[str, Any], suppliers: Mapping[str, Any], products: Mapping[str, Any]) -> str:
    purchase = Model.get("purchase.purchase")(party=suppliers[spec["supplier"]], invoice_method="manual")
    for material, quantity in spec["lines"].items():
        line = purchase.lines.new()
        line.product, line.quantity, line.unit_price = products[material], float(quantity), Decimal("1")
    purchase.save()
    for button in ("quote", "confirm"):
        purchase.click(button)
    if purchase.state == "confirmed":
        purchase.click("process")
    return str(purchase.number)


def _production(spec: Mapping[str, Any], boms: Mapping[str, Any], products: Mapping[str, Any]) -> str:
    Production = Model.get("production")
    made = spec["material"]
    order = Production(product=products[made], bom=boms[made], quantity=float(spec["quantity"]))
    order.planned_date = dt.datetime.now(dt.UTC).date()
    order.save()
    order.click("wait")
    return str(order.number)


def _edge_user(company: Any, password: str) -> str:
    User, Group, Application, Company = map(
        Model.get, ("res.user", "res.group", "res.user.application", "company.company")
    )
    user = User(name="Lotline edge", login="edge")
    user.password = password
    user.companies.append(Company(company.id))
    user.company = Company(company.id)
    for group in Group.find([("name", "in", list(EDGE_GROUPS))]):
        user.groups.append(Group(group.id))
    user.save()
    application = Application(user=user, application="rest")
    application.save()
    if application.state != "validated":
        application.click("validate_")
    return str(application.key)


if __name__ == "__main__":
    main(*sys.argv[1:])
