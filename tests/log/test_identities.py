"""A serial that was made once is known, at once and for ever."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from edge.errors import LogDamaged
from edge.log import Identities, Sighting
from edge.log.identities import COMPONENT
from tests.log.conftest import ManualClock, scan, until
from tests.log.test_retention import DAY_S, made, write

TIME = "2026-11-22T12:00:00.000Z"


async def test_reserved_serial_is_seen_before_its_record_is_on_disk(log, tmp_path: Path) -> None:
    identities = Identities(log, tmp_path)
    reserved = Sighting(seq=0, station="ST10", time=TIME)
    assert identities.lookup_now("SN1") is None
    identities.reserve("SN1", reserved)
    assert identities.lookup_now("SN1") == await identities.lookup("SN1") == reserved
    assert identities.lookup_now("SN1", COMPONENT) is None
    identities.release("SN1")
    assert identities.lookup_now("SN1") is None
    identities.close()


async def test_a_serial_is_never_unknown_between_reserving_and_indexing(log, tmp_path: Path) -> None:
    identities = Identities(log, tmp_path)
    following = asyncio.ensure_future(identities.run())
    for number in range(50):
        serial = f"SN{number}"
        identities.reserve(serial, Sighting(seq=0, station="ST10", time=TIME))
        await log.append([scan(1), made(serial)])
        assert identities.lookup_now(serial) is not None
    await until(lambda: not identities._reserved)
    assert [identities.lookup_now(f"SN{number}").seq for number in range(50)] == list(range(2, 101, 2))
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    identities.close()


async def test_first_sighting_is_kept_and_roles_are_told_apart(log, tmp_path: Path) -> None:
    await log.append(
        [made("SN1"), made("SN1"), made("SN1", "component"), made("SN2", "component"), made("L1", "loaded")]
    )
    identities = Identities(log, tmp_path)
    identities.catch_up()
    assert identities.lookup_now("SN1") == Sighting(seq=1, station="ST10", time=TIME)
    assert identities.lookup_now("SN1", COMPONENT) == Sighting(seq=3, station="ST10", time=TIME, role=COMPONENT)
    assert identities.lookup_now("SN2") is None
    assert identities.lookup_now("SN2", COMPONENT) is not None
    assert identities.lookup_now("L1", "loaded") is None
    identities.close()


async def test_catch_up_replays_what_came_while_nobody_followed(opened, tmp_path: Path) -> None:
    async with opened() as log:
        identities = Identities(log, tmp_path)
        identities.catch_up()
        identities.close()
        await log.append([made(f"SN{number}") for number in range(4500)])
    async with opened() as log:
        identities = Identities(log, tmp_path)
        identities.catch_up()
        assert identities._cursor == log.head
        assert all(identities.lookup_now(f"SN{number}") for number in range(4500))
        identities.close()


async def test_index_is_rebuilt_from_the_log_when_it_is_lost(opened, tmp_path: Path) -> None:
    async with opened() as log:
        await log.append([made("SN1")])
        for name in ("index.db", "index.db-wal", "index.db-shm"):
            (tmp_path / "log" / name).unlink(missing_ok=True)
        identities = Identities(log, tmp_path)
        identities.catch_up()
        assert identities.lookup_now("SN1") is not None
        identities.close()


async def test_lost_index_of_a_shortened_log_is_damage_not_silence(opened, tmp_path: Path, clock: ManualClock) -> None:
    async with opened(segment_bytes=40_000) as log:
        await write(log, 120)
        clock.pass_time(401 * DAY_S)
        await asyncio.to_thread(log._retention.remove_old, log._record_retired)
        with pytest.raises(LogDamaged, match="lacks the serials of records 1 to"):
            Identities(log, tmp_path)


async def test_segments_are_held_until_the_index_is_on_disk(opened, tmp_path: Path, clock: ManualClock) -> None:
    async with opened(segment_bytes=40_000) as log:
        identities = Identities(log, tmp_path)
        await write(log, 120)
        clock.pass_time(401 * DAY_S)
        await asyncio.to_thread(log._retention.remove_old, log._record_retired)
        assert log.reader().get(1) is not None
        identities.catch_up()
        identities._settle()
        await asyncio.to_thread(log._retention.remove_old, log._record_retired)
        assert log.reader().get(1) is None
        identities.close()
    shutil.rmtree(tmp_path / "log")
