"""``lotline check FILE``: every mistake at once, in a second, without touching a device."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from drivers import DRIVERS
from edge.cli import EX_CONFIG, EX_OK, add_language, language
from edge.config.loader import Loaded, load
from edge.config.problem import Mistakes
from edge.identify import HouseFormat
from edge.wording import Words
from edge.wording.config import say
from sync import SINKS


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb's words."""
    parser = subparsers.add_parser("check", help="check a file: every mistake at once, no device is touched")
    parser.add_argument("file", type=Path, metavar="FILE", help="the line's file")
    parser.add_argument("--json", action="store_true", help="print one JSON object, for editors and other programs")
    add_language(parser)
    parser.set_defaults(run=check)


def check(args: argparse.Namespace) -> int:
    """Exit 0 when nothing is wrong, else 78 (EX_CONFIG)."""
    try:
        loaded = load(args.file, drivers=DRIVERS, sinks=SINKS)
        for name, file in loaded.site.formats.items():
            HouseFormat(name, file)  # knows which patterns could take for ever
    except Mistakes as mistakes:
        if args.json:
            problems = [problem.data() for problem in mistakes.problems]
            document = {"file": str(args.file), "ok": False, "complete": mistakes.complete, "problems": problems}
            print(json.dumps(document, ensure_ascii=False))
        else:
            print(mistakes.to(language(args)))
        return EX_CONFIG
    if args.json:
        print(json.dumps({"file": str(args.file), "ok": True, "fingerprint": loaded.fingerprint, "problems": []}))
    else:
        print(_right(args.file, loaded).to(language(args)))
    return EX_OK


def _right(file: Path, loaded: Loaded) -> Words:
    return say(
        "right",
        file=file,
        devices=len(loaded.devices),
        stations=len(loaded.site.stations),
        procedures=len(loaded.site.procedures),
        destinations=len(loaded.destinations),
    )
