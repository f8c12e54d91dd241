"""What the behaviour suite needs of a driver under test: its device on the other end of a real line.

A new driver joins with one class like those in ``scanners.py`` and one row in ``cases.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from edge.contracts import Driver


class Bench(Protocol):
    """One driver and its device. A device that the driver has to ask does nothing in ``work``."""

    driver: Driver

    async def work(self) -> None:
        """Make the device yield a Scan or Readings (again). Called while a session is open."""

    async def absent(self) -> None:
        """Take the device away: its port is gone, its address refuses."""

    async def present(self) -> None:
        """Put it back."""

    async def drop(self) -> None:
        """Break the line in the middle of what it says. It is absent then."""

    async def garbage(self) -> None:
        """Say what means nothing, once."""

    async def flood(self) -> None:
        """Say far more than anybody asked for, and come to an end. Runs beside the reader."""

    async def freeze(self) -> None:
        """Say nothing more, without hanging up. Only called when the case ``freezes``."""


class Case(Struct, frozen=True, kw_only=True):
    """One row of the suite. ``make`` gets an empty directory of its own."""

    name: str
    make: Callable[[Path], AbstractAsyncContextManager[Bench]]
    freezes: bool = False  #: the driver asks, so it can tell a frozen device from a quiet one
