"""What the station checks against comes out of a real Tryton."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from edge.config.masters import MastersFile, OrderState, Tracking
from edge.errors import SinkFault
from edge.masters.snapshot import compile_masters
from edge.simulate.tryton import TrytonSite
from sync.tryton import pull
from sync.tryton.rest import Rest
from tests.sync.tryton.conftest import ORDERS, VALVES, YEAR, Admin, options, secrets

pytestmark = pytest.mark.tryton


async def pulled(site: TrytonSite, **more: object) -> MastersFile:
    return await pull(options(site, **more), secrets(site.access))


async def test_materials_bills_orders_lots_and_suppliers_are_pulled(site: TrytonSite) -> None:
    masters = await pulled(site)
    assert {id_: (m.name.en, m.gtin, m.unit, m.tracking) for id_, m in masters.materials.items()} == {
        "BRG-6204": ("Ball bearing 6204", "09506000134352", "C62", Tracking.LOT),
        "SHAFT-9": ("Pump shaft 9 mm", "09506000134376", "C62", Tracking.SERIAL),
        "PUMP-100": ("Coolant pump 100", "09506000134369", "C62", Tracking.SERIAL),
        "GREASE-1": ("Grease", None, "KGM", Tracking.NONE),
        "VALVE-7": ("Valve 7", None, "C62", Tracking.LOT),
    }
    assert masters.bills["PUMP-100"].needs == {"BRG-6204": Decimal(2), "SHAFT-9": Decimal(1)}
    assert masters.bills["VALVE-7"].needs == {"BRG-6204": Decimal(1), "GREASE-1": Decimal("0.05")}
    assert masters.bills["PUMP-100"].revision.startswith("1@20")
    assert len(masters.work_orders) == ORDERS + len(VALVES)
    order = masters.work_orders["WO-1001"]
    assert (order.material, order.quantity, order.state) == ("PUMP-100", Decimal(3), OrderState.RUNNING)
    assert {(x.material, x.lot, x.expiry, x.quantity) for x in masters.lots} == {
        ("BRG-6204", "L77", date(YEAR, 5, 31), Decimal(2000)),
        ("BRG-6204", "L78", date(YEAR, 9, 30), Decimal(2000)),
        ("BRG-6204", "L03", date(YEAR, 9, 30), Decimal(3)),
    }
    assert {id_: s.name for id_, s in masters.suppliers.items()} == {"SUP-1": "Kugel Bearings Ltd"}
    assert masters.people == {}


async def test_the_same_masters_twice_are_the_same_version(site: TrytonSite) -> None:
    assert compile_masters(await pulled(site)).version == compile_masters(await pulled(site)).version


async def test_a_cancelled_order_is_gone_and_a_draft_is_planned(site: TrytonSite, rest: Rest, admin: Admin) -> None:
    ids = {row["number"]: row["id"] for row in await rest.search("production", [], ["number"])}
    await admin.press("production", ids["WO-1002"], "cancel")
    await admin.press("production", ids["WO-1003"], "draft")
    orders = (await pulled(site)).work_orders
    assert "WO-1002" not in orders
    assert orders["WO-1003"].state is OrderState.PLANNED


async def test_a_product_without_usable_code_is_left_out(site: TrytonSite, rest: Rest, admin: Admin) -> None:
    [shaft] = await rest.search("product.product", [["code", "=", "SHAFT-9"]], ["code"])
    await admin.call("model.product.product.write", [shaft["id"]], {"suffix_code": "SHAFT 9/x"})
    try:
        masters = await pulled(site)
    finally:
        await admin.call("model.product.product.write", [shaft["id"]], {"suffix_code": "SHAFT-9"})
    assert sorted(masters.materials) == ["BRG-6204", "GREASE-1", "PUMP-100", "VALVE-7"]
    assert masters.bills["PUMP-100"].needs == {"BRG-6204": Decimal(2)}


async def test_a_material_is_a_serial_when_the_file_says_so(site: TrytonSite) -> None:
    masters = await pulled(site, serials=("BRG-6204",))
    assert masters.materials["BRG-6204"].tracking is Tracking.SERIAL
    assert masters.lots == ()


async def test_a_phantom_bill_is_dissolved_into_its_components(site: TrytonSite, rest: Rest, admin: Admin) -> None:
    products = {row["code"]: row["id"] for row in await rest.search("product.product", [], ["code"])}
    [bill] = await rest.search("production.bom", [["name", "=", "PUMP-100"]], ["inputs.product.code"])
    kit = {
        "name": "bearing kit",
        "phantom": True,
        "phantom_unit": 1,
        "phantom_quantity": 2.0,
        "inputs": [["create", [{"product": products["BRG-6204"], "quantity": 3.0, "unit": 1}]]],
    }
    [phantom] = await admin.call("model.production.bom.create", [kit])
    use = [["create", [{"phantom_bom": phantom, "quantity": 4.0, "unit": 1}]]]
    await admin.call("model.production.bom.write", [bill["id"]], {"inputs": use})
    needs = (await pulled(site)).bills["PUMP-100"].needs
    assert needs == {"BRG-6204": Decimal(8), "SHAFT-9": Decimal(1)}


async def test_wrong_key_needs_a_technician(site: TrytonSite) -> None:
    with pytest.raises(SinkFault, match="Tryton does not accept the key"):
        await pull(options(site), {"key": "wrong"}.__getitem__)
