"""One writer, one commit, one fdatasync: order, state, counts, and who may work here."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from edge.errors import LotlineError, StateInUse, StorageStop
from edge.log import Log, leaf_hash, verify
from edge.log import recorder as recorder_module
from edge.log.segment import first_seqs, require_sqlite, segment_path
from edge.model import Entry, Kind
from tests.log.conftest import ManualClock, all_records, number_of, scan, strace_or_skip
from tests.log.test_kill import ROOT, run_child


async def test_seqs_have_no_gaps_and_follow_the_order_of_append(log: Log) -> None:
    futures = [log.append([scan(number), scan(number)]) for number in range(500)]
    seqs = [seq for each in await asyncio.gather(*futures) for seq in each]
    assert seqs == list(range(1, 1001))
    assert [number_of(record) for record in all_records(log)] == [number for number in range(500) for _ in "ab"]
    assert log.head == 1000


async def test_stored_bytes_are_the_ones_given_and_the_leaf_is_rfc_6962(log: Log) -> None:
    item = Entry(kind=Kind.EVENT, data='{ "lotline:kind" : "event", "轴": 1.0 }'.encode())
    await log.append([item])
    (record,) = all_records(log)
    assert record.data == item.data
    assert record.leaf == leaf_hash(item.data)
    assert record.origin == log.origin
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"  # RFC 6962 vector


async def test_state_changes_in_the_transaction_of_its_records(opened, tmp_path: Path) -> None:
    async with opened() as log:
        await asyncio.gather(
            log.append([scan(1)], {"ST10": b"one", "ST20": b"x"}),
            log.append([scan(2)], {"ST10": b"two", "ST20": None}),
            log.append([], {"ST30": b"alone"}),
        )
        assert log.state() == {"ST10": b"two", "ST30": b"alone"}
        assert log.head == 2
    async with opened() as log:
        assert log.state() == {"ST10": b"two", "ST30": b"alone"}


async def test_counts_per_kind_survive_restart_and_new_segments(opened) -> None:
    for _ in range(2):
        async with opened(segment_bytes=20_000) as log:
            for number in range(30):
                await log.append([scan(number, 900), scan(number, kind=Kind.REFUSAL)])
    async with opened() as log:
        assert log.counts[Kind.SCAN] == log.counts[Kind.REFUSAL] == 60
        assert log.counts[Kind.EVENT] == 0
        assert set(log.counts) == set(Kind)


async def test_many_producers_share_few_commits(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    commits = 0
    append = recorder_module.Segment.append

    def counted(*arguments: object) -> None:
        nonlocal commits
        commits += 1
        append(*arguments)

    monkeypatch.setattr(recorder_module.Segment, "append", counted)
    await asyncio.gather(*(log.append([scan(number)]) for number in range(3000)))
    assert log.head == 3000
    assert commits <= 60


def test_one_commit_costs_exactly_one_fdatasync(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    before = (strace_or_skip(), "-f", "-o", str(trace), "-e", "trace=fsync,fdatasync,sync_file_range,write")
    done = run_child(tmp_path / "state", "commits", 1 << 30, before=before)
    assert done.returncode == 0, done.stderr
    syncs: list[int] = []
    inside = False
    for line in trace.read_text().splitlines():
        if '"BEGIN' in line:
            syncs.append(0)
            inside = True
        elif '"END' in line:
            inside = False
        elif inside and re.search(r"\b(fsync|fdatasync|sync_file_range)\(", line):
            syncs[-1] += 1
    assert syncs == [1] * 20


async def test_update_and_delete_are_refused_by_the_file_itself(log: Log, tmp_path: Path) -> None:
    await log.append([scan(1)])
    other = apsw.Connection(str(segment_path(tmp_path / "log", 1)))
    try:
        for statement, table in (
            ("UPDATE records SET data = x'00'", "UPDATE on records"),
            ("DELETE FROM records", "DELETE on records"),
            ("INSERT OR REPLACE INTO meta(key, value) VALUES ('origin', 'x')", "UPDATE on meta"),
            ("UPDATE meta SET value = 'x'", "UPDATE on meta"),
            ("DELETE FROM meta", "DELETE on meta"),
        ):
            with pytest.raises(apsw.Error) as refused:
                other.execute(statement)
            assert f"the log is append-only: no {table}" in str(refused.value)
    finally:
        other.close()


async def test_a_record_cannot_be_replaced_in_place(log: Log, tmp_path: Path) -> None:
    await log.append([scan(1)])
    other = apsw.Connection(str(segment_path(tmp_path / "log", 1)))
    try:
        for statement in ("INSERT OR REPLACE", "INSERT"):
            for seq in (1, 3):
                with pytest.raises(apsw.Error, match="the log is append-only: this is not the next seq"):
                    other.execute(f"{statement} INTO records VALUES ({seq}, 'scan', x'00', x'00')")
    finally:
        other.close()
    assert number_of(all_records(log)[0]) == 1


async def test_second_process_is_told_who_holds_the_directory(log: Log, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from edge.log import Log; from edge.errors import StateInUse\n"
        "from tests.log.conftest import ManualClock\n"
        "try: Log.open(Path(sys.argv[1]), clock=ManualClock())\n"
        "except StateInUse as stop: print(stop)"
    )
    import os

    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.strip() == (
        f"The state directory {tmp_path} is in use by the Lotline with process id {os.getpid()}. "
        "Stop that one first, or name another directory with --state."
    ), done.stderr
    with pytest.raises(StateInUse):
        Log.open(tmp_path, clock=ManualClock())


async def test_directory_is_free_again_after_close(opened) -> None:
    for expected in (0, 1, 2):
        async with opened() as log:
            assert log.head == expected
            await log.append([scan(1)])


async def test_close_commits_what_waits_and_refuses_what_comes_later(opened) -> None:
    async with opened() as log:
        waiting = [log.append([scan(number)]) for number in range(100)]
        closing = asyncio.ensure_future(log.close())
        await asyncio.sleep(0)
        with pytest.raises(StorageStop) as stop:
            await log.append([scan(100)])
        assert str(stop.value) == "The log is closed: the program is stopping. Start it again."
        assert [seqs for (seqs,) in await asyncio.gather(*waiting)] == list(range(1, 101))
        await closing


async def test_beyond_waits_for_the_head(log: Log) -> None:
    waiting = asyncio.ensure_future(log.beyond(1))
    await log.append([scan(1)])
    await asyncio.sleep(0)
    assert not waiting.done()
    await log.append([scan(2)])
    assert await waiting == 2
    assert await log.beyond(0) == 2


async def test_a_cancelled_waiter_disturbs_nobody(log: Log) -> None:
    first, second = asyncio.ensure_future(log.beyond(0)), asyncio.ensure_future(log.beyond(0))
    await asyncio.sleep(0)
    first.cancel()
    cancelled = log.append([scan(1)])
    cancelled.cancel()
    await log.append([scan(2)])
    assert await second >= 1
    assert log.head == 2


async def test_pulse_is_answered_after_what_was_sent_before(log: Log) -> None:
    sent = log.append([scan(1)])
    await log.pulse()
    assert log.head == 1
    await sent


async def test_what_no_file_can_hold_is_refused_at_once(log: Log) -> None:
    with pytest.raises(TypeError, match="an entry is a Kind and bytes"):
        log.append([Entry(kind=Kind.SCAN, data="text")])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="working state is str to bytes"):
        log.append([scan(1)], {"ST10": "text"})  # type: ignore[dict-item]
    await log.append([scan(1)])
    assert log.head == 1


async def test_segments_roll_under_load_without_a_gap(opened, tmp_path: Path) -> None:
    async with opened(segment_bytes=50_000) as log:
        for start in range(0, 600, 20):
            await asyncio.gather(
                *(log.append([scan(number)], {"n": b"%d" % number}) for number in range(start, start + 20))
            )
        assert [number_of(record) for record in all_records(log)] == list(range(600))
        assert len(first_seqs(tmp_path / "log")) > 3
        assert verify(tmp_path, lambda done, of: None).fault is None
    async with opened() as log:
        assert log.head == 600
        assert log.state() == {"n": b"599"}
        assert verify(tmp_path, lambda done, of: None).records == 600


async def test_a_birth_that_was_interrupted_is_undone(opened, tmp_path: Path) -> None:
    async with opened() as log:
        await log.append([scan(1)], {"ST10": b"kept"})
    for leftover in (b"", None):
        path = segment_path(tmp_path / "log", 2)
        if leftover is None:
            connection = apsw.Connection(str(path))
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            connection.close()
        else:
            path.write_bytes(leftover)
        assert verify(tmp_path, lambda done, of: None).fault is None
        async with opened() as log:
            assert log.head == 1
            assert log.state() == {"ST10": b"kept"}
            assert first_seqs(tmp_path / "log") == [1]
            assert [record.seq for record in all_records(log)] == [1]


async def test_order_is_by_seq_when_the_clock_goes_two_hours_back(log: Log, clock: ManualClock) -> None:
    from edge.log import Provenance, entry

    for number in range(4):
        await log.append([entry(Kind.SCAN, clock.now(), "ST10", Provenance(), {"number": number})])
        clock.step_wall(-7200)
    assert [number_of(record) for record in all_records(log)] == [0, 1, 2, 3]


def test_a_sqlite_that_can_corrupt_the_log_is_refused() -> None:
    require_sqlite(3_051_003, "3.51.3")
    with pytest.raises(LotlineError) as refused:
        require_sqlite(3_040_001, "3.40.1")
    assert str(refused.value) == (
        "This apsw carries SQLite 3.40.1, which can corrupt a log. "
        "Install the versions named in requirements.lock (SQLite 3.51.3 or later)."
    )
