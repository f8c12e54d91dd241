"""A small real line for every test that wants one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.line import Line


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path)
