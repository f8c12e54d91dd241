"""A folder with one hand scanner, plugged in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from edge.simulate.scanner import PtyScanner
from tests.system.rig import Person


@pytest_asyncio.fixture
async def person(tmp_path: Path) -> AsyncIterator[Person]:
    """Somebody at ST10."""
    async with PtyScanner(tmp_path / "hand-1") as scanner:
        yield Person(scanner)
