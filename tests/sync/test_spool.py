"""The spool: lines that are on disk when they count, files that are whole when they have their name."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from edge.contracts import Shelf, Sink
from edge.errors import SinkFault, SinkUnavailable
from edge.model import Entry, Record
from sync.spool import Options, build
from tests.sync.conftest import Bench, settled, until
from tests.sync.events import event, keys_of_all
from tests.sync.test_http import NoShelf, no_secret
from tests.sync.test_http import records as numbered


def spool(directory: Path, rotate_mb: float = 16) -> Sink:
    return build("archive", Options(directory=directory, rotate_mb=rotate_mb), NoShelf(), no_secret)


def lines(directory: Path, pattern: str = "*.jsonl") -> list[bytes]:
    return [line for path in sorted(directory.glob(pattern)) for line in path.read_bytes().splitlines()]


def data(entries: Sequence[Entry]) -> list[bytes]:
    return [entry.data for entry in entries]


def some(count: int) -> tuple[list[Entry], list[Record]]:
    entries = [event(f"L{n}") for n in range(count)]
    return entries, numbered(entries)


async def test_lines_grow_in_a_part_and_get_their_name_when_finished(tmp_path: Path) -> None:
    entries, records = some(3)
    sink = spool(tmp_path)
    verdicts = await sink.deliver(records)
    assert [type(verdict).__name__ for verdict in verdicts] == ["Accepted"] * 3
    assert lines(tmp_path) == []
    assert lines(tmp_path, "*.part") == data(entries)
    await sink.aclose()
    assert [path.name for path in tmp_path.iterdir()] == ["oooooooo-000000000001.jsonl"]
    assert lines(tmp_path) == data(entries)


async def test_every_line_is_fsynced_before_it_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    really = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(os.fstat(fd).st_size), really(fd))[1])
    entries, records = some(2)
    sink = spool(tmp_path)
    await sink.deliver(records)
    assert synced[-1] == sum(len(entry.data) + 1 for entry in entries)
    await sink.aclose()


async def test_a_file_is_finished_by_size_and_by_the_day_of_the_event(tmp_path: Path) -> None:
    entries = [event("A", day="21"), event("B", day="21"), event("C", day="22"), event("D", day="22")]
    sink = spool(tmp_path, rotate_mb=0.0009)  # one event does not fill it, two do
    await sink.deliver(numbered(entries))
    await sink.aclose()
    assert [path.name for path in sorted(tmp_path.iterdir())] == [f"oooooooo-{n:012d}.jsonl" for n in (1, 2, 3, 4)]
    sink = spool(tmp_path)
    more = [event("E", day="22"), event("F", day="23")]
    await sink.deliver(
        [Record(origin=r.origin, seq=r.seq + 10, kind=r.kind, leaf=r.leaf, data=r.data) for r in numbered(more)]
    )
    assert len(list(tmp_path.glob("*.part"))) == 1
    await sink.aclose()
    assert lines(tmp_path) == data([*entries, *more])


async def test_what_is_offered_again_after_a_crash_stands_in_one_line(tmp_path: Path) -> None:
    entries, records = some(5)
    await spool(tmp_path).deliver(records[:4])  # no receipt was written, the process died
    part = next(tmp_path.glob("*.part"))
    part.write_bytes(part.read_bytes() + records[4].data[:50])  # and a line was torn
    sink = spool(tmp_path)
    verdicts = await sink.deliver(records)
    await sink.aclose()
    assert None not in verdicts
    assert lines(tmp_path) == data(entries)


async def test_what_is_offered_again_after_its_file_was_finished_stands_in_one_line(tmp_path: Path) -> None:
    entries, records = some(4)
    sink = spool(tmp_path)
    await sink.deliver(records)
    await sink.aclose()
    sink = spool(tmp_path)
    await sink.deliver(records)
    await sink.aclose()
    assert lines(tmp_path) == data(entries)


async def test_a_full_disk_takes_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries, records = some(4)
    sink = spool(tmp_path)
    await sink.deliver(records[:2])
    really = os.write

    def full(fd: int, block: memoryview) -> int:
        if len(block) > 100:
            return really(fd, block[:100])  # the kernel takes what still fits …
        raise OSError(errno.ENOSPC, "No space left on device")  # … and then says so

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(SinkUnavailable) as told:
            await sink.deliver(records[2:])
    assert str(told.value) == f"{tmp_path} takes nothing: No space left on device. Make room or mend the disk."
    assert lines(tmp_path, "*.part") == data(entries[:2])
    await sink.deliver(records[2:])
    await sink.aclose()
    assert lines(tmp_path) == data(entries)


async def test_a_directory_that_is_not_there_is_never_made(tmp_path: Path) -> None:
    entries, records = some(1)
    sink = spool(tmp_path / "share")
    with pytest.raises(SinkUnavailable) as told:
        await sink.deliver(records)
    assert str(told.value) == f"The directory {tmp_path / 'share'} is not there. Mount the share or make the directory."
    (tmp_path / "share").mkdir()
    await sink.deliver(records)
    await sink.aclose()
    assert lines(tmp_path / "share") == data(entries)


async def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    _, records = some(1)
    sink = spool(tmp_path)
    (tmp_path / "oooooooo-000000000001.jsonl").write_bytes(event("OTHER").data + b"\n")
    with pytest.raises(SinkFault, match="is already there and would be overwritten. Move it away."):
        await sink.deliver(records)
    await sink.aclose()


async def test_a_forbidden_directory_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*args: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    _, records = some(1)
    sink = spool(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", forbidden)
        with pytest.raises(SinkFault, match="may not be written: Permission denied. Give the service the right"):
            await sink.deliver(records)
    await sink.aclose()


async def test_a_courier_fills_the_spool_across_restarts(bench: Bench, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    entries = [event(f"L{n % 5}", f"S{n}") for n in range(400)]

    def make(shelf: Shelf) -> Sink:
        return build("archive", Options(directory=out, rotate_mb=0.05), shelf, no_secret)

    for n in range(0, 400, 100):
        await bench.log.append(entries[n : n + 100])
        async with bench.running(make) as courier:
            await until(settled(courier))
    assert lines(out) == data(entries)
    assert list(out.glob("*.part")) == []
    assert bench.covered() == dict.fromkeys(keys_of_all(entries), 1)
    assert {receipt["receipt"] for receipt in bench.receipts()} <= {"", *(path.name for path in out.iterdir())}
