"""``lotline drivers``: what Lotline can talk to, each with its options and what it was tested against."""

from __future__ import annotations

import argparse
import importlib
import json

from edge import cli


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("drivers", help=cli.VERBS["drivers"])
    parser.add_argument("name", nargs="?", help="one driver in full")
    parser.add_argument("--json", action="store_true")
    cli.add_language(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from drivers import DRIVERS

    if args.name and args.name not in DRIVERS:
        print(f"No driver '{args.name}'. There are: {', '.join(DRIVERS)}.")
        return 1
    rows = {name: importlib.import_module(module) for name, module in DRIVERS.items()}
    if args.json:
        print(
            json.dumps({name: module.Options.model_json_schema() for name, module in rows.items()}, ensure_ascii=False)
        )
    elif args.name:
        print(rows[args.name].__doc__)
    else:
        for name, module in rows.items():
            print(f"{name:<16} {(module.__doc__ or '').splitlines()[0]}")
    return cli.EX_OK
