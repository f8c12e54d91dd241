"""Full, read-only, failing, too slow: a named stop, nothing acknowledged lost, and going on without a restart."""

from __future__ import annotations

import asyncio
import hashlib
import os
import string
from pathlib import Path

import pytest

from edge.errors import StorageStop
from edge.log import Log, verify
from edge.log import writer as writer_module
from edge.log.storage import Disk, stop_code
from edge.model import Kind
from edge.wording.storage import FAULTS, READINGS_STOPPED, STOPPED
from tests.log.conftest import ManualClock, all_records, body_of, fill, number_of, scan, strace_or_skip, until
from tests.log.test_kill import run_child

pytestmark = pytest.mark.filterwarnings("error")


async def append_until_stopped(log: Log, acknowledged: list[int], number: int = 0) -> StorageStop:
    while True:
        number += 1
        try:
            await log.append([scan(number, 2000)], {"last": b"%d" % number})
        except StorageStop as stop:
            return stop
        acknowledged.append(number)


@pytest.mark.root
async def test_full_disk_is_a_named_stop_and_recovers_without_restart(opened, small_disk: Path) -> None:
    seen: list[tuple[bool, str]] = []
    async with opened(small_disk, segment_bytes=1 << 30) as log:
        log.on_storage(lambda storage: seen.append((storage.ok, storage.code)))
        acknowledged: list[int] = []
        filler = fill(small_disk)
        async with asyncio.timeout(30):
            stop = await append_until_stopped(log, acknowledged)
        assert stop.what == "The disk is full: nothing more can be recorded."
        assert stop.hint == (
            f"Everything acknowledged is safe. Free space on the disk of {small_disk / 'log'}; recording goes on by itself."
        )
        assert not log.storage.ok
        assert log.storage.reason is not None
        assert log.storage.reason.zh.startswith("磁盘已满：无法继续记录。")
        await log.pulse()
        with pytest.raises(StorageStop):
            await log.append([scan(0)])
        assert [number_of(record) for record in all_records(log, Kind.SCAN)][: len(acknowledged)] == acknowledged
        before = log.generation

        filler.unlink()
        await until(lambda: log.storage.ok and log.generation > before)
        assert (small_disk / "log" / "ballast").stat().st_blocks * 512 >= 64 << 10
        await append_until_number(log, acknowledged)
        assert log.state()["last"] == b"%d" % acknowledged[-1]
        acts = [body_of(record) for record in all_records(log, Kind.AUDIT)]
        assert [(act["act"], act["code"]) for act in acts] == [("storage_stop", "full"), ("storage_resume", "full")]
        assert seen == [(False, "full"), (True, "")]
        found = verify(small_disk, lambda done, of: None)
        assert found.fault is None
    async with opened(small_disk) as log:
        assert [number_of(record) for record in all_records(log, Kind.SCAN)] == acknowledged


async def append_until_number(log: Log, acknowledged: list[int]) -> None:
    for number in range(acknowledged[-1] + 1, acknowledged[-1] + 20):
        await log.append([scan(number, 2000)], {"last": b"%d" % number})
        acknowledged.append(number)


@pytest.mark.root
async def test_the_stop_itself_is_on_record_while_the_disk_is_full(opened, small_disk: Path) -> None:
    async with opened(small_disk, segment_bytes=1 << 30) as log:
        fill(small_disk)
        async with asyncio.timeout(30):
            await append_until_stopped(log, [])
        await until(lambda: log.counts[Kind.AUDIT] == 1)
        (record,) = all_records(log, Kind.AUDIT)
        assert body_of(record)["act"] == "storage_stop"
        assert record.seq == log.head


@pytest.mark.root
async def test_reserve_stops_readings_first_then_scans(opened, small_disk: Path) -> None:
    async with opened(small_disk, reserve_bytes=1 << 20) as log:
        await log.append([scan(1)])
        assert log.storage.readings
        fill(small_disk, leave=(1 << 20) + (100 << 10)).rename(small_disk / "first")
        await until(lambda: not log.storage.readings)
        assert log.storage.ok
        assert log.storage.reason is not None
        assert "sensor readings are no longer stored, scans still are" in log.storage.reason.en
        await log.append([scan(2)])
        fill(small_disk, leave=1 << 19)
        await until(lambda: not log.storage.ok)
        assert log.storage.code == "reserve"
        with pytest.raises(StorageStop) as stop:
            await log.append([scan(3)])
        assert "1 MB are kept in reserve" in stop.value.what
        (small_disk / "first").unlink()
        await until(lambda: log.storage.ok)
        await log.append([scan(4)])
        assert [number_of(record) for record in all_records(log, Kind.SCAN)] == [1, 2, 4]


@pytest.mark.root
async def test_start_on_a_full_disk_shows_the_stop_and_goes_on_by_itself(opened, small_disk: Path) -> None:
    async with opened(small_disk) as log:
        await log.append([scan(1)], {"ST10": b"kept"})
    (small_disk / "log" / "ballast").unlink()
    filler = fill(small_disk)
    async with opened(small_disk) as log:
        assert log.head == 1
        assert log.state() == {"ST10": b"kept"}
        assert not log.storage.ok
        filler.unlink()
        await until(lambda: log.storage.ok)
        await log.append([scan(2)])
        assert [number_of(record) for record in all_records(log, Kind.SCAN)] == [1, 2]


