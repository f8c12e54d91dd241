"""``lotline status``: what the running line is doing, in five lines."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any, Final

from edge import cli, control
from edge.wording import Words

_STATION: Final = Words("{station}  {state}   {order}   {last}", "{station}  {state}   {order}   {last}")
_STATES: Final = {
    "no_operator": Words("waiting for an operator", "等待人员"),
    "no_order": Words("waiting for an order", "等待工单"),
    "idle": Words("ready", "就绪"),
    "collecting": Words("running", "进行中"),
    "done": Words("running", "进行中"),
    "blocked": Words("{title}", "{title}"),
    "storage_stop": Words("STOP: the PC cannot save", "停！电脑无法保存"),
}
_ORDER: Final = Words("{id}  {made} of {quantity}", "{id}  {made} / {quantity}")
_LAST: Final = Words("last scan {age} s ago", "{age} 秒前扫描")
_LOG: Final = Words(
    "log   {records} records, all on disk · {readings} readings · {disk}",
    "日志  {records} 条记录，均已存盘 · {readings} 个读数 · {disk}",
)
_DAYS: Final = Words("disk for {days} days at this rate", "按当前速度磁盘可用 {days} 天")
_FREE: Final = Words("{free} GB of disk free", "磁盘剩余 {free} GB")
_SYNC: Final = Words("{destination}   {say} · {delivered} delivered", "{destination}   {say} · 已送达 {delivered}")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("status", help=cli.VERBS["status"])
    parser.add_argument("--json", action="store_true")
    cli.add_state(parser)
    cli.add_language(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    status = control.ask(args.state / "control.sock", "status")
    if args.json:
        print(json.dumps(status, ensure_ascii=False))
    else:
        print("\n".join(lines(status, cli.language(args))))
    return cli.EX_OK


def lines(status: Mapping[str, Any], language: str) -> list[str]:
    """The status as it is read aloud."""
    out = [] if status["note"] is None else [_words(status["note"]).to(language), ""]
    for station in status["stations"]:
        verdict, order = station["verdict"], station["order"]
        state = _STATES[station["state"]]
        if verdict is not None:
            state = state.fill({"title": _words(verdict["title"])})
        fields = {
            "station": station["station"],
            "state": state,
            "order": _ORDER.fill(order) if order else "",
            "last": _LAST.fill({"age": f"{verdict['age_s']:.0f}"}) if verdict else "",
        }
        out.append(_STATION.fill(fields).to(language).rstrip())
    devices = {device["id"]: _words(device["say"]).to(language) for s in status["stations"] for device in s["devices"]}
    out.append(" · ".join(f"{device} {say}" for device, say in devices.items()))
    log = status["log"]
    if log["ok"]:
        days = log["days_left"]
        disk = (
            _FREE.fill({"free": f"{log['free_bytes'] / 1e9:.1f}"})
            if days is None
            else _DAYS.fill({"days": f"{days:.0f}"})
        )
        fields = {"records": f"{log['records']:,}", "readings": f"{log['readings']:,}", "disk": disk}
        out.append(_LOG.fill(fields).to(language))
    else:
        out.append(_words(log["reason"]).to(language))
    out += [_SYNC.fill({**sync, "say": _words(sync["say"])}).to(language) for sync in status["sync"]]
    return out


def _words(both: Mapping[str, str]) -> Words:
    return Words(both["en"], both["zh"])
