"""The live station on a real log: nothing is said before it is on disk, and what could not be stored never happened."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml
from msgspec.structs import replace

from edge.clock import SystemClock
from edge.config.masters import MastersFile
from edge.config.procedure import ProcedureFile
from edge.config.site import FormatFile, Shift
from edge.contracts import Signal
from edge.epcis import Ids, Place
from edge.errors import StorageStop
from edge.identify import HouseFormat
from edge.log import Identities, Log, Provenance, ReadingStore
from edge.masters import compile_masters
from edge.model import Kind, Scan
from edge.station.desk import Floor
from edge.station.live import Shared, Station
from edge.station.procedure import compile_procedure
from edge.wording import Words
from tests.station.bench import FORMATS, MASTERS, PRESS, PUMP, bearing, serial

MANY = MASTERS.replace("WO-1: {material: PUMP-100, quantity: 2}", "WO-1: {material: PUMP-100, quantity: 100}")
SHIFTS = {"day": Shift(start=time(6), end=time(18)), "night": Shift(start=time(18), end=time(6))}
RECEIVING = """
procedure: receiving
revision: 1
steps:
  goods: {receive: any, needs: [lot, quantity], collect_s: 0.2}
"""


class Line:
    """Some stations on one log."""

    def __init__(self, state: Path, *procedures: str) -> None:
        self.clock = SystemClock("Asia/Shanghai")
        self.log = Log.open(state, clock=self.clock, reserve_bytes=1 << 20, wal_bytes=1 << 20, ballast_bytes=1 << 20)
        self.identities = Identities(self.log, state)
        self.identities.catch_up()
        masters = compile_masters(MastersFile.model_validate(yaml.load(MANY, yaml.BaseLoader)))
        self.shared = Shared(
            log=self.log,
            readings=ReadingStore(state, log=self.log, clock=self.clock, provenance=Provenance),
            identities=self.identities,
            floor=Floor(self.log.state(), self.log.generation),
            clock=self.clock,
            masters=lambda: masters,
            formats=tuple(HouseFormat(name, FormatFile(pattern=pattern)) for name, pattern in FORMATS.items()),
            provenance=lambda procedure: Provenance(procedure=f"{procedure.id}/{procedure.revision}"),
            zone=ZoneInfo("Asia/Shanghai"),
            shifts=SHIFTS,
            salt=b"salt",
        )
        self.stations = [
            Station(
                self.shared,
                place=Place(site="S", area="A", line="L", station=f"ST{n}", ids=Ids("https://id.example.com")),
                name=Words("Press", "压装"),
                procedure=compile_procedure(ProcedureFile.model_validate(yaml.load(text, yaml.BaseLoader))),
                repeat_s=2.0,
            )
            for n, text in enumerate(procedures or (PRESS,))
        ]

    async def scan(self, text: str, *, station: int = 0) -> Signal | None:
        moment = self.clock.now()
        raw = text.encode()
        return await self.stations[station].scan(
            Scan(device=f"hand-{station}", raw=raw, captured_at=moment.utc, monotonic_ns=moment.monotonic_ns)
        )

    async def make(self, number: int, *, station: int = 0) -> list[Signal | None]:
        part, unit = serial(f"S{number}"), serial(f"SN{number}", gtin=PUMP)
        return [await self.scan(part, station=station), await self.scan(unit, station=station)]

    def records(self, kind: Kind | None = None) -> list[dict[str, object]]:
        reader = self.log.reader()
        try:
            return [json.loads(record.data) for record in reader.read(0, 100_000, kind)]
        finally:
            reader.close()

    def balance(self, lot: str) -> str:
        return next(str(state.balance) for state in self.shared.floor.lots.values() if state.lot == lot)


@asynccontextmanager
async def line(state: Path, *procedures: str) -> AsyncIterator[Line]:
    opened = Line(state, *procedures)
    try:
        yield opened
    finally:
        await opened.log.close()
        opened.identities.close()


async def test_a_good_beep_means_on_disk(tmp_path: Path) -> None:
    async with line(tmp_path) as work:
        for text in ("BDG:17", "WO-1", bearing("L78")):
            head = work.log.head
            assert await work.scan(text) is Signal.GOOD
            assert work.log.head > head
        assert await work.make(1) == [Signal.GOOD, Signal.GOOD]
        assert [record["verdict"] for record in work.records(Kind.SCAN)] == ["accepted"] * 5
        assert [event["type"] for event in work.records(Kind.EVENT)] == [
            "ObjectEvent",
            "TransformationEvent",
            "AssociationEvent",
        ]


async def test_a_refused_and_a_repeated_scan_are_records_too(tmp_path: Path) -> None:
    async with line(tmp_path) as work:
        assert await work.scan("hello") is Signal.BAD
        assert await work.scan("hello") is None
        assert [record["verdict"] for record in work.records(Kind.SCAN)] == ["refused", "repeated"]


async def test_a_bouncing_trigger_does_not_wipe_a_stop_away(tmp_path: Path) -> None:
    async with line(tmp_path) as work:
        for text in ("BDG:17", "WO-1", bearing("OLD"), bearing("OLD")):
            await work.scan(text)
        assert work.stations[0].view()["state"] == "blocked"
        said = work.stations[0].said
        assert said is not None
        assert said.code == "lot_expired"


async def test_the_state_survives_a_restart_in_the_middle_of_a_unit(tmp_path: Path) -> None:
    async with line(tmp_path) as work:
        for text in ("BDG:17", "WO-1", bearing("L78"), serial("S1")):
            await work.scan(text)
    async with line(tmp_path) as work:
        assert work.stations[0].view()["operator"]["id"] == "op-17"
        assert await work.scan(serial("SN1", gtin=PUMP)) is Signal.GOOD
        assert work.balance("L78") == "98"
        assert await work.scan(serial("S1")) is Signal.BAD
        assert work.stations[0].said is not None
        assert work.stations[0].said.code == "duplicate_serial"


async def test_what_cannot_be_stored_never_happened(tmp_path: Path) -> None:
    async with line(tmp_path) as work:
        for text in ("BDG:17", "WO-1", bearing("L78"), serial("S1")):
            await work.scan(text)
        before = work.log.head
        append, work.log.append = work.log.append, _refuse  # type: ignore[method-assign]
        assert await work.scan(serial("SN1", gtin=PUMP)) is Signal.BAD
        said = work.stations[0].said
        assert said is not None
        assert (said.code, said.level) == ("storage_stop", "stop")
        work.log.append = append  # type: ignore[method-assign]
        assert work.log.head == before
        assert await work.scan(serial("SN1", gtin=PUMP)) is Signal.GOOD, "the serial was not used up"
        assert work.balance("L78") == "98"


async def test_stations_that_share_a_lot_share_its_balance(tmp_path: Path) -> None:
    async with line(tmp_path, *[PRESS] * 5) as work:
        for station in range(5):
            for text in ("BDG:17", "WO-1", bearing("L77")):
                assert await work.scan(text, station=station) is Signal.GOOD
        made = await asyncio.gather(*(work.make(station, station=station) for station in range(5)))
        good = sum(signals[-1] is Signal.GOOD for signals in made)
        assert good == 3, "seven bearings are enough for three pumps of two"
        assert work.balance("L77") == "1"


async def test_two_stations_cannot_make_the_same_serial_at_the_same_moment(tmp_path: Path) -> None:
    async with line(tmp_path, PRESS, PRESS) as work:
        for station in range(2):
            for text in ("BDG:17", "WO-1", bearing("L78"), serial(f"S{station}")):
                await work.scan(text, station=station)
        unit = serial("SN1", gtin=PUMP)
        signals = await asyncio.gather(*(work.scan(unit, station=station) for station in range(2)))
        assert sorted(map(str, signals)) == ["bad", "good"]


async def test_a_label_whose_other_code_never_comes_is_refused_by_itself(tmp_path: Path) -> None:
    async with line(tmp_path, RECEIVING) as work:
        waiting = asyncio.create_task(work.stations[0].run())
        await work.scan("]d210L78")
        for _ in range(100):
            if work.records(Kind.REFUSAL):
                break
            await asyncio.sleep(0.02)
        waiting.cancel()
        (refusal,) = work.records(Kind.REFUSAL)
        assert (refusal["code"], refusal["act"]) == ("label_incomplete", "expire")


async def test_a_badge_is_kept_as_a_commitment_only(tmp_path: Path) -> None:
    async with line(tmp_path) as work:
        await work.scan("BDG:17")
        await work.scan("BDG:99")
        for record in work.records(Kind.SCAN):
            assert "raw" not in record
            assert len(str(record["commitment"])) == 64
        assert "Li Wei" not in json.dumps(work.records())
        assert work.stations[0].view()["operator"] == {"id": "op-17", "name": "Li Wei"}


async def test_an_id_that_is_no_uri_is_refused_and_not_stored_as_an_event(tmp_path: Path) -> None:
    async with line(tmp_path) as work:
        station = work.stations[0]
        station.place = replace(station.place, ids=Ids("not a uri"))
        for text in ("BDG:17", "WO-1"):
            await work.scan(text)
        assert await work.scan(bearing("L78")) is Signal.BAD
        assert station.said is not None
        assert station.said.code == "not_representable"
        assert work.records(Kind.EVENT) == []
        assert work.stations[0].view()["loaded"] == []


async def _refused() -> tuple[int, ...]:
    raise StorageStop("The disk is full.", "Free some space.")


def _refuse(entries: object, state: object = None) -> asyncio.Future[tuple[int, ...]]:
    return asyncio.ensure_future(_refused())