@pytest.mark.root
async def test_start_on_a_read_only_disk_is_a_clear_sentence(opened, small_disk: Path) -> None:
    import subprocess

    async with opened(small_disk) as log:
        await log.append([scan(1)])
    done = subprocess.run(["mount", "-o", "remount,ro", small_disk], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"remounting read-only was refused: {done.stderr.strip()}")
    with pytest.raises(StorageStop) as stop:
        Log.open(small_disk, clock=ManualClock())
    assert stop.value.what == f"The state directory {small_disk} cannot be written: Read-only file system."
    assert verify(small_disk, lambda done, of: None).records == 1
    state = Disk(small_disk / "log", reserve_bytes=0, ballast_bytes=0).state("failing", "disk I/O error", None)
    assert state.code == "read_only"
    assert state.reason is not None
    assert state.reason.en.startswith(f"The disk of {small_disk / 'log'} is read-only: nothing more can be recorded.")
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    async with opened(small_disk) as log:
        await log.append([scan(2)])
        assert log.head == 2


@pytest.mark.parametrize(
    ("call", "error", "code"),
    [("fdatasync", "EIO", "failing"), ("pwrite64", "EROFS", "failing"), ("pwrite64", "ENOSPC", "full")],
)
def test_failing_disk_is_a_named_stop_and_loses_nothing(tmp_path: Path, call: str, error: str, code: str) -> None:
    state_dir = tmp_path / "state"
    before = (strace_or_skip(), "-f", "-qq", "-o", "/dev/null", "-e", f"inject={call}:error={error}:when=40..43")
    done = run_child(state_dir, "errors", 1 << 30, before=before)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    storage = [line[1:] for line in lines if line[0] == "storage"]
    assert storage[0] == ["False", code]
    assert storage[-1] == ["True"]
    acked = {int(line[1]): line[2] for line in lines if line[0] == "ack"}
    found = verify(state_dir, lambda done, of: None)
    assert found.fault is None
    from edge.log import LogReader

    reader = LogReader(state_dir / "log")
    records = {record.seq: record for record in reader.read(0, 100_000)}
    reader.close()
    assert sorted(records) == list(range(1, found.head + 1))
    assert {seq: hashlib.sha256(records[seq].data).hexdigest() for seq in acked} == acked
    acts = [body_of(record)["act"] for record in records.values() if record.kind is Kind.AUDIT]
    assert acts == ["storage_stop", "storage_resume"] * (len(acts) // 2)
    (state,) = [line for line in lines if line[0] == "state"]
    assert state[1] == state[2]


async def test_what_was_sent_before_the_stop_was_known_is_refused_after_it(opened, tmp_path: Path) -> None:
    """An append built on a refused one must not slip in when recording goes on."""
    import apsw

    from edge.log import recorder

    async with opened() as log:
        await log.append([scan(1)])
        writing = recorder.Segment.append
        broken = [True]

        def fail_once(segment: object, *arguments: object) -> None:
            if broken.pop() if broken else False:
                raise apsw.FullError("disk full")
            writing(segment, *arguments)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(recorder.Segment, "append", fail_once)
            first = log.append([scan(2)])
            import time

            time.sleep(2.5)  # the loop sleeps: the thread stops and goes on without it
            second = log.append([scan(3)])
            results = await asyncio.gather(first, second, return_exceptions=True)
        assert [type(result) for result in results] == [StorageStop, StorageStop]
        assert log.generation == 2
        await log.append([scan(4)])
        assert [number_of(record) for record in all_records(log, Kind.SCAN)] == [1, 4]


async def test_memory_is_bounded_when_the_disk_does_not_keep_up(opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "QUEUE_BYTES", 200_000)
    async with opened() as log:
        futures = [log.append([scan(number, 1000)]) for number in range(400)]
        results = await asyncio.gather(*futures, return_exceptions=True)
        taken = [number for number, result in enumerate(results) if not isinstance(result, StorageStop)]
        refused = next(result for result in results if isinstance(result, StorageStop))
        assert refused.what.startswith("The disk does not keep up: too many records are waiting")
        assert taken == list(range(len(taken)))
        assert 0 < len(taken) < 400
        await until(lambda: log.storage.ok and log.generation == 2)
        await log.append([scan(1000)])
        assert [number_of(record) for record in all_records(log, Kind.SCAN)] == [*taken, 1000]


def test_every_reason_exists_in_both_languages_with_the_same_places() -> None:
    for words in (*STOPPED.values(), READINGS_STOPPED, *FAULTS.values()):
        places = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (words.en, words.zh)]
        assert places[0] == places[1]
        assert any("\u4e00" <= letter <= "\u9fff" for letter in words.zh)


def test_every_error_has_a_reason() -> None:
    import apsw

    assert {stop_code(error) for error in (apsw.FullError(), OSError(28, "full"))} == {"full"}
    assert {stop_code(error) for error in (apsw.ReadOnlyError(), OSError(30, "ro"))} == {"read_only"}
    assert {stop_code(error) for error in (apsw.IOError(), OSError(5, "io"), apsw.CantOpenError())} == {"failing"}
    assert {stop_code(error) for error in (apsw.CorruptError(), apsw.NotADBError())} == {"damaged"}
    assert stop_code(apsw.BusyError()) == "busy"


async def test_free_space_is_known_without_asking(log: Log, tmp_path: Path) -> None:
    stat = os.statvfs(tmp_path)
    assert 0 < log.storage.free_bytes <= stat.f_blocks * stat.f_frsize
    assert log.storage.ok
    assert log.storage.reason is None
    assert log.storage.days_left is None
