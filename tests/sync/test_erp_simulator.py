"""The ERP simulator keeps its own books right, or nothing that is measured with it means anything."""

from __future__ import annotations

import json
from decimal import Decimal

import aiohttp

from edge.contracts import Accepted, Gathered
from edge.simulate.erp import Closing, ErpSimulator
from tests.sync.events import event, item
from tests.sync.test_http import records, sink_for


async def test_an_order_takes_effect_once_when_it_is_closed() -> None:
    entries = [
        event(("received", "L77", "100"), act="receive"),
        event(("loaded", "L77", "1"), act="load", order="WO-1"),
        event(("input", "L77", "2"), ("output", "SN1", "1"), order="WO-1"),
        event(("output", "SN1", "1"), ("component", "S4", "1"), act="join", order="WO-1"),
        event(("made", "PUMP", "1"), act="close", order="WO-1"),
    ]
    async with ErpSimulator(closing=Closing.AT_CLOSE) as erp:
        sink = sink_for(erp.url)
        verdicts = await sink.deliver(records(entries[:4]))
        assert verdicts == [Accepted(receipt="receive/00001"), *[Gathered(document="WO-1")] * 3]
        assert erp.effects().stock == {item("L77"): Decimal(100)}
        assert erp.effects().gathered == 3
        closing = records(entries)[4:]
        for _ in range(2):  # the second time it only says again what it said
            assert await sink.deliver(closing) == [Accepted(receipt="production/WO-1", document="WO-1")]
        await sink.aclose()
        effects = erp.effects()
    assert effects.stock == {item("L77"): Decimal(98), item("SN1"): Decimal(1), item("S4"): Decimal(-1)}
    assert effects.consumed == {"WO-1": {item("L77"): Decimal(2), item("S4"): Decimal(1)}}
    assert effects.produced == {"WO-1": Decimal(1)}
    assert effects.closed == ("WO-1",)
    assert (effects.applied, effects.replays, effects.gathered, effects.events) == (5, 1, 0, 5)


async def test_what_it_holds_and_its_faults_are_served() -> None:
    async with ErpSimulator() as erp, aiohttp.ClientSession() as session:
        base = erp.url.removesuffix("events")
        async with session.post(f"{base}faults", json={"fault": "error_500", "times": 2}) as answer:
            assert await answer.json() == {"queued": 2}
        async with session.post(f"{base}faults", json={"fault": "explode"}) as answer:
            assert answer.status == 400
        async with session.post(erp.url, data=b"") as answer:
            assert answer.status == 500
        async with session.get(base) as answer:
            held = json.loads(await answer.read())
    assert held["requests"] == 1
    assert held["applied"] == 0
