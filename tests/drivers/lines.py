"""What the scanner tests share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from edge.model import Item, Notice, Scan

PATIENCE_S = 30.0  # no test waits this long unless the promise is broken


async def take(items: AsyncGenerator[Item, None], count: int) -> list[Item]:
    """The next ``count`` items."""
    async with asyncio.timeout(PATIENCE_S):
        return [await anext(items) for _ in range(count)]


def brief(items: list[Item]) -> list[object]:
    """Scans by their bytes, notices by what they say."""
    return [item.raw if isinstance(item, Scan) else (item.code.value, item.text) for item in items if said(item)]


def said(item: Item) -> bool:
    return isinstance(item, Scan | Notice)
