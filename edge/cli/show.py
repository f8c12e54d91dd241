"""``lotline show FILE --effective``: what all files of a line say together, as one; secrets by name only."""

from __future__ import annotations

import argparse
from pathlib import Path

from drivers import DRIVERS
from edge.cli import EX_CONFIG, EX_OK, add_language, language
from edge.config.dump import to_yaml
from edge.config.loader import load
from edge.config.problem import Mistakes
from edge.wording.config import say
from sync import SINKS


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb's words."""
    parser = subparsers.add_parser("show", help="show a file as it is understood")
    parser.add_argument("file", type=Path, metavar="FILE", help="the line's file")
    parser.add_argument(
        "--effective", action="store_true", help="everything put together; else only which files are read"
    )
    add_language(parser)
    parser.set_defaults(run=show)


def show(args: argparse.Namespace) -> int:
    """Exit 0, or 78 with every mistake."""
    try:
        loaded = load(args.file, drivers=DRIVERS, sinks=SINKS)
    except Mistakes as mistakes:
        print(mistakes.to(language(args)))
        return EX_CONFIG
    if args.effective:
        print(to_yaml(loaded.effective), end="")
        return EX_OK
    for path, text in loaded.files:
        print(say("file_lines", file=path, lines=len(text.splitlines())).to(language(args)))
    print(say("fingerprint", fingerprint=loaded.fingerprint).to(language(args)))
    return EX_OK
