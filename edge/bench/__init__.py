"""The speed table: each promise measured as a ratio within one run, on the machine and the disk at hand.

A row is a module here with ``run(place, size) -> tuple[Figure, ...]``; ``place`` is an empty directory on the disk that is
measured. Rows run one by one and leave nothing behind. Nothing is asserted: a bench says, a reader judges.
"""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path
from typing import Final, cast

from edge.bench.result import Figure, Size
from edge.wording import Words

#: row -> what it promises; each has a module of its name here
ROWS: Final = {
    "commit": Words("one record, commit", "提交一条记录"),
}


def run_row(row: str, place: Path, size: Size) -> tuple[Figure, ...]:
    """The figures of ``row``, measured in a folder of its own under ``place``."""
    folder = place / row
    folder.mkdir(parents=True, mode=0o700)
    try:
        module = importlib.import_module(f"edge.bench.{row}")
        return cast("tuple[Figure, ...]", module.run(folder, size))
    finally:
        shutil.rmtree(folder)
