"""``lotline bench``: the speed table, measured here and now. Figures are ratios within one run: a busy machine shifts them little."""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from edge import cli
from edge.errors import TechnicianError
from edge.wording import Words

if TYPE_CHECKING:
    from edge.bench.result import Figure

_UNKNOWN: Final = Words("there is no row '{row}'; there is: {rows}.", "没有“{row}”这一行；可选：{rows}。")
_ROOM: Final = Words(
    "this takes up to {need} GB of disk and {free} GB are free.", "需要最多 {need} GB 磁盘空间，目前剩余 {free} GB。"
)
_ROOM_DO: Final = Words(
    "Name another disk with --state, or use --quick.", "请用 --state 指定其他磁盘，或使用 --quick。"
)
_ON: Final = Words("Measured on {machine}.", "测试机器：{machine}。")
_F: Final = Words(
    "F is a paced write + fdatasync of the same bytes on the same disk, in the same run.",
    "F 为同次运行中、在同一磁盘上按节奏写入相同字节并 fdatasync 的耗时。",
)
_QUICK: Final = Words(
    "--quick: these sizes show that it runs, not how fast it is.", "--quick：仅验证能够运行，不代表速度。"
)
_NEED_GB: Final = 12.0


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("bench", help=cli.VERBS["bench"])
    parser.add_argument("rows", nargs="*", metavar="ROW", help="only these rows of the table")
    parser.add_argument("--quick", action="store_true", help="small sizes: whether it runs")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    cli.add_state(parser)
    cli.add_language(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Exit 0 when every row could be measured; whether a target is met is for the reader."""
    from edge.bench import ROWS, run_row
    from edge.bench.machine import describe
    from edge.bench.result import Size, head, lines

    for row in args.rows:
        if row not in ROWS:
            raise TechnicianError(_UNKNOWN.fill({"row": row, "rows": ", ".join(ROWS)}))
    language, size = cli.language(args), Size.QUICK if args.quick else Size.FULL
    rows = args.rows or list(ROWS)
    found: dict[str, tuple[Figure, ...]] = {}
    with _place(args.state, size) as place:
        machine = describe(place)
        for number, row in enumerate(rows, 1):
            began = time.monotonic()
            print(f"[{number}/{len(rows)}] {row}: {ROWS[row].to(language)} …", file=sys.stderr, end="", flush=True)
            found[row] = run_row(row, place, size)
            print(f" {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    if args.json:
        print(json.dumps(_document(machine, size, found), ensure_ascii=False))
        return cli.EX_OK
    print("\n".join(head(language)))
    for row in rows:
        print("\n".join(lines(row, found[row], language)))
    print(f"\n{_ON.fill({'machine': machine}).to(language)} {_F.to(language)}")
    if args.quick:
        print(_QUICK.to(language))
    return cli.EX_OK


@contextlib.contextmanager
def _place(state: Path, size: Any) -> Iterator[Path]:
    """An empty folder on the disk of ``state``; nothing of it is left."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    free_gb = shutil.disk_usage(state).free / 1e9
    if size == "full" and free_gb < _NEED_GB:
        raise TechnicianError(_ROOM.fill({"need": f"{_NEED_GB:.0f}", "free": f"{free_gb:.1f}"}), _ROOM_DO)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=state) as name:
        yield Path(name)


def _document(machine: Any, size: str, found: dict[str, tuple[Figure, ...]]) -> dict[str, Any]:
    return {
        "machine": msgspec.to_builtins(machine),
        "size": str(size),
        "rows": {
            row: [
                {
                    "what": figure.what.en,
                    "value": figure.value,
                    "unit": figure.unit,
                    "target": None if figure.target is None else f"{figure.target.bound} {figure.target.value:g}",
                    "verdict": figure.verdict,
                    "samples": list(figure.samples),
                    "note": figure.note.en,
                }
                for figure in figures
            ]
            for row, figures in found.items()
        },
    }
