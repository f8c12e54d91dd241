"""``lotline run FILE``: the daemon. A bad file starts the last configuration that was good, and says so loudly."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from edge import cli
from edge.wording import Words


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("run", help=cli.VERBS["run"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--simulated", action="store_true", help="mark every page and record SIMULATED")
    parser.add_argument("--verbose", action="store_true", help="log every attempt, not only changes")
    cli.add_state(parser)
    cli.add_language(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import drivers
    import sync
    from edge.app import run_line, run_until_stopped, state_of
    from edge.config.applied import start_with

    logging.basicConfig(
        level=logging.DEBUG if args.verbose else logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr
    )
    state_dir, language = state_of(args.state), cli.language(args)
    start = start_with(args.file, state_dir, drivers=drivers.DRIVERS, sinks=sync.SINKS)
    note: Words | None = None
    if start.refused is not None:
        note = _OLD
        print(f"{start.refused.say.to(language)}\n\n{_OLD.to(language)}", file=sys.stderr)

    def ready(address: str) -> None:
        print(_READY.fill({"address": address}).to(language), flush=True)

    run_until_stopped(lambda: run_line(start.loaded, state_dir, note=note, simulated=args.simulated, ready=ready))
    return cli.EX_OK


_READY = Words("The line is running. Page: {address}", "产线已运行。页面：{address}")
_OLD = Words(
    "THE FILE HAS ERRORS AND WAS NOT APPLIED. The line runs with the last configuration that was good.",
    "配置文件有错误，未被采用！产线正使用上一次正确的配置运行。",
)
