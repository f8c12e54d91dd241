"""A small line's file to start from, and the loader with this folder's own tables."""

from collections.abc import Callable
from pathlib import Path

import pytest

from edge.config.loader import Loaded, load
from edge.config.problem import Mistakes
from tests.config import FILES, LINE, TABLES


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of the line; its text has the smallest line in front unless it is ``bare``."""

    def write(text: str, name: str = "line.yaml", *, bare: bool = False) -> Path:
        path = tmp_path / name
        path.write_text(text if bare or name != "line.yaml" else LINE + text, encoding="utf-8", newline="")
        return path

    return write


@pytest.fixture
def mistakes() -> Callable[[Path], Mistakes]:
    """What is wrong with a file, called by its bare name."""

    def mistakes(path: Path) -> Mistakes:
        with pytest.raises(Mistakes) as caught:
            load(path, label=path.name, **TABLES)
        return caught.value

    return mistakes


@pytest.fixture
def loaded() -> Callable[[Path], Loaded]:
    """A file without mistakes."""
    return lambda path: load(path, label=path.name, **TABLES)


@pytest.fixture
def right() -> Path:
    """A line of two devices that is right."""
    return FILES / "right.yaml"
