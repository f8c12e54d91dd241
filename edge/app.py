"""The composition root: a configuration becomes a running line. Everything is built here and owned by one TaskGroup.

Order of a start: the log opens and locks the state directory; what the last commit left is read back; the identity index catches up;
devices, followers and pages start together. The first scan is taken only after all of that.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import secrets
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import apsw

import drivers
import sync
from edge import __version__, control
from edge.clock import SystemClock
from edge.config.applied import remember
from edge.config.loader import Loaded, as_json
from edge.config.secrets import secret_from
from edge.contracts import Driver, Shelf, Sink
from edge.epcis import Ids, Place
from edge.errors import LotlineError, StorageStop
from edge.identify import HouseFormat
from edge.line import Followers, Line
from edge.log import ClockWatch, Identities, Log, Provenance, ReadingStore, entry
from edge.masters import MastersCache
from edge.model import Kind
from edge.notify import Notifier
from edge.station.desk import Floor
from edge.station.live import Shared, Station
from edge.station.procedure import Procedure, compile_procedure
from edge.supervisor import Supervisor
from edge.web import create_app, serve
from edge.wording import Words
from sync.courier import Courier

PULL_S: Final = 60.0  # masters change by the hour; a new order should be there before anybody walks over
_SALT: Final = "salt"
_APPLIED: Final = "config"


async def run_line(
    loaded: Loaded,
    state_dir: Path,
    *,
    note: Words | None = None,
    simulated: bool = False,
    ready: Callable[[str], None] = lambda address: None,
) -> None:
    """Run the line until cancelled. ``ready`` gets the address of the pages. Raises StateInUse, LogDamaged, TechnicianError."""
    site = loaded.site
    clock = SystemClock(site.timezone)
    notifier = Notifier()
    base = Provenance(
        build=f"{__version__}{' simulated' if simulated else ''}", config=loaded.fingerprint[:16], checks="stop"
    )
    async with contextlib.AsyncExitStack() as closing:
        log = Log.open(
            state_dir,
            clock=clock,
            provenance=lambda: base,
            segment_bytes=site.storage.segment_mb << 20,
            reserve_bytes=site.storage.reserve_mb << 20,
            retention_days=site.storage.retention_days,
        )
        closing.push_async_callback(log.close)
        secret = secret_from([*loaded.folders, state_dir])
        with _disk_told(state_dir):
            await _take_up(log, loaded, clock, base)
            masters = MastersCache(site.masters, state_dir / "masters.json")
            readings = ReadingStore(
                state_dir, log=log, clock=clock, provenance=lambda: base, retention_days=site.storage.retention_days
            )
            closing.push_async_callback(readings.close)
            identities = Identities(log, state_dir)
            closing.callback(identities.close)
            identities.catch_up()
        shared = Shared(
            log=log,
            readings=readings,
            identities=identities,
            floor=Floor(log.state(), log.generation),
            clock=clock,
            masters=lambda: masters.current,
            formats=tuple(HouseFormat(name, file) for name, file in site.formats.items()),
            provenance=lambda procedure: _provenance(base, procedure, masters),
            zone=ZoneInfo(site.timezone),
            shifts=site.shifts,
            salt=log.state()[_SALT],
        )
        stations = _stations(loaded, shared)
        line = Line(
            log=log,
            readings=readings,
            clock=clock,
            stations=stations,
            scanners={device: name for name, file in site.stations.items() for device in file.scanners},
            provenance=base,
            note=note,
            simulated=simulated,
            time=site.time,
        )
        supervisor = Supervisor(take=line.take, clock=clock, changed=line.changed)
        couriers = {
            name: Courier(
                name,
                _sink_maker(name, module, options, secret),
                log=log,
                state_dir=state_dir,
                clock=clock,
                provenance=lambda: base,
            )
            for name, (module, options) in loaded.destinations.items()
        }
        for courier in couriers.values():
            closing.callback(courier.close)
        followers: dict[str, Any] = {
            "readings": readings.run,
            "identities": identities.run,
            "clock": ClockWatch(log, clock=clock, provenance=lambda: base).run,
            **{f"station {name}": station.run for name, station in stations.items()},
            **{f"delivery {name}": courier.run for name, courier in couriers.items()},
            **_pulls(loaded, masters, clock, secret),
        }
        line.attend(supervisor, Followers(couriers=couriers, hidden=frozenset(followers)))
        log.on_storage(lambda storage: line.touch())

        def pages_ready(port: int) -> None:
            remember(state_dir, loaded)
            line.address = f"http://{site.web.host}:{port}"
            notifier.say("READY=1\nSTATUS=running")
            ready(line.address)

        async with control.serve(state_dir / "control.sock", line.handlers()), asyncio.TaskGroup() as group:
            for name, run in followers.items():
                group.create_task(supervisor.follow(name, run), name=name)
            for driver in _drivers(loaded):
                group.create_task(supervisor.keep(driver), name=",".join(driver.device_ids))
            group.create_task(serve(create_app(line), site.web.host, site.web.port, pages_ready), name="pages")
            group.create_task(notifier.feed(log.pulse), name="watchdog")
            group.create_task(notifier.farewell(), name="farewell")


def run_until_stopped(main: Callable[[], Any]) -> None:
    """Run ``main()`` in a loop that SIGTERM and SIGINT cancel."""

    async def guarded() -> None:
        task = asyncio.current_task()
        assert task is not None
        for number in (signal.SIGTERM, signal.SIGINT):
            # Ctrl-C reaches a process twice where its parent stops it too; the second must not interrupt the closing
            asyncio.get_running_loop().add_signal_handler(number, lambda: task.cancelling() or task.cancel())
        try:
            await main()
        except asyncio.CancelledError:
            return
        except ExceptionGroup as group:
            raise _spoken(group) from None

    asyncio.run(guarded())


def _spoken(group: ExceptionGroup) -> Exception:
    """The one thing a person can act on, where a task ended with one; everything otherwise."""
    ours = group.subgroup(LotlineError)
    while ours is not None and isinstance(ours.exceptions[0], ExceptionGroup):
        ours = ours.exceptions[0]
    return ours.exceptions[0] if ours is not None else group


@contextlib.contextmanager
def _disk_told(state_dir: Path) -> Iterator[None]:
    """A start needs a little room beside the log. Raises StorageStop where the disk gives none; systemd tries again."""
    try:
        yield
    except (apsw.Error, OSError) as exc:
        raise StorageStop(*(words.fill({"directory": state_dir, "why": exc}) for words in _NO_START)) from exc


_NO_START: Final = (
    Words(
        "The line cannot start: the disk of {directory} takes nothing ({why}). Everything acknowledged is safe.",
        "产线无法启动：{directory} 所在磁盘无法写入（{why}）。已确认的记录全部安全。",
    ),
    Words("Free space there or mend the disk, then start again.", "请释放空间或修复磁盘，然后重新启动。"),
)


async def _take_up(log: Log, loaded: Loaded, clock: SystemClock, base: Provenance) -> None:
    """A new configuration is a record before anything is done by it. People are left out: names live in the file alone."""
    state = log.state()
    fingerprint = loaded.fingerprint.encode()
    if state.get(_APPLIED) == fingerprint and _SALT in state:
        return
    effective = as_json(loaded.effective)
    effective["masters"] = {key: value for key, value in effective.get("masters", {}).items() if key != "people"}
    record = entry(
        Kind.CONFIG,
        clock.now(),
        "",
        base,
        {"fingerprint": loaded.fingerprint, "effective": effective, "sqlite": apsw.sqlite_lib_version()},
    )
    await log.append([record], {_APPLIED: fingerprint, _SALT: state.get(_SALT) or secrets.token_bytes(32)})


def _provenance(base: Provenance, procedure: Procedure, masters: MastersCache) -> Provenance:
    bill = masters.current.bills.get(procedure.makes)
    return Provenance(
        build=base.build,
        config=base.config,
        procedure=f"{procedure.id}/{procedure.revision}",
        bill=f"{bill.material}/{bill.revision}" if bill else "",
        masters=masters.current.version,
        checks=base.checks,
    )


def _stations(loaded: Loaded, shared: Shared) -> dict[str, Station]:
    site = loaded.site
    ids = Ids(site.identity)
    return {
        name: Station(
            shared,
            place=Place(site=site.site, area=site.area, line=site.line, station=name, ids=ids),
            name=Words(file.name.en, file.name.zh),
            procedure=compile_procedure(site.procedures[file.procedure]),
            repeat_s=file.repeat_s,
        )
        for name, file in site.stations.items()
    }


def _drivers(loaded: Loaded) -> list[Driver]:
    """One driver a device, or one a bus where several devices share a port."""
    built: list[Driver] = []
    buses: dict[tuple[str, str], dict[str, Any]] = {}
    for device, (name, options) in loaded.devices.items():
        module = importlib.import_module(drivers.DRIVERS[name])
        key = module.port_key(options) if hasattr(module, "build_bus") else None
        if key is None:
            built.append(module.build(device, options))
        else:
            buses.setdefault((name, key), {})[device] = options
    for (name, _), members in buses.items():
        built.append(importlib.import_module(drivers.DRIVERS[name]).build_bus(members))
    return built


def _sink_maker(name: str, sink: str, options: Any, secret: Callable[[str], str]) -> Callable[[Shelf], Sink]:
    def make(shelf: Shelf) -> Sink:
        built: Sink = importlib.import_module(sync.SINKS[sink]).build(name, options, shelf, secret)
        return built

    return make


def _pulls(
    loaded: Loaded, masters: MastersCache, clock: SystemClock, secret: Callable[[str], str]
) -> Mapping[str, Callable[[], Any]]:
    """One follower for every destination that can also say what should be here."""

    def follower(pull: Callable[..., Any], options: Any) -> Callable[[], Any]:
        async def run() -> None:
            with ThreadPoolExecutor(1, "lotline-masters") as own_thread:
                while True:
                    pulled = await pull(options, secret)
                    await asyncio.get_running_loop().run_in_executor(own_thread, masters.take, pulled, clock.now().utc)
                    await asyncio.sleep(PULL_S)

        return run

    return {
        f"masters {name}": follower(module.pull, options)
        for name, (sink, options) in loaded.destinations.items()
        if hasattr(module := importlib.import_module(sync.SINKS[sink]), "pull")
    }


def state_of(path: Path) -> Path:
    """``path``, made owner-only if it is not there."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.chmod(path, 0o700)
    return path
