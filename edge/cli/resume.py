"""``lotline resume DEVICE``: a person has mended what was at fault; the device is tried again at once."""

from __future__ import annotations

import argparse
from typing import Final

from edge import cli, control
from edge.wording import Words

_RESUMED: Final = Words("{device} is tried again now.", "正在重新尝试 {device}。")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb's words."""
    parser = subparsers.add_parser("resume", help=cli.VERBS["resume"])
    parser.add_argument("device", help="its name in the file")
    cli.add_state(parser)
    cli.add_language(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask the running line."""
    found = control.ask(args.state / "control.sock", "resume", device=args.device)
    print(_RESUMED.fill(found).to(cli.language(args)))
    return cli.EX_OK
