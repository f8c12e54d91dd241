"""Labels in two symbols, and several stations at once."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

from edge.model import Kind
from edge.simulate.scanner import PtyScanner, TcpScanner
from tests.system.rig import (
    BADGE,
    BEARING,
    GOOD,
    GS,
    LOT_SIZE,
    RECEIVING,
    Person,
    assemble,
    bearing,
    document,
    events,
    eventually,
    hand,
    last_code,
    on_network,
    pump,
    records,
    running,
    shaft,
    write,
)


async def test_label_in_two_symbols_is_one_receipt_and_half_a_label_is_refused(tmp_path: Path) -> None:
    later = "290531"
    async with TcpScanner().serve() as dock:
        line = document(
            tmp_path,
            devices={"dock-1": on_network(dock.port)},
            stations={
                "ST05": {"name": "Goods receipt", "scanners": ["dock-1"], "procedure": "receiving", "repeat_s": 0.02}
            },
            procedures={"receiving": RECEIVING},
        )
        at_dock = Person(dock)
        async with running(write(tmp_path, line), tmp_path / "state") as daemon:
            state = daemon.state
            await at_dock.good(BADGE)
            await at_dock.good(f"]C101{BEARING}17{later}")
            assert last_code(state) == ("incomplete", "scan_lot")
            assert (await daemon.view("ST05"))["next"]["en"] == "Scan the lot code too"
            await at_dock.good(f"]C110M1{GS}3040")
            assert last_code(state) == ("accepted", "received")
            await at_dock.good(f"]C110M2{GS}3040")  # the other way round: an orphan lot asks for its article
            assert last_code(state) == ("incomplete", "scan_gtin")
            await eventually(lambda: records(state, Kind.REFUSAL), "half a label is refused")
            ((_, refusal),) = records(state, Kind.REFUSAL)
            assert (refusal["verdict"], refusal["code"], refusal["act"]) == ("refused", "label_incomplete", "expire")
            assert (await daemon.view("ST05"))["verdict"]["code"] == "label_incomplete"
            await at_dock.good(f"]C101{BEARING}17{later}")  # and nothing of the half is left
            assert last_code(state) == ("incomplete", "scan_lot")
            await at_dock.good(f"]C110M3{GS}3041")
            assert await daemon.stop() == 0
    received = [item for event in events(tmp_path / "state") for item in event["lotline:items"]]
    assert [(item["lot"], item["quantity"], item["expiry"]) for item in received] == [
        ("M1", "40", "2029-05-31"), ("M3", "41", "2029-05-31"),
    ]  # fmt: skip


async def test_three_stations_at_once_share_lots_and_never_a_serial(tmp_path: Path) -> None:
    names = ("ST10", "ST20", "ST30")
    line = document(
        tmp_path,
        devices={f"hand-{name}": hand(tmp_path / f"hand-{name}") for name in names},
        stations={
            name: {"name": name, "scanners": [f"hand-{name}"], "procedure": "assemble", "repeat_s": 0.02}
            for name in names
        },
        procedures={"assemble": assemble()},
    )
    line["formats"]["command"] = {"pattern": "CMD:(?P<command>[A-Z]+)"}
    units = 40
    async with (
        PtyScanner(tmp_path / "hand-ST10") as one,
        PtyScanner(tmp_path / "hand-ST20") as two,
        PtyScanner(tmp_path / "hand-ST30") as three,
        running(write(tmp_path, line), tmp_path / "state") as daemon,
    ):
        people = [Person(scanner) for scanner in (one, two, three)]

        async def clear(person: Person) -> bool:
            """Another station built that shaft in meanwhile: the unit is given up."""
            await person.good("CMD:CANCEL")
            return True

        async def work(person: Person, place: int) -> int:
            """All three reach for the same shafts; who comes too late takes the next."""
            await person.good(BADGE, "WO-1001", bearing("L77"))
            done = 0
            for number in range(units):
                if await person.scan(shaft(f"S{number}")) == GOOD:
                    done += await person.scan(pump(f"SN{number}-{place}")) == GOOD or not await clear(person)
            return done

        done = await asyncio.gather(*(work(person, place) for place, person in enumerate(people)))
        view = await daemon.view("ST20")
        assert await daemon.stop() == 0
    bound = events(tmp_path / "state")
    components = [
        item["serial"]
        for event in bound
        if event["lotline:act"] == "join"
        for item in event["lotline:items"]
        if item["role"] == "component"
    ]
    assert sorted(components) == sorted(f"S{number}" for number in range(units))  # each shaft once, whoever was first
    assert sum(done) == units
    assert Decimal(view["loaded"][0]["left"]) == LOT_SIZE - 2 * len(components)
    assert Decimal(view["order"]["made"]) == len(components)
    assert {event["lotline:station"] for event in bound} >= set(names)
