"""What every driver promises (edge/contracts.py), held against every driver of ``cases.py``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest

from edge.contracts import Driver
from edge.errors import DeviceFault, DeviceUnavailable
from edge.model import Item, Notice, NoticeCode, Readings, Scan
from tests.contracts.bench import Bench, Case
from tests.contracts.cases import CASES

PATIENCE_S = 30.0  # no test waits this long unless the promise is broken
RELEASE_S = 1.0  # the promise itself


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request) -> Case:
    return request.param


@pytest.fixture
async def bench(case: Case, tmp_path: Path) -> AsyncIterator[Bench]:
    async with case.make(tmp_path) as made:
        yield made


async def value(items: AsyncGenerator[Item, None]) -> Scan | Readings:
    """The next one, whatever notices come before it."""
    async with asyncio.timeout(PATIENCE_S):
        async for item in items:
            if not isinstance(item, Notice):
                return item
    raise DeviceUnavailable("ended")


async def told_of_loss(items: AsyncGenerator[Item, None]) -> list[Item]:
    """What came before the loss: an error, the end, or a notice that the one device of a shared line is silent."""
    came: list[Item] = []
    try:
        async with asyncio.timeout(PATIENCE_S):
            async for item in items:
                if isinstance(item, Notice) and item.code is NoticeCode.SILENT:
                    return came
                came.append(item)
    except DeviceUnavailable as exc:
        says_something(exc)
    return came


def says_something(exc: DeviceUnavailable) -> None:
    assert exc.what
    assert exc.say.zh


async def session_gives_a_value(bench: Bench) -> None:
    async with bench.driver.session() as items:
        await bench.work()
        item = await value(items)
    names = bench.driver.device_ids
    assert (item.layout.device if isinstance(item, Readings) else item.device) in names


async def test_it_names_the_devices_it_speaks_for(bench: Bench):
    assert bench.driver.device_ids
    assert len(set(bench.driver.device_ids)) == len(bench.driver.device_ids)


async def test_an_absent_device_is_told_and_found_again_when_it_is_back(bench: Bench):
    await bench.absent()
    try:
        async with bench.driver.session() as items:
            came = await told_of_loss(items)
        assert not [item for item in came if isinstance(item, Scan)]
    except DeviceUnavailable as exc:
        says_something(exc)
    await bench.present()
    await session_gives_a_value(bench)


async def test_a_drop_mid_read_is_told_and_the_part_is_never_taken_for_a_whole(bench: Bench):
    try:
        async with bench.driver.session() as items:
            await bench.work()
            await value(items)
            await bench.drop()
            came = await told_of_loss(items)
    except DeviceUnavailable:
        came = []
    assert not [item for item in came if isinstance(item, Scan)]
    await bench.present()
    await session_gives_a_value(bench)


async def test_garbage_harms_nothing_that_comes_after_it(bench: Bench):
    try:
        async with bench.driver.session() as items:
            await bench.work()
            await value(items)
            await bench.garbage()
            await bench.work()
            for _ in range(100):
                item = await value(items)
                if not isinstance(item, Scan) or item.raw.startswith(b"]d2"):
                    break
    except (DeviceUnavailable, DeviceFault):
        await bench.absent()  # a driver may end the session over it
        await bench.present()
    await session_gives_a_value(bench)


async def test_a_flood_passes_and_the_next_value_is_whole(bench: Bench):
    async def flood_then_work() -> None:
        await bench.flood()
        await bench.work()

    try:
        async with bench.driver.session() as items:
            await bench.work()
            expected = await value(items)
            flood = asyncio.create_task(flood_then_work())
            try:
                item = await value(items)
            finally:
                flood.cancel()
                await asyncio.wait({flood})
            if isinstance(item, Scan) and isinstance(expected, Scan):
                assert item.raw == expected.raw
    except DeviceUnavailable:
        pass  # a driver may end the session over it
    await bench.absent()
    await bench.present()
    await session_gives_a_value(bench)


async def test_cancelling_releases_the_device_within_a_second(bench: Bench):
    started = asyncio.Event()

    async def run(driver: Driver) -> None:
        async with driver.session() as items:
            started.set()
            async for _ in items:
                pass

    task = asyncio.create_task(run(bench.driver))
    async with asyncio.timeout(PATIENCE_S):
        await started.wait()
    await bench.work()
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=RELEASE_S)
    assert done == {task}
    assert task.cancelled()
    await session_gives_a_value(bench)


async def test_cancelling_while_it_connects_leaves_nothing_behind(bench: Bench):
    async def enter(driver: Driver) -> None:
        async with driver.session():
            await asyncio.sleep(PATIENCE_S)

    for turns in (0, 1, 2, 3, 5, 8):
        task = asyncio.create_task(enter(bench.driver))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=RELEASE_S)
        assert done == {task}
    await asyncio.sleep(0.05)  # a port that was still opening is closed by its thread
    await session_gives_a_value(bench)


async def test_a_session_works_twice_in_a_row(bench: Bench):
    for _ in range(2):
        await session_gives_a_value(bench)


@pytest.mark.parametrize("case", [case for case in CASES if case.freezes], ids=lambda case: case.name)
async def test_a_frozen_device_is_told_although_the_line_stands(bench: Bench):
    async with bench.driver.session() as items:
        await bench.work()
        await value(items)
        await bench.freeze()
        await told_of_loss(items)
