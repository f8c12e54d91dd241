"""A page server on a free loopback port, and Debian's Chromium."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from edge.web import create_app, serve
from tests.web.fake_line import FakeLine

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]  # fmt: skip


class Site:
    """The pages of ``line``, served at ``port``; can be stopped and started again."""

    def __init__(self, line: FakeLine) -> None:
        self.line = line
        self.port = 0
        self.app = create_app(line)
        self._serving: asyncio.Task[None] | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.app = create_app(self.line)
        self._serving = asyncio.create_task(serve(self.app, "127.0.0.1", self.port, ready.set_result))
        async with asyncio.timeout(10):
            self.port = await ready

    async def stop(self) -> None:
        if self._serving:
            self._serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait_for(self._serving, 10)
            self._serving = None


@contextlib.asynccontextmanager
async def running(*stations: str) -> AsyncIterator[Site]:
    site = Site(FakeLine(*stations))
    await site.start()
    try:
        yield site
    finally:
        await site.stop()


async def eventually(true: Callable[[], bool | Awaitable[bool]], seconds: float = 20) -> None:
    """Waits, bounded, until ``true()``."""
    async with asyncio.timeout(seconds):
        while True:
            answer = true()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.02)


@pytest_asyncio.fixture
async def site() -> AsyncIterator[Site]:
    async with running() as site:
        yield site


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium():
    """One browser for all tests of a module."""
    if shutil.which(CHROMIUM) is None:
        pytest.skip(f"{CHROMIUM} is not installed: apt install chromium")
    api = pytest.importorskip("playwright.async_api", reason="playwright is not installed: it comes with the dev extra")
    async with api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()
