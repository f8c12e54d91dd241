"""What is old goes in whole files; what proves it and names it stays."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson

from edge.log import Identities, Log, Sighting, leaf_hash, verify
from edge.log.retention import Retention
from edge.log.segment import first_seqs
from edge.model import Entry, Kind
from tests.log.conftest import ManualClock, all_records, body_of, scan, until

DAY_S = 86_400


def made(serial: str, role: str = "output") -> Entry:
    document = {
        "eventID": f"urn:uuid:{serial}",
        "eventTime": "2026-11-22T12:00:00.000Z",
        "lotline:kind": "event",
        "lotline:station": "ST10",
        "lotline:act": "make",
        "lotline:items": [{"role": role, "id": serial}, {"role": "input", "id": "lot"}],
        "padding": "x" * 900,
    }
    return Entry(kind=Kind.EVENT, data=orjson.dumps(document))


async def write(log: Log, count: int) -> None:
    for number in range(count):
        await log.append([made(f"SN{log.head + 1}")], {"n": b"%d" % number})


async def test_old_segments_go_with_leaves_identities_and_state_kept(
    opened, tmp_path: Path, clock: ManualClock
) -> None:
    async with opened(segment_bytes=40_000) as log:
        identities = Identities(log, tmp_path)
        await write(log, 200)
        leaves = [(record.seq, record.leaf) for record in all_records(log)]
        identities.catch_up()
        identities._settle()
        retention = log._retention
        clock.pass_time(401 * DAY_S)
        oldest = first_seqs(tmp_path / "log")[-1]
        await asyncio.to_thread(retention.remove_old, log._record_retired)
        assert first_seqs(tmp_path / "log") == [oldest]
        reader = log.reader()
        assert reader.leaves(0, 200) == leaves
        assert reader.leaves(7, 3) == leaves[7:10]
        assert reader.get(1) is None
        assert reader.read(0, 1)[0].seq == oldest
        reader.close()
        assert identities.lookup_now("SN1") == Sighting(seq=1, station="ST10", time="2026-11-22T12:00:00.000Z")
        removed = [body_of(record) for record in all_records(log, Kind.AUDIT)]
        assert [each["act"] for each in removed] == ["retention"] * len(removed)
        assert removed[0]["first"] == 1
        assert removed[-1]["last"] == oldest - 1
        found = verify(tmp_path, lambda done, of: None)
        assert found.fault is None
        assert found.retired == oldest - 1
        identities.close()
    async with opened() as log:
        assert log.counts[Kind.EVENT] == 200
        identities = Identities(log, tmp_path)
        assert identities.lookup_now("SN2") is not None
        identities.close()


async def test_nothing_goes_that_a_follower_has_not_passed(opened, tmp_path: Path, clock: ManualClock) -> None:
    async with opened(segment_bytes=40_000) as log:
        await write(log, 150)
        first, second, third = first_seqs(tmp_path / "log")[:3]
        log.hold("erp", lambda: third - 2)
        clock.pass_time(401 * DAY_S)
        await asyncio.to_thread(log._retention.remove_old, log._record_retired)
        assert first_seqs(tmp_path / "log")[0] == second
        assert first == 1


async def test_nothing_goes_before_its_time_or_by_an_unsynchronised_clock(
    opened, tmp_path: Path, clock: ManualClock
) -> None:
    async with opened(segment_bytes=40_000) as log:
        await write(log, 100)
        before = first_seqs(tmp_path / "log")
        clock.pass_time(399 * DAY_S)
        await asyncio.to_thread(log._retention.remove_old, log._record_retired)
        clock.pass_time(400 * DAY_S)
        clock.synchronised = False
        await asyncio.to_thread(log._retention.remove_old, log._record_retired)
        assert first_seqs(tmp_path / "log") == before


async def test_a_removal_that_cannot_be_recorded_does_not_happen(opened, tmp_path: Path, clock: ManualClock) -> None:
    async with opened(segment_bytes=40_000) as log:
        await write(log, 100)
        before = first_seqs(tmp_path / "log")
        clock.pass_time(401 * DAY_S)
        Retention(tmp_path / "log", clock=clock, days=400).remove_old(lambda body: False)
        assert first_seqs(tmp_path / "log") == before
        assert verify(tmp_path, lambda done, of: None).fault is None
        reader = log.reader()
        assert reader.leaves(0, 1000) == [(record.seq, record.leaf) for record in all_records(log)]
        reader.close()


async def test_retention_runs_by_itself(opened, tmp_path: Path, clock: ManualClock) -> None:
    async with opened(segment_bytes=40_000) as log:
        await log.append([scan(1)])
        await until(lambda: log._retention._work is not None)
    clock.pass_time(401 * DAY_S)
    async with opened(segment_bytes=1) as log:
        await log.append([scan(2)])
        await until(lambda: len(first_seqs(tmp_path / "log")) > 1)  # the next segment begins after the answer
        clock.pass_time(401 * DAY_S)

        async with asyncio.timeout(20):
            while first_seqs(tmp_path / "log")[0] == 1:
                log._retention._next_at = log._recorder._outlook_at = log._recorder._space_at = 0.0  # the hour is over
                await log.append([scan(3)])  # an idle writer sleeps until its next look
                await asyncio.sleep(0.05)
        assert leaf_hash(scan(1).data) != b""
