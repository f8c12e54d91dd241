"""``lotline schema``: the JSON Schema of the file, for an editor."""

from __future__ import annotations

import argparse
import json

from drivers import DRIVERS
from edge.cli import EX_OK
from edge.config.schema import schema
from edge.errors import TechnicianError
from edge.wording.config import say
from sync import SINKS


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb's words."""
    parser = subparsers.add_parser("schema", help="print the JSON Schema of the file")
    parser.set_defaults(run=print_schema)


def print_schema(args: argparse.Namespace) -> int:
    """Exit 0; raises TechnicianError where a driver's package is not installed."""
    try:
        document = schema(drivers=DRIVERS, sinks=SINKS)
    except ModuleNotFoundError as exc:
        raise TechnicianError(say("schema_package", package=exc.name)) from exc
    print(json.dumps(document, ensure_ascii=False, indent=2))
    return EX_OK
