"""Resident memory of the real daemon: one station, two Modbus devices, an open page, an HTTP destination that takes what comes.

``VmRSS`` of the process, 20 s after its page was opened, with scans and readings coming in meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import aiohttp

from edge.bench.daemon import BADGES, Bench, address
from edge.bench.measure import REPETITIONS
from edge.bench.result import Figure, Size, at_most
from edge.bench.sink import http_sink
from edge.wording import Words

_AFTER_S: Final = {Size.FULL: 20.0, Size.QUICK: 2.0}
_SCAN_EVERY_S: Final = 2.5


def run(place: Path, size: Size) -> tuple[Figure, ...]:
    """See the module."""
    with http_sink() as url:
        return asyncio.run(_measure(place, size, url))


async def _measure(place: Path, size: Size, url: str) -> tuple[Figure, ...]:
    bench = Bench(place)
    resident = []
    async with bench.plugged(url):
        for repetition in range(REPETITIONS if size is Size.FULL else 1):
            state_dir = place / f"state-{repetition}"
            async with bench.daemon(state_dir) as process:
                await bench.acknowledged(BADGES[0], process)
                async with _open_page(await address(state_dir)):
                    await _work(bench, process, _AFTER_S[size])
                    resident.append(_resident_mb(process.pid))
    return (
        Figure(
            what=Words("resident memory of the daemon after {seconds} s", "守护进程运行 {seconds} 秒后的常驻内存").fill(
                {"seconds": f"{_AFTER_S[size]:.0f}"}
            ),
            unit="MB",
            samples=tuple(resident),
            target=at_most(85),
        ),
    )


async def _work(bench: Bench, process: asyncio.subprocess.Process, seconds: float) -> None:
    """Somebody scans now and then."""
    async with asyncio.TaskGroup() as group:

        async def scans() -> None:
            number = 0
            while True:
                await asyncio.sleep(_SCAN_EVERY_S)
                number += 1
                await bench.acknowledged(BADGES[number % 2], process)

        scanning = group.create_task(scans())
        await asyncio.sleep(seconds)
        scanning.cancel()


@contextlib.asynccontextmanager
async def _open_page(base: str) -> AsyncIterator[None]:
    """The page and its stream, as a browser holds them."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, sock_connect=5)) as session:
        async with session.get(f"{base}/s/ST10") as page:
            page.raise_for_status()
            await page.read()
        async with session.get(f"{base}/s/ST10/stream") as stream, asyncio.TaskGroup() as group:
            stream.raise_for_status()

            async def listen() -> None:
                async for _ in stream.content.iter_any():
                    pass

            listening = group.create_task(listen())
            yield
            listening.cancel()


def _resident_mb(pid: int) -> float:
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1000
