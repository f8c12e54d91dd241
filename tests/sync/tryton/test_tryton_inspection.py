"""An order's measured values become one inspection in a real Tryton, which decides by its own tolerances."""

from __future__ import annotations

import pytest

from edge.contracts import Accepted, Rejected
from edge.simulate.tryton import TrytonSite
from sync.tryton.rest import Rest, Row
from tests.sync.tryton.conftest import Admin, sink
from tests.sync.tryton.story import Kept, Line

pytestmark = pytest.mark.tryton


@pytest.fixture(scope="module")
def prepared() -> set[str]:
    return set()


@pytest.fixture
async def control(rest: Rest, admin: Admin, prepared: set[str]) -> str:
    """A control on finishing pumps: force between 10000 and 11000 newton."""
    if not prepared:
        [pump] = await rest.search("product.product", [["code", "=", "PUMP-100"]], ["code"])
        force = {
            "name": "force",
            "string": "Press force",
            "type_": "float",
            "digits": 1,
            "tolerance_lower": 10_000.0,
            "tolerance_upper": 11_000.0,
        }
        values = {
            "name": "Pump release",
            "company": 1,
            "operations": ["production:do"],
            "frequency": 1.0,
            "product": pump["id"],
            "points": [["create", [force]]],
        }
        await admin.call("model.quality.control.create", [values])
        prepared.add("control")
    return "Pump release"


def pumps(order: str, first: int, forces: tuple[float, ...]) -> Line:
    line = Line()
    for number, force in enumerate(forces, first):
        line.pump(order, f"SN{number}", [("L77", "2")], f"S{number}", force=force)
    line.close(order, len(forces))
    return line


async def inspections(rest: Rest, order: str) -> list[Row]:
    [production] = await rest.search("production", [["number", "=", order]], ["state"])
    domain = [["origin", "=", f"production,{production['id']}"]]
    return await rest.search("quality.inspection", domain, ["state", "points", "alerts.state"])


async def test_the_value_nearest_to_its_tolerance_stands_for_the_order(
    site: TrytonSite, rest: Rest, control: str
) -> None:
    line = pumps("WO-1001", 1, (10_500.0, 10_950.0, 10_100.0))
    for _ in range(2):
        async with sink(site, Kept(), inspection=control) as erp:
            assert isinstance((await erp.deliver(line.records))[-1], Accepted)
    [inspection] = await inspections(rest, "WO-1001")
    assert inspection["points"] == {"force": 10_950.0}
    assert inspection["state"] == "passed"


async def test_a_failed_inspection_is_refused_until_its_alert_is_resolved(
    site: TrytonSite, rest: Rest, admin: Admin, control: str
) -> None:
    line = pumps("WO-1002", 4, (10_500.0, 11_150.0))
    async with sink(site, Kept(), inspection=control) as erp:
        refused = (await erp.deliver(line.records))[-1]
        assert isinstance(refused, Rejected)
        assert refused.reason.startswith("Tryton: ")
        [inspection] = await inspections(rest, "WO-1002")
        assert inspection["points"] == {"force": 11_150.0}
        assert inspection["state"] == "failed"
        for button in ("process", "resolve"):
            await admin.press("quality.alert", inspection["alerts"][0]["id"], button)
        assert isinstance((await erp.deliver(line.records))[-1], Accepted)
    assert len(await inspections(rest, "WO-1002")) == 1


async def test_without_inspection_tryton_asks_for_one_and_a_person_is_told(
    site: TrytonSite, rest: Rest, control: str
) -> None:
    line = pumps("WO-1003", 6, (10_500.0,))
    async with sink(site, Kept()) as erp:
        refused = (await erp.deliver(line.records))[-1]
    assert isinstance(refused, Rejected)
    assert refused.reason.startswith(
        "Tryton wants an inspection before production WO-1003 is done. "
        "Name its control as inspection, or inspect it in Tryton, then retry."
    )
    async with sink(site, Kept(), inspection=control) as erp:
        assert isinstance((await erp.deliver(line.records))[-1], Accepted)


async def test_a_point_that_nobody_measured_and_a_control_that_is_not_there_are_told(
    site: TrytonSite, control: str
) -> None:
    line = pumps("WO-1004", 7, (10_500.0,))
    async with sink(site, Kept(), inspection="Other") as erp:
        refused = (await erp.deliver(line.records))[-1]
    assert isinstance(refused, Rejected)
    assert refused.reason.startswith("Tryton has no quality control 'Other'.")
    line = Line()
    line.join("WO-1005", "SN8", [])
    line.close("WO-1005", 1)
    async with sink(site, Kept(), inspection=control) as erp:
        refused = (await erp.deliver(line.records))[-1]
    assert isinstance(refused, Rejected)
