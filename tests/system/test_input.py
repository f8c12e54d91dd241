"""Whatever comes out of a scanner: the daemon lives, says what it was, and takes the next good scan."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.model import Kind
from tests.system.rig import (
    BAD,
    BADGE,
    Daemon,
    Person,
    bearing,
    document,
    eventually,
    last_code,
    pump,
    records,
    running,
    scans,
    shaft,
    write,
)

RATE = 1000
SECONDS = 60
WARM_S = 10
GROWTH_KB = 30_000
ENDLESS = 10_000_000


async def _unit(person: Person, number: int) -> None:
    await person.good(shaft(f"S{number}"), pump(f"SN{number}"))


async def _notices(daemon: Daemon, code: str) -> list[dict]:
    return [record for _, record in records(daemon.state, Kind.AUDIT) if record["act"] == code]


async def test_noise_and_endless_codes_leave_the_line_working(tmp_path: Path, person: Person) -> None:
    chance = random.Random(6)
    async with running(write(tmp_path, document(tmp_path)), tmp_path / "state") as daemon:
        await person.good(BADGE, "WO-1001", bearing("L77"))

        noise = chance.randbytes(20_000)
        await person.scanner.send(noise + b"\r")
        frames = [frame for frame in noise.replace(b"\n", b"\r").split(b"\r") if frame]
        await eventually(
            lambda: len(scans(daemon.state)) + len(records(daemon.state, Kind.AUDIT)) >= len(frames), "noise is kept"
        )
        assert all(scan["verdict"] != "accepted" for scan in scans(daemon.state)[3:])
        await asyncio.sleep(0.3)  # its beeps
        await _unit(person, 1)

        answers = person.scanner.heard.count
        await person.scanner.send(b"7" * ENDLESS)
        await person.scanner.send(b"\r")
        ((_, notice),) = await eventually(lambda: _overruns(daemon), "the overrun is recorded")
        assert (notice["device"], notice["act"], notice["text"]) == ("hand-1", "overrun", "longer than 4096 bytes")
        assert person.scanner.heard.count == answers
        await _unit(person, 2)

        for strange in (
            b"\xff\xfe\xc3\x28",
            b"\x80BDG:Q7ZX1717",
            b"\x1d",
            b"\x1d\x1d\x1d",
            b"]d2\x1d",
            b"\x00" * 50,
            b" ",
        ):
            assert await person.scan(strange) == BAD
            assert last_code(daemon.state)[0] == "refused"
        await _unit(person, 3)

        await person.scanner.send(b"\r\n\r\n\r\r\n")  # nothing but ends of codes is no code
        await _unit(person, 4)
        (device,) = (await daemon.view())["devices"]
        assert (device["id"], device["state"]) == ("hand-1", "online")
        assert await daemon.stop() == 0
    everything = records(tmp_path / "state")
    assert [seq for seq, _ in everything] == list(range(1, len(everything) + 1))


async def _overruns(daemon: Daemon) -> list:
    return [(seq, record) for seq, record in records(daemon.state, Kind.AUDIT) if record["act"] == "overrun"]


@pytest.mark.alone
@pytest.mark.timeout(300)
async def test_a_thousand_scans_a_second_for_a_minute_are_all_there(
    tmp_path: Path, person: Person, measured: Callable[[str], None]
) -> None:
    """A reader gone wild: nothing is lost, the daemon answers all the while and does not grow."""
    line = document(tmp_path)
    line["devices"]["hand-1"] |= {"baudrate": 921_600}
    async with running(write(tmp_path, line), tmp_path / "state") as daemon:
        await person.good(BADGE, "WO-1001", bearing("L77"))
        sent, slowest, warm_kb, most_kb = 3, 0.0, 0, 0
        began = time.monotonic()
        for second in range(SECONDS):
            flood = asyncio.create_task(person.scanner.send(b"".join(_codes(second))))
            sent += RATE
            asked = time.monotonic()
            await daemon.ask("status")
            slowest = max(slowest, time.monotonic() - asked)
            await flood
            rss_kb = daemon.rss_kb()
            if second < WARM_S:
                warm_kb = max(warm_kb, rss_kb)
            most_kb = max(most_kb, rss_kb)
            await asyncio.sleep(max(0.0, began + second + 1 - time.monotonic()))
        took_s = time.monotonic() - began

        async def all_there() -> bool:
            return (await daemon.ask("status"))["log"]["kinds"]["scan"] >= sent

        await eventually(all_there, "every scan is recorded", 120)
        done_s = time.monotonic() - began
        await asyncio.sleep(0.5)
        await person.good(shaft("AFTER"), pump("AFTER"))
        assert await daemon.stop() == 0
    kept = scans(tmp_path / "state")
    assert len(kept) == sent + 2
    verdicts = Counter(scan["verdict"] for scan in kept)
    assert verdicts["accepted"] > 0 and verdicts["refused"] > 0 and verdicts["repeated"] > 0
    assert most_kb - warm_kb < GROWTH_KB
    measured(
        f"{sent} scans sent in {took_s:.1f} s, all on disk after {done_s:.1f} s, slowest status {slowest:.3f} s, "
        f"resident {warm_kb} kB when warm, {most_kb} kB at most, {dict(verdicts)}"
    )


def _codes(second: int) -> list[bytes]:
    """One second: new units, the same label over and over, and codes of nobody."""
    codes: list[str] = []
    for number in range(RATE // 5):
        serial = f"{second}-{number}"
        codes += [shaft(f"S{serial}"), pump(f"SN{serial}"), f"NOBODY{serial}", "AGAIN", "AGAIN"]
    return [code.encode() + b"\r" for code in codes]
