"""The network between plant and ERP loses, cuts and delays: still one effect each, and one receipt."""

from __future__ import annotations

import asyncio

import pytest

from edge.simulate.erp import ErpSimulator
from edge.simulate.faultproxy import FaultProxy, Loss
from sync.http import Options, build
from tests.sync.conftest import Bench, settled, until
from tests.sync.events import event, keys_of_all
from tests.sync.test_http import no_secret


@pytest.mark.parametrize("loss", list(Loss))
async def test_each_loss_alone_leaves_exactly_one_effect(bench: Bench, loss: Loss) -> None:
    entries = [event(("received", f"L{n % 3}", "1"), act="receive") for n in range(40)]
    await bench.log.append(entries)
    async with ErpSimulator() as erp, FaultProxy(erp.port, weights={loss: 1.0}, seed=1) as proxy:
        options = Options(url=f"http://127.0.0.1:{proxy.port}/events", timeout_s=0.1)
        async with bench.running(lambda shelf: build("erp", options, shelf, no_secret)) as courier:
            await until(lambda: proxy.seen[loss] >= 3 or courier.status().waiting == 0)
            proxy.weights = {Loss.NONE: 1.0}
            await until(settled(courier))
    assert erp.effect_count == dict.fromkeys(keys_of_all(entries), 1)
    assert erp.effects().disorder == 0
    assert bench.covered() == dict.fromkeys(keys_of_all(entries), 1)


@pytest.mark.parametrize("seed", range(5))
async def test_a_bad_network_leaves_exactly_one_effect(bench: Bench, seed: int) -> None:
    entries = [event(("received", f"L{n % 11}", "1"), act="receive") for n in range(300)]
    weights = {Loss.NONE: 3.0} | {loss: 1.0 for loss in Loss if loss not in {Loss.NONE, Loss.HANG}} | {Loss.HANG: 0.3}
    async with ErpSimulator() as erp, FaultProxy(erp.port, weights=weights, seed=seed) as proxy:
        options = Options(url=f"http://127.0.0.1:{proxy.port}/events", timeout_s=0.1)
        async with bench.running(lambda shelf: build("erp", options, shelf, no_secret)) as courier:
            for n in range(0, 300, 30):
                await bench.log.append(entries[n : n + 30])
                await asyncio.sleep(0.005)
            await until(settled(courier))
            assert courier.status().parked == 0
    assert erp.effect_count == dict.fromkeys(keys_of_all(entries), 1)
    assert erp.effects().disorder == 0
    assert bench.covered() == dict.fromkeys(keys_of_all(entries), 1)


async def test_a_proxy_whose_server_is_away_ends_the_connection() -> None:
    async with ErpSimulator() as erp:
        pass
    async with FaultProxy(erp.port, weights={Loss.NONE: 1.0}, seed=1) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
