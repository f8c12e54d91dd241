"""``lotline sync status|parked|retry ID|export ID``: delivery, asked of the running line."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Final

from edge import cli, control
from edge.wording import Words

_NONE: Final = Words("Nothing is parked.", "没有搁置的记录。")
_PARKED: Final = Words(
    "{id}  {destination}  record {seq}, {at}\n    {reason}\n    about {items}\n    retry: lotline sync retry {id}",
    "{id}  {destination}  记录 {seq}，{at}\n    {reason}\n    涉及 {items}\n    重试：lotline sync retry {id}",
)
_RETRIED: Final = Words("{id} is offered to {destination} again.", "{id} 正重新发送到 {destination}。")
_STATUS: Final = Words(
    "{destination}  {say}\n    delivered {delivered} · waiting {waiting} · collected for order close {gathered} · parked {parked}"
    "\n    last receipt {last}",
    "{destination}  {say}\n    已送达 {delivered} · 等待 {waiting} · 待工单关闭 {gathered} · 搁置 {parked}\n    最近回执 {last}",
)


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("sync", help=cli.VERBS["sync"])
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    for name, about in (("status", "every destination"), ("parked", "what a destination refused, with its own words")):
        act = acts.add_parser(name, help=about)
        act.add_argument("--json", action="store_true")
    for name, about in (("retry", "offer a parked record again"), ("export", "print a parked record as it is stored")):
        act = acts.add_parser(name, help=about)
        act.add_argument("id")
    for act in acts.choices.values():
        cli.add_state(act)
        cli.add_language(act)
        act.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    door, language = args.state / "control.sock", cli.language(args)
    match args.act:
        case "status":
            found = control.ask(door, "sync.status")
            words = [
                _STATUS.fill({**row, "last": row["last_receipt_at"] or "–", "say": Words(**row["say"])})
                for row in found
            ]
        case "parked":
            found = control.ask(door, "sync.parked")
            words = [_PARKED.fill({**row, "items": ", ".join(row["items"]) or "–"}) for row in found] or [_NONE]
        case "retry":
            found = control.ask(door, "sync.retry", id=args.id)
            words = [_RETRIED.fill(found)]
        case _:
            sys.stdout.write(control.ask(door, "sync.export", id=args.id)["data"] + "\n")
            return cli.EX_OK
    if getattr(args, "json", False):
        print(json.dumps(found, ensure_ascii=False))
    else:
        print("\n".join(word.to(language) for word in words))
    return cli.EX_OK
