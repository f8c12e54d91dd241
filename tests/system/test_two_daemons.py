"""One daemon per state directory; a file with errors starts what ran last; what a restart finds."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from edge.config.applied import FILE
from edge.model import Kind
from edge.simulate.scanner import PtyScanner, TcpScanner
from tests.system.rig import (
    BAD,
    BADGE,
    BEARING,
    GOOD,
    GS,
    LOT_SIZE,
    OTHER_BADGE,
    PEOPLE,
    RECEIVING,
    Daemon,
    Person,
    assemble,
    bearing,
    document,
    events,
    eventually,
    hand,
    last_code,
    pump,
    records,
    running,
    scans,
    shaft,
    write,
)


async def test_second_daemon_on_a_state_directory_leaves_with_a_sentence(tmp_path: Path, person: Person) -> None:
    file, state = write(tmp_path, document(tmp_path)), tmp_path / "state"
    async with running(file, state) as first:
        assert first.process is not None
        await person.good(BADGE)
        second = first.verb("run", str(file))
        assert second.returncode == 1
        assert second.stderr == (
            f"lotline run: The state directory {state} is in use by the Lotline with process id {first.process.pid}. "
            "Stop that one first, or name another directory with --state.\n"
        )
        await person.good("WO-1001")
        assert (await first.view())["order"]["id"] == "WO-1001"
        assert await first.stop() == 0
    assert [record["code"] for record in scans(state)] == ["badge_ok", "order_ok"]


async def test_bad_file_starts_the_last_applied_configuration_and_the_page_says_so(
    tmp_path: Path, person: Person
) -> None:
    line, state = document(tmp_path), tmp_path / "state"
    async with running(write(tmp_path, line), state) as daemon:
        await person.good(BADGE)
        assert await daemon.stop() == 0
    bad = write(tmp_path, {**line, "stations": {"ST10": {**line["stations"]["ST10"], "scanners": ["hnad-1"]}}})
    async with running(bad, state) as daemon:
        note = (await daemon.view())["config_note"]
        assert note == {
            "en": "THE FILE HAS ERRORS AND WAS NOT APPLIED. The line runs with the last configuration that was good.",
            "zh": "配置文件有错误，未被采用！产线正使用上一次正确的配置运行。",
        }
        assert "no device 'hnad-1'; did you mean 'hand-1'?" in daemon.words()
        assert daemon.verb("status").stdout.startswith(note["en"])
        await person.good("WO-1001")
        assert await daemon.stop() == 0
    mended = write(tmp_path, line)
    async with running(mended, state) as daemon:
        assert (await daemon.view())["config_note"] is None
        assert await daemon.stop() == 0
    assert len(records(state, Kind.CONFIG)) == 1  # the same configuration all the time


async def test_bad_file_where_nothing_ran_is_refused(tmp_path: Path) -> None:
    line = document(tmp_path)
    bad = write(tmp_path, {**line, "timezone": "Asia/Shangai"})
    daemon = Daemon(bad, tmp_path / "state")
    daemon.start()
    assert await daemon.ended() == 78
    assert "did you mean 'Asia/Shanghai'?" in daemon.words()
    assert not (tmp_path / "state" / FILE).exists()


@pytest.mark.alone
@pytest.mark.parametrize("ends", ["stopped", "killed"])
async def test_open_unit_survives_a_restart_and_is_finished(tmp_path: Path, person: Person, ends: str) -> None:
    file, state = write(tmp_path, document(tmp_path)), tmp_path / "state"
    async with running(file, state) as daemon:
        await person.good(BADGE, "WO-1001", bearing("L77"), shaft("S1"), pump("SN1"), shaft("S2"))
        if ends == "stopped":
            assert await daemon.stop() == 0
    async with running(file, state) as daemon:
        view = await daemon.view()
        assert view["state"] == "collecting"
        assert view["operator"]["id"] == "op-17"
        assert view["order"]["id"] == "WO-1001"
        assert view["order"]["made"] == "1"
        assert [(lot["lot"], Decimal(lot["left"])) for lot in view["loaded"]] == [("L77", LOT_SIZE - 2)]
        assert [(step["name"], step["done"], step["detail"]["en"]) for step in view["steps"]][3] == (
            "shaft",
            True,
            "S2",
        )
        assert await person.scan(shaft("S2")) == BAD  # it is in this unit already
        await person.good(pump("SN2"))
        assert await person.scan(pump("SN1")) == BAD
        assert last_code(state) == ("refused", "step_missing")
        await person.good(shaft("S3"))
        assert await person.scan(pump("SN1")) == BAD
        assert last_code(state) == ("refused", "duplicate_serial")
        assert await daemon.stop() == 0
    joined = [event for event in events(state) if event["lotline:act"] == "join"]
    assert [[item["serial"] for item in event["lotline:items"]] for event in joined] == [["SN1", "S1"], ["SN2", "S2"]]


async def test_label_in_two_symbols_is_one_receipt_and_half_a_label_is_refused(tmp_path: Path) -> None:
    later = "290531"
    async with TcpScanner().serve() as dock:
        line = document(
            tmp_path,
            devices={"dock-1": {"driver": "tcp_scanner", "host": "127.0.0.1", "port": dock.port, "feedback": {"good": "\x06", "bad": "\x15"}}},
            stations={"ST05": {"name": "Goods receipt", "scanners": ["dock-1"], "procedure": "receiving", "repeat_s": 0.02}},
            procedures={"receiving": RECEIVING},
        )  # fmt: skip
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
    units = 40
    async with (
        PtyScanner(tmp_path / "hand-ST10") as one,
        PtyScanner(tmp_path / "hand-ST20") as two,
        PtyScanner(tmp_path / "hand-ST30") as three,
        running(write(tmp_path, line), tmp_path / "state") as daemon,
    ):
        people = [Person(scanner) for scanner in (one, two, three)]

        async def work(person: Person, place: int) -> int:
            """All three reach for the same shafts; who comes too late takes the next."""
            await person.good(BADGE, "WO-1001", bearing("L77"))
            done = 0
            for number in range(units):
                if await person.scan(shaft(f"S{number}")) == GOOD:
                    answer = await person.scan(pump(f"SN{number}-{place}"))
                    done += answer == GOOD
                    if answer == BAD:  # another station built that shaft in meanwhile
                        assert await person.scan("CANCEL") in (GOOD, BAD)
                        await daemon.ask("status")
                        break
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
    assert sum(done) == len(components) == len(set(components))
    assert Decimal(view["loaded"][0]["left"]) == LOT_SIZE - 2 * len(components)
    assert Decimal(view["order"]["made"]) == len(components)
    assert {event["lotline:station"] for event in bound} >= set(names)


async def test_no_name_and_no_badge_stands_in_what_is_recorded(tmp_path: Path, person: Person) -> None:
    state = tmp_path / "state"
    (tmp_path / "outbox").mkdir()
    line = document(tmp_path, destinations={"archive": {"sink": "spool", "directory": str(tmp_path / "outbox")}})
    async with running(write(tmp_path, line), state) as daemon:
        assert await person.scan("BDG:Q7ZX9999") == BAD
        assert await person.scan(OTHER_BADGE) == BAD
        await person.good(BADGE, "WO-1001", bearing("L77"), shaft("S1"), pump("SN1"))
        assert (await daemon.view())["operator"]["name"] == "Li Wei 李伟"
        await daemon.delivered()
        secret = [*(person["badge"] for person in PEOPLE.values()), "Q7ZX9999", "Li Wei", "李伟", "Anna", "Berg"]
        secret += [base64.b64encode(code.encode()).decode() for code in (BADGE, OTHER_BADGE, "BDG:Q7ZX9999")]
        found = _found(state, secret)
        assert await daemon.stop() == 0
    found += _found(state, secret)
    found += [text for text in secret if text in daemon.words()]
    found += [text for text in secret for file in (tmp_path / "outbox").iterdir() if text.encode() in file.read_bytes()]
    assert found == []
    assert "op-17" in {scan["operator"] for scan in scans(state)}


def _found(state: Path, secret: list[str]) -> list[str]:
    files = [file for name in ("log", "readings", "sync") for file in (state / name).rglob("*") if file.is_file()]
    assert any(file.suffix == ".db" for file in files)
    return [f"{text} in {file.name}" for file in files for text in secret if text.encode() in file.read_bytes()]
