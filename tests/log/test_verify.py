"""``verify`` names the first bad record: its seq, its file, and what is wrong."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from edge.log import verify
from edge.log.segment import first_seqs, segment_path
from edge.model import Entry, Kind
from tests.log.conftest import scan

QUIET = lambda done, of: None  # noqa: E731


@pytest.fixture
async def written(opened, tmp_path: Path) -> Path:
    """Some segments of records, closed."""
    async with opened(segment_bytes=60_000) as log:
        for number in range(200):
            await log.append([scan(number, 700)], {"n": b"%d" % number})
    assert len(first_seqs(tmp_path / "log")) > 2
    return tmp_path


def tamper(path: Path, *statements: str) -> None:
    """What somebody with SQLite at hand can do: take the triggers away first."""
    connection = apsw.Connection(str(path))
    for (trigger,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_a_sound_log_is_said_to_be_sound(written: Path) -> None:
    progress: list[tuple[int, int]] = []
    found = verify(written, lambda done, of: progress.append((done, of)))
    assert (found.records, found.first, found.head, found.retired, found.fault) == (200, 1, 200, 0, None)
    assert progress[-1] == (200, 200)


def test_a_flipped_byte_is_named(written: Path) -> None:
    first = first_seqs(written / "log")[1]
    path = segment_path(written / "log", first)
    data = bytearray(path.read_bytes())
    place = data.index(b'"number":%d' % (first + 4)) + len(b'"number":')
    data[place] ^= 1
    path.write_bytes(data)
    fault = verify(written, QUIET).fault
    assert fault is not None
    assert (fault.seq, fault.file) == (first + 5, path.name)
    assert fault.what.en == (
        "the stored bytes are not the ones that were hashed: the record was changed after it was written"
    )


def test_a_missing_record_is_named(written: Path) -> None:
    tamper(segment_path(written / "log", 1), "DELETE FROM records WHERE seq = 5")
    fault = verify(written, QUIET).fault
    assert fault is not None
    assert (fault.seq, fault.what.en) == (5, "records are missing: 5 was expected and 6 follows")


def test_records_cut_off_at_the_end_are_named(written: Path) -> None:
    last = first_seqs(written / "log")[-1]
    tamper(segment_path(written / "log", last), "DELETE FROM records WHERE seq > 198")
    fault = verify(written, QUIET).fault
    assert fault is not None
    assert fault.what.en == "198 records of kind 'scan' are there, 200 were written"


def test_a_missing_segment_is_named(written: Path) -> None:
    firsts = first_seqs(written / "log")
    segment_path(written / "log", firsts[1]).unlink()
    fault = verify(written, QUIET).fault
    assert fault is not None
    assert fault.seq == firsts[1]
    assert fault.what.en == f"records are missing: {firsts[1]} was expected and {firsts[2]} follows"


def test_a_missing_first_segment_is_named(written: Path) -> None:
    segment_path(written / "log", 1).unlink()
    fault = verify(written, QUIET).fault
    assert fault is not None
    assert fault.what.en == "the kept leaf hashes of deleted records do not reach from 1 on"


def test_a_kind_filed_wrongly_is_named(written: Path) -> None:
    tamper(segment_path(written / "log", 1), "UPDATE records SET kind = 'event' WHERE seq = 3")
    fault = verify(written, QUIET).fault
    assert fault is not None
    assert (fault.seq, fault.what.en) == (3, "it is filed as 'event' but its bytes say 'scan'")


def test_a_damaged_page_is_named_by_the_record_it_begins_with(written: Path) -> None:
    path = segment_path(written / "log", 1)
    data = bytearray(path.read_bytes())
    page = data.index(b'"number":20') // 4096
    data[page * 4096 : page * 4096 + 8] = b"\xff" * 8
    path.write_bytes(data)
    fault = verify(written, QUIET).fault
    assert fault is not None
    assert fault.file == path.name
    assert fault.what.en.startswith("the file cannot be read from here on: ")
    assert 0 < fault.seq <= 21


async def test_bytes_that_are_no_record_are_named(opened, tmp_path: Path) -> None:
    async with opened() as log:
        await log.append([scan(1), Entry(kind=Kind.SCAN, data=b"no json")])
    fault = verify(tmp_path, QUIET).fault
    assert fault is not None
    assert (fault.seq, fault.what.en) == (2, "its bytes are no JSON object")


async def test_runs_beside_the_daemon(opened, tmp_path: Path) -> None:
    import asyncio

    async with opened(segment_bytes=60_000) as log:

        async def produce() -> None:
            for number in range(400):
                await log.append([scan(number)], {"n": b"%d" % number})

        producing = asyncio.ensure_future(produce())
        while not producing.done():
            found = await asyncio.to_thread(verify, tmp_path, QUIET)
            assert found.fault is None, found
        await producing
        assert (await asyncio.to_thread(verify, tmp_path, QUIET)).records == 400
