"""One real Tryton for each module of tests. The venv and the seeded database stay in ``.cache/tryton`` of the repository."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge.config.secrets import Mark
from edge.simulate.tryton import Access, Plan, SeedMaterial, SeedOrder, SeedPurchase, SeedStock, TrytonSite
from sync.tryton import Options, build
from sync.tryton.rest import Rest
from sync.tryton.sink import TrytonSink, connection
from tests.sync.tryton.story import Kept

CACHE = Path(__file__).resolve().parents[3] / ".cache" / "tryton"
ORDERS = 120
YEAR = datetime.now(UTC).year + 2

VALVES = tuple(f"WO-{1001 + ORDERS + number}" for number in range(6))
MATERIALS = {
    **Plan().materials,
    "GREASE-1": SeedMaterial(name="Grease", tracking="none", unit="kg"),
    "VALVE-7": SeedMaterial(name="Valve 7", tracking="lot", made=True),
}

PLAN = Plan(
    materials=MATERIALS,
    bills={"PUMP-100": {"BRG-6204": "2", "SHAFT-9": "1"}, "VALVE-7": {"BRG-6204": "1", "GREASE-1": "0.05"}},
    stock=(
        SeedStock(material="GREASE-1", quantity="40"),
        SeedStock(material="BRG-6204", quantity="2000", lot="L77", expiry=f"{YEAR}-05-31"),
        SeedStock(material="BRG-6204", quantity="2000", lot="L78", expiry=f"{YEAR}-09-30"),
        SeedStock(material="BRG-6204", quantity="3", lot="L03", expiry=f"{YEAR}-09-30"),
        *(SeedStock(material="SHAFT-9", quantity="1", lot=f"S{number}") for number in range(1, 3 * ORDERS + 1)),
    ),
    purchases=(
        SeedPurchase(supplier="SUP-1", lines={"BRG-6204": "1000", "SHAFT-9": "500"}),
        SeedPurchase(supplier="SUP-1", lines={"BRG-6204": "30"}),
        SeedPurchase(supplier="SUP-1", lines={"GREASE-1": "10"}),
    ),
    orders=(
        *(SeedOrder(material="PUMP-100", quantity="3") for _ in range(ORDERS)),
        *(SeedOrder(material="VALVE-7", quantity="100") for _ in VALVES),
    ),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrytonSite]:
    """Running, freshly seeded: PO-1 to PO-3, WO-1001 to WO-1120 for three pumps each, then VALVES for a hundred each."""
    site = TrytonSite(tmp_path_factory.mktemp("tryton"), cache=CACHE, plan=PLAN)
    site.start()
    try:
        yield site
    finally:
        site.stop()


@pytest.fixture
def access(site: TrytonSite) -> Access:
    return site.access


def options(site: TrytonSite, **more: Any) -> Options:
    """For ``site``; the secrets are called key and password."""
    given = {"url": site.url, "database": site.database, "key": Mark("key"), "timeout_s": 60, **more}
    return Options.model_validate(given)


def login() -> dict[str, Any]:
    """The options that let Lotline answer Tryton's questions."""
    return {"user": "edge", "password": Mark("password")}


def secrets(access: Access) -> Callable[[str], str]:
    return {"key": access.key, "password": access.password}.__getitem__


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
async def rest(site: TrytonSite, access: Access) -> AsyncIterator[Rest]:
    """The edge's own eyes, for looking at what came of it."""
    rest = connection(options(site), secrets(access))
    rest.belong_to(access.company)
    yield rest
    await rest.close()


@asynccontextmanager
async def sink(site: TrytonSite, kept: Kept, **more: Any) -> AsyncIterator[TrytonSink]:
    """A destination as the daemon builds it."""
    sink = build("erp", options(site, **more), kept, secrets(site.access))
    assert isinstance(sink, TrytonSink)
    try:
        yield sink
    finally:
        await sink.aclose()


class Admin:
    """The planner, who does in Tryton what the edge may not do."""

    def __init__(self, site: TrytonSite, rest: Rest) -> None:
        self._login = ("admin", site.access.admin_password)
        self.rest = rest

    async def press(self, model: str, record: int, button: str) -> None:
        await self.rest.press_as(*self._login, model, record, button)

    async def call(self, method: str, *params: Any) -> Any:
        return await self.rest._rpc(*self._login, method, params)


@pytest.fixture
def admin(site: TrytonSite, rest: Rest) -> Admin:
    return Admin(site, rest)
