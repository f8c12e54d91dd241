"""``lotline``: one file per verb. A verb's module is imported when it is called, so that ``check`` starts in a blink."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from edge import __version__
from edge.errors import ConfigError, LotlineError

EX_OK: Final = 0
EX_CONFIG: Final = 78  # sysexits.h: configuration error; systemd does not restart on it

#: verb -> what it does; each has a module of its name here with ``add(subparsers)``
VERBS: Final = {
    "run": "run the line described by a file",
    "check": "check a file: every mistake at once, no device is touched",
    "schema": "print the JSON Schema of the file",
    "show": "show a file as it is understood",
    "demo": "run a demonstration line with simulated devices",
    "status": "what the running line is doing",
    "sync": "delivery: status, parked records, retry, export",
    "verify": "re-hash the whole log and name the first bad record",
    "drivers": "the drivers and what each was tested against",
    "bench": "measure this machine against the targets",
}


def main(argv: Sequence[str] | None = None) -> int:
    """The console script. Returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="lotline", description="Quality traceability on the production line's PC.")
    parser.add_argument("--version", action="version", version=f"lotline {__version__}")
    subparsers = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    verb = next((word for word in words if not word.startswith("-")), None)
    for name, about in VERBS.items():
        if name == verb:
            importlib.import_module(f"edge.cli.{name}").add(subparsers)
        else:
            subparsers.add_parser(name, help=about)
    args = parser.parse_args(words)
    try:
        status: int = args.run(args)
    except ConfigError as exc:
        print(exc.say.to(language(args)), file=sys.stderr)
        return EX_CONFIG
    except LotlineError as exc:
        print(f"lotline {verb}: {exc.say.to(language(args))}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EX_OK
    except KeyboardInterrupt:
        return 130
    else:
        return status


def language(args: argparse.Namespace) -> str:
    """What the verb speaks: --lang, else what the environment says (POSIX: LC_ALL, LC_MESSAGES, LANG)."""
    asked = getattr(args, "lang", None)
    return asked or next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "en")


def add_language(parser: argparse.ArgumentParser) -> None:
    """``--lang``, the same for every verb."""
    parser.add_argument("--lang", choices=("en", "zh"), help="language of what is printed (default: LANG)")


def add_state(parser: argparse.ArgumentParser) -> None:
    """``--state DIR``, the same for every verb."""
    parser.add_argument(
        "--state", type=Path, metavar="DIR", default=default_state(), help="state directory (default: %(default)s)"
    )


def default_state() -> Path:
    """Where the log lives: what systemd gives, else a folder of the user's own."""
    given = os.environ.get("LOTLINE_STATE") or os.environ.get("STATE_DIRECTORY")
    if given:
        return Path(given.split(":")[0])
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "lotline"
