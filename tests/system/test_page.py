"""The page in Debian's Chromium, on the real daemon: what the scanner does is what the person sees."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from tests.system.rig import (
    BAD,
    BADGE,
    GREASE,
    Person,
    bearing,
    document,
    eventually,
    running,
    write,
)
from tests.web.conftest import ARGUMENTS, CHROMIUM

LOST_MS = 15_000  # the promise is three seconds; a busy machine gets more


@pytest.mark.browser
@pytest.mark.alone
async def test_scan_turns_green_wrong_part_red_and_a_killed_daemon_is_a_lost_contact(
    tmp_path: Path, person: Person
) -> None:
    if shutil.which(CHROMIUM) is None:
        pytest.skip(f"{CHROMIUM} is not installed: apt install chromium")
    api = pytest.importorskip("playwright.async_api", reason="playwright is not installed: it comes with the dev extra")
    with socket.socket() as probe:  # the page that comes back must come back at its address
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    line = document(tmp_path, web={"port": port})
    async with running(write(tmp_path, line), tmp_path / "state") as daemon, api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            page = await browser.new_page(viewport={"width": 1024, "height": 768}, locale="en-GB")
            await page.goto(f"http://127.0.0.1:{port}/s/ST10")
            await page.evaluate("window.neverReloaded = true")

            async def shows(level: str, *texts: str) -> str:
                async def now() -> str:
                    if await page.locator("#page").get_attribute("data-level") != level:
                        return ""
                    text: str = await page.locator("#page").inner_text()
                    return text if all(one in text for one in texts) else ""

                return await eventually(now, f"the page shows {level} {texts}")

            await person.good(BADGE, "WO-1001", bearing("L77"))
            await shows("ok", "Loaded", "已上料", "Bearing 6204 lot L77 at tray-1.", "Li Wei 李伟", "WO-1001", "Scan")

            assert await person.scan(f"]d201{GREASE}10G1") == BAD
            await shows(
                "stop",
                "STOP: wrong material",
                "停！物料错误",
                "This step needs Shaft 9. You scanned Grease.",
                "本工序需要 轴 9，您扫的是 油脂。",
            )
            box = await page.locator(".verdict").bounding_box()
            assert box is not None
            assert box["width"] * box["height"] > 0.5 * 1024 * 768

            daemon.kill()
            await page.wait_for_selector("#lost", state="visible", timeout=LOST_MS)
            assert "Display lost contact with the station program." in await page.locator("#lost").inner_text()
            daemon.start()
            await daemon.ready()
            await page.wait_for_selector("#lost", state="hidden", timeout=LOST_MS)
            assert await page.evaluate("window.neverReloaded") is True
            await person.good(bearing("L77"))
            await shows("ok", "Loaded", "已上料")
            assert await page.evaluate("window.neverReloaded") is True
        finally:
            await browser.close()
        assert await daemon.stop() == 0
