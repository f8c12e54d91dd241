"""``lotline verify``: re-hash the whole log and name the first bad record. Beside the running line or without it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from edge import cli
from edge.errors import TechnicianError
from edge.wording import Words

if TYPE_CHECKING:
    from edge.log import Verification

_NO_LOG: Final = Words("no log in {state}.", "{state} 中没有日志。")
_NO_LOG_DO: Final = Words("Name the directory of the line with --state.", "请用 --state 指定产线的状态目录。")
_UNREADABLE: Final = Words("the log in {state} cannot be read: {why}.", "无法读取 {state} 中的日志：{why}。")
_UNREADABLE_DO: Final = Words("Run this as the user of the line.", "请以产线程序的用户身份运行。")
_GOOD: Final = Words(
    "The log is what was written: records {first} to {head} ({records}), files {files}, blocks of readings {blocks}.",
    "日志与写入时一致：记录 {first} 至 {head}（{records} 条），文件 {files} 个，读数块 {blocks} 个。",
)
_EMPTY: Final = Words("The log is empty: nothing was recorded yet.", "日志为空：尚未有任何记录。")
_RETIRED: Final = Words(
    "{retired} older records were deleted by retention; their leaf hashes are all there.",
    "更早的 {retired} 条记录已按保留期删除，其叶哈希完整。",
)
_BAD: Final = Words(
    "THE LOG IS DAMAGED at record {seq}, file {file}: {what}.", "日志已损坏：记录 {seq}，文件 {file}：{what}。"
)
_BAD_FILE: Final = Words("THE LOG IS DAMAGED, file {file}: {what}.", "日志已损坏：文件 {file}：{what}。")
_BEFORE: Final = Words(
    "{records} records before it and {blocks} blocks of readings are right.",
    "此前 {records} 条记录和 {blocks} 个读数块均正确。",
)
_BAD_DO: Final = Words(
    "Change nothing in {state}. Copy the whole directory to another disk, then look at what is delivered about that record in the\n"
    "ERP, and check the disk (smartctl -a): who or what changed a stored byte has to be found before the log is relied on again.",
    "不要改动 {state} 中的任何内容。请先把整个目录复制到另一块磁盘，再与 ERP 中该记录的已送达内容核对，\n"
    "并检查磁盘（smartctl -a）：在重新信赖该日志之前，必须查明是谁或什么改动了已存储的字节。",
)
_BAR: Final = Words("re-hashing {done} of {all}", "重新计算哈希 {done} / {all}")
_BAR_WIDTH: Final = 24


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("verify", help=cli.VERBS["verify"])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    cli.add_state(parser)
    cli.add_language(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Exit 0 when every byte is the one that was written, else 1."""
    from edge.log import verify
    from edge.log.segment import first_seqs

    language = cli.language(args)
    _refuse_without_log(args.state)
    try:
        with _bar(sys.stderr, language) as progress:
            found, files = verify(args.state, progress), len(first_seqs(args.state / "log"))
    except OSError as exc:
        raise TechnicianError(_UNREADABLE.fill({"state": args.state, "why": exc.strerror}), _UNREADABLE_DO) from exc
    if args.json:
        print(json.dumps(_document(found, files, args.state), ensure_ascii=False))
    else:
        print("\n".join(words.to(language) for words in _report(found, files, args.state)))
    return 1 if found.fault else cli.EX_OK


def _refuse_without_log(state: Path) -> None:
    try:
        there = (state / "log").is_dir()
    except OSError as exc:
        raise TechnicianError(_UNREADABLE.fill({"state": state, "why": exc.strerror}), _UNREADABLE_DO) from exc
    if not there:
        raise TechnicianError(_NO_LOG.fill({"state": state}), _NO_LOG_DO)


def _report(found: Verification, files: int, state: Path) -> Iterator[Words]:
    if fault := found.fault:
        yield (_BAD if fault.seq else _BAD_FILE).fill({"seq": f"{fault.seq:,}", "file": fault.file, "what": fault.what})
        yield _BEFORE.fill({"records": f"{found.records:,}", "blocks": f"{found.blocks:,}"})
        yield _BAD_DO.fill({"state": state})
        return
    if found.records:
        yield _GOOD.fill(
            {
                "records": f"{found.records:,}",
                "first": f"{found.first:,}",
                "head": f"{found.head:,}",
                "files": files,
                "blocks": f"{found.blocks:,}",
            }
        )
    else:
        yield _EMPTY
    if found.retired:
        yield _RETIRED.fill({"retired": f"{found.retired:,}"})


def _document(found: Verification, files: int, state: Path) -> dict[str, object]:
    fault = found.fault
    return {
        "state": str(state),
        "ok": fault is None,
        "origin": found.origin,
        "records": found.records,
        "first": found.first,
        "head": found.head,
        "retired": found.retired,
        "segments": files,
        "blocks": found.blocks,
        "fault": fault and {"seq": fault.seq, "file": fault.file, "say": {"en": fault.what.en, "zh": fault.what.zh}},
    }


class _Bar:
    """One line that is written over, whenever another hundredth is done."""

    def __init__(self, out: TextIO, language: str) -> None:
        self._out = out
        self._language = language
        self._shown = -1

    def __call__(self, done: int, all_: int) -> None:
        hundredth = 100 * done // all_ if all_ else 100
        if hundredth == self._shown:
            return
        self._shown = hundredth
        full = _BAR_WIDTH * hundredth // 100
        words = _BAR.fill({"done": f"{done:,}", "all": f"{all_:,}"}).to(self._language)
        self._out.write(f"\r[{'█' * full}{'·' * (_BAR_WIDTH - full)}] {hundredth:3d} %  {words}\x1b[K")
        self._out.flush()

    def clear(self) -> None:
        if self._shown >= 0:
            self._out.write("\r\x1b[K")
            self._out.flush()


def _silent(done: int, all_: int) -> None:
    """For output that nobody watches."""


@contextmanager
def _bar(out: TextIO, language: str) -> Iterator[Callable[[int, int], None]]:
    if not out.isatty():
        yield _silent
        return
    bar = _Bar(out, language)
    try:
        yield bar
    finally:
        bar.clear()
