"""A folder with one hand scanner, plugged in; and a place for what a test measured, told at the end of the run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from edge.simulate.scanner import PtyScanner
from tests.system.rig import Person

_MEASURED = pytest.StashKey[list[str]]()


@pytest_asyncio.fixture
async def person(tmp_path: Path) -> AsyncIterator[Person]:
    """Somebody at ST10."""
    async with PtyScanner(tmp_path / "hand-1") as scanner:
        yield Person(scanner)


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Takes a sentence with numbers; no test passes or fails by them."""

    def take(sentence: str) -> None:
        request.config.stash.setdefault(_MEASURED, []).append(f"{request.node.name}: {sentence}")

    return take


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for sentence in config.stash.get(_MEASURED, []):
        terminalreporter.write_line(f"MEASURED {sentence}")
