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
    "scan": Words("scan to durable acknowledgement under 5,000 readings/s", "每秒 5,000 个读数下的扫码到落盘确认"),
    "producers": Words("1,000 producers at once", "1,000 个生产者同时"),
    "readings": Words("readings, to disk", "读数落盘"),
    "backlog": Words("3 million records waiting against 10 thousand", "积压 300 万条对比 1 万条"),
    "drain": Words("drain to a local HTTP sink", "送往本机 HTTP 目的地"),
    "start": Words("start to first acknowledged scan", "启动到首次确认扫码"),
    "memory": Words("resident memory", "常驻内存"),
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
