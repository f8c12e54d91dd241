"""``lotline demo``: the real daemon and the real drivers on simulated devices, delivering to a simulated or a real ERP.

The daemon is a process of its own, started as ``lotline run`` would be; this process holds the devices, the operator and the ERP.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edge import cli, control
from edge.errors import LotlineError, TechnicianError
from edge.wording import Words

if TYPE_CHECKING:
    from edge.simulate.line import DemoLine

START_S: Final = 60.0
STOP_S: Final = 3.0
SETTLE_S: Final = 20.0  # deliveries under way may end before the count
_KEY: Final = "LOTLINE_SECRET_ERP_KEY"

_STEPS: Final = {
    "devices": Words("[1/3] simulated scanners, press, climate sensor", "[1/3] 模拟扫码枪、压机、温湿度传感器"),
    "erp": Words("[2/3] {erp}", "[2/3] {erp}"),
    "daemon": Words("[3/3] the line", "[3/3] 产线程序"),
}
_ERPS: Final = {
    "simulator": Words("the built-in ERP simulator", "内置 ERP 模拟器"),
    "tryton": Words("a real Tryton (the first time takes two minutes)", "真实的 Tryton（首次约需两分钟）"),
}
_READY: Final = Words(
    "The line is running. Page: {address}\n"
    "Try: scan a wrong part with `lotline demo scan wrong` (also: {kinds}).\n"
    "Look: `lotline status --state {state}`. Ctrl-C stops everything.",
    "产线已运行。页面：{address}\n"
    "试一试：用 `lotline demo scan wrong` 扫一个错误的零件（还有：{kinds}）。\n"
    "查看：`lotline status --state {state}`。按 Ctrl-C 停止。",
)
_SCANNED: Final = Words("Scanned {about}: {code}", "已扫：{about}：{code}")
_DONE: Final = Words(
    "Every order of the demo is done; the line waits. Ctrl-C stops it.", "演示的工单已全部完成，按 Ctrl-C 停止。"
)
_GONE: Final = Words("the line stopped by itself; its last words are above.", "产线程序自行停止，原因见上。")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("demo", help=cli.VERBS["demo"])
    parser.add_argument("act", nargs="?", choices=("scan",), help="scan something at the running demo")
    parser.add_argument("kind", nargs="?", help="what to scan; without it, what there is")
    parser.add_argument("--seconds", type=float, metavar="N", help="stop after N seconds and count")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--erp", choices=tuple(_ERPS), default="simulator")
    parser.add_argument("--port", type=int, default=8080, help="of the page (default: %(default)s; 0: a free one)")
    parser.add_argument("--pace", type=float, default=1.0, help="of the operator; 0.5 works twice as fast")
    parser.add_argument("--state", type=Path, metavar="DIR", default=cli.default_state() / "demo")
    cli.add_language(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.act == "scan":
        return _scan(args)
    from edge.app import run_until_stopped

    status: list[int] = []

    async def main() -> None:
        status.append(await _demo(args))

    run_until_stopped(main)
    return status[0] if status else cli.EX_OK


def _scan(args: argparse.Namespace) -> int:
    from edge.simulate.line import tries

    if args.kind is None:
        for name, trial in tries(date.today()).items():  # noqa: DTZ011 the day on the demo's own labels
            print(f"{name:<10} {trial.about}")
        return cli.EX_OK
    found = control.ask(args.state / "demo.sock", "scan", kind=args.kind)
    print(_SCANNED.fill(found).to(cli.language(args)))
    return cli.EX_OK


async def _demo(args: argparse.Namespace) -> int:
    from edge.app import state_of
    from edge.simulate.line import DemoLine

    folder, language = state_of(args.state), cli.language(args)
    state = folder / "line"
    with contextlib.suppress(FileNotFoundError):
        _refuse_second(folder)
        shutil.rmtree(state)

    def say(words: Words) -> None:
        print(words.to(language), file=sys.stderr if args.json else sys.stdout, flush=True)

    say(_STEPS["erp"].fill({"erp": _ERPS[args.erp]}) if args.erp == "tryton" else _STEPS["devices"])
    async with _erp(args.erp, folder, say) as erp:
        line = DemoLine(folder, orders=erp.orders, shafts=erp.shafts, pace=args.pace)
        if args.erp == "tryton":
            say(_STEPS["devices"])
        async with line.devices():
            if args.erp == "simulator":
                say(_STEPS["erp"].fill({"erp": _ERPS[args.erp]}))
            say(_STEPS["daemon"])
            file = line.write(erp.destinations, port=args.port)
            async with _daemon(file, state, erp.environment) as (process, door):
                address = (await _ask(door, "status"))["address"]
                kinds = ", ".join(name for name in _kinds() if name != "wrong")
                say(_READY.fill({"address": address, "kinds": kinds, "state": state}))
                async with control.serve(folder / "demo.sock", {"scan": _scanner(line)}):
                    await _play(line, process, args.seconds, say)
                if args.seconds is None:
                    return cli.EX_OK
                counts = await _settled(door, state, line)
    print(json.dumps(counts) if args.json else "\n".join(f"{name:<10} {count:>8}" for name, count in counts.items()))
    return 0 if _adds_up(counts) else 1


class _Erp:
    """Where the demo delivers to."""

    def __init__(
        self,
        destinations: Mapping[str, Any],
        environment: Mapping[str, str],
        orders: tuple[str, ...] = (),
        shafts: int = 0,
    ) -> None:
        self.destinations = destinations
        self.environment = environment
        self.orders = orders
        self.shafts = shafts


@contextlib.asynccontextmanager
async def _erp(kind: str, folder: Path, say: Any) -> AsyncIterator[_Erp]:
    from edge.config.secrets import SecretName

    if kind == "simulator":
        from edge.simulate.erp import Closing, ErpSimulator

        key = secrets.token_hex(16)
        async with ErpSimulator(closing=Closing.AT_CLOSE, key=key) as erp:
            yield _Erp({"erp": {"sink": "http", "url": erp.url, "key": SecretName("erp-key")}}, {_KEY: key})
        return
    from edge.simulate.demo_tryton import SHAFTS, demo_site

    site = demo_site(folder / "tryton", lambda text: say(Words(f"      {text}", f"      {text}")))
    await asyncio.to_thread(site.start)
    try:
        access = site.access
        options = {"sink": "tryton", "url": site.url, "database": site.database, "key": SecretName("erp-key")}
        yield _Erp({"erp": options}, {_KEY: access.key}, access.orders, SHAFTS)
    finally:
        await asyncio.to_thread(site.stop)


@contextlib.asynccontextmanager
async def _daemon(
    file: Path, state: Path, environment: Mapping[str, str]
) -> AsyncIterator[tuple[asyncio.subprocess.Process, Path]]:
    """The daemon, answering; stopped within STOP_S at the end."""
    door = state / "control.sock"
    command = ("run", str(file), "--simulated", "--state", str(state))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "edge", *command, env={**os.environ, **environment}, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if process.returncode is not None:
                raise TechnicianError(_GONE)
            with contextlib.suppress(LotlineError):
                if (await _ask(door, "status"))["address"]:
                    break
            await asyncio.sleep(0.1)
        yield process, door
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def _play(line: DemoLine, process: asyncio.subprocess.Process, seconds: float | None, say: Any) -> None:
    """The operator works until time is up, the orders are done and Ctrl-C, or the daemon dies."""
    playing = asyncio.create_task(line.play())
    ended = asyncio.create_task(process.wait())
    try:
        await asyncio.wait({playing, ended}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if playing.done() and not ended.done():
            playing.result()
            say(_DONE)
            if seconds is None:
                await ended
        if ended.done():
            raise TechnicianError(_GONE)
    finally:
        for task in (playing, ended):
            task.cancel()
        await asyncio.gather(playing, ended, return_exceptions=True)


async def _settled(door: Path, state: Path, line: DemoLine) -> dict[str, int]:
    """The counts, once every scan sent has been recorded and what is under way has been answered."""
    from edge.log import LogReader

    until = time.monotonic() + SETTLE_S
    while True:
        status = await _ask(door, "status")
        kinds, sync = status["log"]["kinds"], status["sync"]
        waiting = sum(row["waiting"] for row in sync)
        if (kinds.get("scan", 0) >= line.sent and not waiting) or time.monotonic() > until:
            break
        await asyncio.sleep(0.2)
    verdicts = {"accepted": 0, "refused": 0, "repeated": 0}
    reader = LogReader(state / "log")
    try:
        seq = 0
        while records := reader.read(seq, 1000):
            seq = records[-1].seq
            for record in records:
                if record.kind == "scan":
                    verdicts[_VERDICTS[json.loads(record.data)["verdict"]]] += 1
    finally:
        reader.close()
    return {
        "sent": line.sent,
        "scans": kinds.get("scan", 0),
        **verdicts,
        "bound": kinds.get("event", 0),
        "delivered": sum(row["delivered"] for row in sync),
        "gathered": sum(row["gathered"] for row in sync),
        "parked": sum(row["parked"] for row in sync),
        "pending": waiting,
        "readings": status["log"]["readings"],
    }


_VERDICTS: Final = {
    "accepted": "accepted",
    "incomplete": "accepted",
    "refused": "refused",
    "cannot_know": "refused",
    "repeated": "repeated",
}


def _adds_up(counts: Mapping[str, int]) -> bool:
    scans = counts["accepted"] + counts["refused"] + counts["repeated"]
    bound = counts["delivered"] + counts["gathered"] + counts["parked"] + counts["pending"]
    return counts["sent"] == counts["scans"] == scans and counts["bound"] == bound


def _scanner(line: DemoLine) -> control.Handler:
    async def scan(request: Mapping[str, Any]) -> dict[str, str]:
        kind = str(request.get("kind"))
        if kind not in _kinds():
            known = ", ".join(_kinds())
            raise TechnicianError(
                Words(f"there is no '{kind}' to scan; there is: {known}.", f"没有“{kind}”；可选：{known}。")
            )
        trial = await line.try_out(kind)
        return {"about": trial.about, "code": trial.code}

    return scan


def _kinds() -> list[str]:
    from edge.simulate.line import tries

    return list(tries(date.today()))  # noqa: DTZ011 the day on the demo's own labels


def _refuse_second(folder: Path) -> None:
    """Two demos cannot share a folder."""
    with contextlib.suppress(control.NotRunning):
        control.ask(folder / "line/control.sock", "status")
        raise TechnicianError(
            Words("a demo is already running here.", "演示已在运行。"),
            Words(
                "Stop it with Ctrl-C, or use --state with another folder.",
                "请按 Ctrl-C 停止，或用 --state 指定其他目录。",
            ),
        )


async def _ask(door: Path, verb: str) -> Any:
    return await asyncio.to_thread(control.ask, door, verb)
