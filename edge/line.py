"""The running line as its pages and its verbs see it: where a device's items go, what a station shows, what may be asked.

Holds no state of its own beyond the last word of each device; stations, log, couriers and supervisor are the owners.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from edge.clock import Clock
from edge.config.site import TimeSource
from edge.contracts import Signal
from edge.control import Handler
from edge.errors import StorageStop, TechnicianError
from edge.log import Log, Provenance, ReadingStore, entry, offset_text
from edge.model import DeviceState, Item, Kind, Moment, Notice, Readings, Scan
from edge.station.live import Station
from edge.station.view import Said, both
from edge.supervisor import DeviceStatus, Supervisor
from edge.wording import Words
from sync.courier import Courier

_RESUME: Final = "resume."


class Followers(Struct, frozen=True, kw_only=True):
    """What follows the log, by name."""

    couriers: Mapping[str, Courier]
    hidden: frozenset[str]  #: supervised names that are no device


class Line:
    """The line of one PC."""

    def __init__(
        self,
        *,
        log: Log,
        readings: ReadingStore,
        clock: Clock,
        stations: Mapping[str, Station],
        scanners: Mapping[str, str],
        provenance: Provenance,
        note: Words | None,
        simulated: bool,
        time: TimeSource,
    ) -> None:
        self._log = log
        self._readings = readings
        self._clock = clock
        self._stations = stations
        self._scanners = scanners  # device -> station
        self._provenance = provenance
        self._note = note
        self._simulated = simulated
        self._time = time
        self._supervisor: Supervisor | None = None
        self._followers = Followers(couriers={}, hidden=frozenset())
        self.address = ""  #: of the pages, once they answer

    def attend(self, supervisor: Supervisor, followers: Followers) -> None:
        """The line is complete."""
        self._supervisor = supervisor
        self._followers = followers

    # --- from the devices --------------------------------------------------------------------------------------------

    async def take(self, item: Item) -> Signal | None:
        """What a device said, made durable or staged, before the next is read."""
        match item:
            case Readings():
                self._readings.take(item)
                for station in self._stations.values():
                    station.take(item)
                return None
            case Scan():
                name = self._scanners.get(item.device)
                if name is not None:
                    return await self._stations[name].scan(item)
                await self._remember(item.device, {"act": "scan_without_station"})
                return Signal.BAD
            case Notice():
                await self._remember(item.device, {"act": item.code, "text": item.text})
                return None

    def changed(self, status: DeviceStatus) -> None:
        """A device or follower changed its state."""
        self.touch()

    def touch(self) -> None:
        """Something every page shows has changed."""
        for station in self._stations.values():
            station.touch()

    # --- for the pages (edge.web.view.LineView) -------------------------------------------------------------------------

    def stations(self) -> Sequence[str]:
        return tuple(self._stations)

    def view(self, station: str) -> dict[str, Any] | None:
        """The page's whole document."""
        live = self._stations.get(station)
        if live is None:
            return None
        moment, storage = self._clock.now(), self._log.storage
        document = live.view()
        return {
            **document,
            "acts": [*document["acts"], *self._resumes()],
            "simulated": self._simulated,
            "clock": {"offset": offset_text(moment.offset_s), "synchronised": self._trusts(moment)},
            "storage": {"ok": storage.ok, "say": both(storage.reason or Words("", ""))},
            "config_note": both(self._note) if self._note else None,
            "devices": [
                {"id": status.device, "state": str(status.state), "say": both(status.detail)}
                for status in self._devices()
            ],
            "sync": [
                {
                    "destination": status.destination,
                    "waiting": status.waiting,
                    "parked": status.parked,
                    "gathered": status.gathered,
                    "state": str(status.state),
                    "say": both(status.say),
                }
                for status in (courier.status() for courier in self._followers.couriers.values())
            ],
            "generation": self._log.generation,
        }

    async def changes(self, station: str) -> AsyncIterator[dict[str, Any]]:
        """A document after every change."""
        async for _ in self._stations[station].changes():
            document = self.view(station)
            assert document is not None
            yield document

    async def act(self, station: str, act: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """What a person did on the page."""
        live = self._stations[station]
        match act:
            case "confirm_close":
                said = await live.close_order()
            case "cancel_unit":
                said = await live.clear_unit()
            case _ if act.startswith(_RESUME):
                await self._resume({"device": act.removeprefix(_RESUME)})
                return {"ok": True, "say": both(Words("Trying again.", "正在重试。"))}
            case "type_in" if fields.get("text"):
                said = await self._typed(live, fields["text"])
            case _:
                return {"ok": False, "say": {"en": "The page asked for nothing that exists.", "zh": "没有该操作。"}}
        if said is None:
            return {"ok": False, "say": {"en": "Nothing happened.", "zh": "未执行。"}}
        return {"ok": said.level in ("ok", "neutral"), "say": both(said.say)}

    # --- for the verbs (edge.control) -----------------------------------------------------------------------------------

    def handlers(self) -> Mapping[str, Handler]:
        """What the control socket answers."""
        return {
            "status": self._status,
            "sync.status": self._sync_status,
            "sync.parked": self._parked,
            "sync.retry": self._retry,
            "sync.export": self._export,
            "resume": self._resume,
        }

    async def _status(self, request: Mapping[str, Any]) -> dict[str, Any]:
        storage = self._log.storage
        return {
            "address": self.address,
            "simulated": self._simulated,
            "stations": [self.view(station) for station in self._stations],
            "log": {
                "origin": self._log.origin,
                "records": self._log.head,
                "kinds": {str(kind): count for kind, count in self._log.counts.items()},
                "readings": self._readings.count,
                "ok": storage.ok,
                "reason": both(storage.reason) if storage.reason else None,
                "free_bytes": storage.free_bytes,
                "days_left": storage.days_left,
            },
            "note": both(self._note) if self._note else None,
            "sync": await self._sync_status(request),
        }

    async def _sync_status(self, request: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            {
                "destination": status.destination,
                "state": str(status.state),
                "delivered": status.delivered,
                "gathered": status.gathered,
                "waiting": status.waiting,
                "parked": status.parked,
                "oldest_s": status.oldest_s,
                "last_receipt_at": status.last_receipt_at.isoformat() if status.last_receipt_at else None,
                "say": both(status.say),
            }
            for status in (courier.status() for courier in self._followers.couriers.values())
        ]

    async def _parked(self, request: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            {
                "destination": name,
                "id": parked.id,
                "seq": parked.seq,
                "at": parked.at,
                "reason": parked.reason,
                "items": list(parked.items),
            }
            for name, courier in self._followers.couriers.items()
            for parked in courier.parked()
        ]

    async def _retry(self, request: Mapping[str, Any]) -> dict[str, str]:
        name, courier = await self._holder(str(request["id"]))
        await courier.retry(str(request["id"]))
        return {"destination": name, "id": str(request["id"])}

    async def _export(self, request: Mapping[str, Any]) -> dict[str, str]:
        name, courier = await self._holder(str(request["id"]))
        return {"destination": name, "data": courier.export(str(request["id"])).decode()}

    async def _resume(self, request: Mapping[str, Any]) -> dict[str, str]:
        assert self._supervisor is not None
        device = str(request["device"])
        if device not in self._supervisor.status():
            raise TechnicianError(Words(f"there is no device '{device}'.", f"没有设备“{device}”。"))
        self._supervisor.resume(device)
        return {"device": device}

    async def _holder(self, record: str) -> tuple[str, Courier]:
        for name, courier in self._followers.couriers.items():
            if any(parked.id == record for parked in courier.parked()):
                return name, courier
        raise TechnicianError(
            Words(f"no destination has parked a record '{record}'.", f"没有目的地搁置记录“{record}”。"),
            Words("`lotline sync parked` lists them.", "请用 `lotline sync parked` 查看。"),
        )

    # --- small parts -----------------------------------------------------------------------------------------------------

    def _resumes(self) -> list[dict[str, Any]]:
        """One button for every device that waits for a person."""
        return [
            {
                "act": _RESUME + status.device,
                "say": both(Words(f"Resume {status.device}", f"恢复 {status.device}")),
                "hold": True,
            }
            for status in self._devices()
            if status.state is DeviceState.FAULT
        ]

    def _trusts(self, moment: Moment) -> bool:
        """Whether the wall clock is as good as the file wants it."""
        good = moment.synchronised and moment.bound_s <= self._time.max_error_s
        return good or not self._time.require_sync

    def _devices(self) -> list[DeviceStatus]:
        if self._supervisor is None:
            return []
        return [s for name, s in self._supervisor.status().items() if name not in self._followers.hidden]

    async def _typed(self, live: Station, text: str) -> Said | None:
        moment = self._clock.now()
        scan = Scan(
            device=f"page.{live.place.station}",
            raw=text.encode(),
            captured_at=moment.utc,
            monotonic_ns=moment.monotonic_ns,
        )
        await live.scan(scan)
        return live.said

    async def _remember(self, device: str, body: Mapping[str, object]) -> None:
        """An audit record about a device; a full disk is told by the station's page, not here."""
        record = entry(Kind.AUDIT, self._clock.now(), "", self._provenance, {"device": device, **body})
        try:
            await asyncio.shield(self._log.append([record]))
        except StorageStop:
            return
