"""The simulated scanners behave like a person with a scanner: they wait until somebody reads, and lose nothing."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from drivers.serial_scanner import Options, build
from edge.simulate.scanner import PtyScanner
from tests.drivers.lines import PATIENCE_S, brief, take


async def test_a_scan_waits_until_somebody_has_the_port_open(tmp_path: Path):
    async with PtyScanner(tmp_path / "hand-1") as hand:
        scanning = asyncio.create_task(hand.scan(b"A"))
        await asyncio.sleep(0.05)
        assert not scanning.done()
        driver = build("hand-1", Options(port=str(hand.path)))
        for code in (b"A", b"B"):  # the second session finds nothing of the first, and nothing of its own is flushed
            async with driver.session() as items:
                assert brief(await take(items, 1)) == [code]
            async with asyncio.timeout(PATIENCE_S):
                while hand.listening:  # the terminal hears of the closing a moment later
                    await asyncio.sleep(0.01)
            scanning = scanning if code == b"B" else asyncio.create_task(hand.scan(b"B"))
        await scanning


async def test_a_program_that_never_flushes_its_input_is_served_as_well(tmp_path: Path):
    async with PtyScanner(tmp_path / "hand-1") as hand:
        port = os.open(hand.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await hand.scan(b"A")
            assert os.read(port, 100) == b"A\r"
        finally:
            os.close(port)


async def test_unplugging_in_the_middle_of_a_scan_is_said_to_whoever_scans(tmp_path: Path):
    async with PtyScanner(tmp_path / "hand-1", pieces=2, pause_s=0.05) as hand:
        async with build("hand-1", Options(port=str(hand.path))).session():
            scanning = asyncio.create_task(hand.send(b"x" * 1_000_000))
            await asyncio.sleep(0.02)
            hand.unplug()
            with pytest.raises(ConnectionError, match="was unplugged"):
                await scanning
        assert not hand.path.is_symlink()
        hand.plug()
        assert hand.path.exists()
