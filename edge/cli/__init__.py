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
from edge.config.near import near
from edge.errors import ConfigError, LotlineError
from edge.wording import cli as said

EX_OK: Final = 0
EX_USAGE: Final = 2
EX_CONFIG: Final = 78  # sysexits.h: configuration error; systemd does not restart on it

#: verb -> what it does, in English; each has a module of its name here with ``add(subparsers)``
VERBS: Final = {name: about.en for name, about in said.VERBS.items()}


def main(argv: Sequence[str] | None = None) -> int:
    """The console script. Returns the exit status."""
    words = _language_last(list(sys.argv[1:] if argv is None else argv))
    verb = words[0] if words else ""
    if verb in ("", "-h", "--help") or verb.startswith("--lang"):
        asked = verb in ("-h", "--help") or "--help" in words
        print(_overview(_asked(words)), file=sys.stdout if asked else sys.stderr)
        return EX_OK if asked else EX_USAGE
    if verb not in VERBS and verb != "--version":
        unknown = said.UNKNOWN.fill({"verb": verb, "near": near(verb, VERBS)})
        print(f"{unknown.to(_asked(words))}\n\n{_overview(_asked(words))}", file=sys.stderr)
        return EX_USAGE
    parser = argparse.ArgumentParser(prog="lotline")
    parser.add_argument("--version", action="version", version=f"lotline {__version__}")
    subparsers = parser.add_subparsers(dest="verb", metavar="VERB")
    if verb in VERBS:
        importlib.import_module(f"edge.cli.{verb}").add(subparsers)
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


def _overview(language: str) -> str:
    width = max(map(len, said.VERBS))
    verbs = [f"  {name:<{width}}  {about.to(language)}" for name, about in said.VERBS.items()]
    return "\n".join([said.ABOUT.to(language), "", said.USAGE.to(language), "", *verbs])


def _language_last(words: list[str]) -> list[str]:
    """``lotline --lang zh status`` is ``lotline status --lang zh``."""
    count = 2 if words[:1] == ["--lang"] else 1 if words and words[0].startswith("--lang=") else 0
    return words[count:] + words[:count]


def _asked(words: Sequence[str]) -> str:
    """The language, where no verb has read the words yet."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--lang", default=None)
    return language(parser.parse_known_args(words)[0])


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
