"""Readings come back as they were taken: over midnight, over a clock step, over a crash, from stage and from blocks."""

from __future__ import annotations

import asyncio
import os
import signal
from array import array
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.errors import StorageStop
from edge.log import Provenance, ReadingStore, verify
from edge.log import readings as readings_module
from edge.log.readingsfile import EPOCH
from edge.model import Kind, Layout, Quality, Readings, Tag
from tests.log.conftest import SMALL, ManualClock, all_records, body_of, until

FORCE = Tag(name="press-2.force", unit="NEW", scale=0.1, digits=1)
TEMPERATURE = Tag(name="climate-1.temperature", unit="CEL", digits=6)
PRESS = Layout(device="press-2", tags=(FORCE, Tag(name="press-2.cycle", unit="")), typecode="q")
CLIMATE = Layout(device="climate-1", tags=(TEMPERATURE,), typecode="d")
ALWAYS = (0, 2**62)


def frame(layout: Layout, clock: ManualClock, *values: float, quality: Quality = Quality.GOOD) -> Readings:
    return Readings(
        layout=layout,
        values=array(layout.typecode, values),
        captured_at=clock.utc,
        monotonic_ns=clock.monotonic_ns,
        quality=quality,
    )


def ns(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1) * 1000


@pytest.fixture
async def store(log, tmp_path: Path, clock: ManualClock) -> AsyncIterator[ReadingStore]:
    store = ReadingStore(tmp_path, log=log, clock=clock, provenance=Provenance)
    yield store
    await store.close()


async def take(store: ReadingStore, clock: ManualClock, count: int, every_s: float = 0.04) -> list[tuple[int, float]]:
    expected = []
    for number in range(count):
        store.take(frame(PRESS, clock, number * 7, number % 2))
        expected.append((ns(clock.utc), FORCE.value(number * 7)))
        clock.pass_time(every_s)
    return expected


async def test_flushed_readings_are_durable_and_read_in_their_unit(store, clock) -> None:
    expected = await take(store, clock, 25)
    assert store.count == 0
    await store.flush()
    assert store.count == 50
    assert store.read("press-2.force", *ALWAYS) == expected
    assert store.read("press-2.force", expected[3][0], expected[6][0]) == expected[3:7]
    assert store.read("nobody", *ALWAYS) == []


async def test_sealing_changes_the_form_and_not_the_readings(store, log, clock, tmp_path: Path) -> None:
    expected = await take(store, clock, 100)
    store.take(frame(CLIMATE, clock, 22.4))
    await store.flush()
    await store.seal()
    expected += await take(store, clock, 10)
    await store.flush()
    assert store.read("press-2.force", *ALWAYS) == expected
    assert store.read("climate-1.temperature", *ALWAYS)[0][1] == 22.4
    (record,) = all_records(log, Kind.READINGS)
    body = body_of(record)
    assert body["file"] == "readings-2026-11-22.db"
    assert [(span["device"], span["frames"], list(span["blocks"])) for span in body["spans"]] == [
        ("press-2", 100, ["press-2.force", "press-2.cycle"]),
        ("climate-1", 1, ["climate-1.temperature"]),
    ]
    found = verify(tmp_path, lambda done, of: None)
    assert (found.fault, found.blocks) == (None, 5)


async def test_nothing_is_recorded_when_nothing_was_taken(store, log) -> None:
    await store.flush()
    await store.seal()
    assert log.head == 0


async def test_readings_over_midnight_stand_in_the_file_of_their_day(store, clock, tmp_path: Path) -> None:
    clock.utc = datetime(2026, 11, 22, 23, 59, 59, 500_000, tzinfo=UTC)
    expected = await take(store, clock, 25)
    await store.flush()
    names = [path.name for path in sorted((tmp_path / "readings").glob("*.db"))]
    assert names == ["readings-2026-11-22.db", "readings-2026-11-23.db"]
    for _ in "ab":
        assert store.read("press-2.force", *ALWAYS) == expected
        assert store.read("press-2.force", expected[10][0], expected[20][0]) == expected[10:21]
        await store.seal()
    assert verify(tmp_path, lambda done, of: None).fault is None


async def test_a_clock_that_steps_back_overwrites_nothing(store, clock) -> None:
    first = await take(store, clock, 25)
    await store.flush()
    clock.step_wall(-1.0)
    second = await take(store, clock, 25)
    await store.flush()
    assert store.read("press-2.force", *ALWAYS) == first + second
    await store.seal()
    clock.step_wall(-2.0)
    third = await take(store, clock, 25)
    await store.flush()
    await store.seal()
    assert store.read("press-2.force", *ALWAYS) == first + second + third
    assert store.count == 150


async def test_bad_readings_are_kept_and_not_shown(store, clock) -> None:
    store.take(frame(CLIMATE, clock, 21.0))
    store.take(frame(CLIMATE, clock, -999.0, quality=Quality.BAD))
    store.take(frame(CLIMATE, clock, 22.0, quality=Quality.UNCERTAIN))
    await store.flush()
    await store.seal()
    assert [value for _, value in store.read("climate-1.temperature", *ALWAYS)] == [21.0, 22.0]
    samples = store.samples("climate-1.temperature", *ALWAYS)
    assert [(sample.raw, sample.quality) for sample in samples] == [
        (21.0, "good"),
        (-999.0, "bad"),
        (22.0, "uncertain"),
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("press"), st.integers(-(2**63), 2**63 - 1), st.sampled_from(Quality)),
            st.tuples(st.just("climate"), st.floats(), st.sampled_from(Quality)),
            st.tuples(st.sampled_from(["flush", "seal"])),
            st.tuples(st.just("pass"), st.integers(-90_000, 90_000)),
        ),
        max_size=40,
    )
)
def test_every_sequence_of_frames_comes_back_bit_by_bit(tmp_path_factory: pytest.TempPathFactory, acts: list) -> None:
    from edge.log import Log

    async def play() -> None:
        clock = ManualClock()
        state_dir = tmp_path_factory.mktemp("store")
        log = Log.open(state_dir, clock=clock, **SMALL)
        store = ReadingStore(state_dir, log=log, clock=clock, provenance=Provenance)
        expected: dict[str, list] = {FORCE.name: [], TEMPERATURE.name: []}
        for act in acts:
            match act:
                case ["press", raw, quality]:
                    store.take(frame(PRESS, clock, raw, 1, quality=quality))
                    expected[FORCE.name].append((ns(clock.utc) // 1000, raw, quality))
                case ["climate", raw, quality]:
                    store.take(frame(CLIMATE, clock, raw, quality=quality))
                    expected[TEMPERATURE.name].append((ns(clock.utc) // 1000, raw, quality))
                case ["flush"]:
                    await store.flush()
                case ["seal"]:
                    await store.seal()
                case ["pass", seconds]:
                    clock.pass_time(seconds)
        await store.flush()
        for tag, samples in expected.items():
            found = [(sample.time_us, sample.raw, sample.quality) for sample in store.samples(tag, *ALWAYS)]
            by_day = sorted(samples, key=lambda sample: sample[0] // 86_400_000_000)
            assert [repr(sample) for sample in found] == [repr(sample) for sample in by_day]
        assert store.count == sum(2 if act[0] == "press" else act[0] == "climate" for act in acts)
        await store.close()
        await log.close()

    asyncio.run(play())


async def test_after_a_crash_the_stage_is_sealed_and_recorded(opened, tmp_path: Path, clock: ManualClock) -> None:
    """The child dies between a flush and the next seal, and another one between sealing and recording."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(_take_and_die(tmp_path, writing))
        finally:
            os._exit(3)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        assert pipe.readline() == "durable 150\n"
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    async with opened() as log:
        store = ReadingStore(tmp_path, log=log, clock=clock, provenance=Provenance)
        assert store.count == 150
        running = asyncio.ensure_future(store.run())
        await until(lambda: log.counts[Kind.READINGS] >= 2)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert [value for _, value in store.read("press-2.force", *ALWAYS)] == [
            FORCE.value(number * 7) for _ in range(3) for number in range(25)
        ]
        found = verify(tmp_path, lambda done, of: None)
        assert found.fault is None
        assert found.blocks >= 6
        await store.close()


async def _take_and_die(state_dir: Path, pipe: int) -> None:
    from edge.log import Log

    clock = ManualClock()
    log = Log.open(state_dir, clock=clock, **SMALL)
    store = ReadingStore(state_dir, log=log, clock=clock, provenance=Provenance)
    await take(store, clock, 25)
    await store.flush()
    await store.seal()  # recorded
    await take(store, clock, 25)
    await store.flush()
    await store._in_thread(store._stager.seal)  # sealed, owed to the log
    await take(store, clock, 25)
    await store.flush()  # staged
    os.write(pipe, b"durable %d\n" % store.count)
    os.kill(os.getpid(), signal.SIGKILL)


async def test_a_changed_block_is_named(store, log, clock, tmp_path: Path) -> None:
    import apsw

    await take(store, clock, 25)
    await store.flush()
    await store.seal()
    other = apsw.Connection(str(tmp_path / "readings" / "readings-2026-11-22.db"))
    other.execute("UPDATE block SET data = zeroblob(length(data)) WHERE place = 1")
    fault = verify(tmp_path, lambda done, of: None).fault
    assert fault is not None
    assert (fault.seq, fault.file) == (1, "readings-2026-11-22.db")
    assert fault.what.en == "the readings of 'press-2.cycle' in it are not the ones that were hashed"
    other.execute("DELETE FROM block WHERE place = 0")
    other.close()
    fault = verify(tmp_path, lambda done, of: None).fault
    assert fault is not None
    assert fault.what.en == "the readings of 'press-2.force' are missing from it"


async def test_a_missing_day_is_named_unless_retention_removed_it(opened, tmp_path: Path, clock: ManualClock) -> None:
    async with opened() as log:
        store = ReadingStore(tmp_path, log=log, clock=clock, provenance=Provenance)
        for _ in range(3):
            await take(store, clock, 5)
            await store.flush()
            await store.seal()
            clock.pass_time(86_400)
        clock.pass_time(400 * 86_400)
        await store._remove_old()
        names = sorted(path.name for path in (tmp_path / "readings").glob("*.db"))
        assert names == ["readings-2026-11-24.db"]
        assert verify(tmp_path, lambda done, of: None).fault is None
        assert store.count == 30
        await store.close()
        (tmp_path / "readings" / names[0]).unlink()
        fault = verify(tmp_path, lambda done, of: None).fault
        assert fault is not None
        assert (fault.file, fault.what.en) == (names[0], "the file is missing, and no retention removed it")


async def test_what_memory_cannot_hold_is_a_recorded_gap(store, log, clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings_module, "PENDING_READINGS", 20)
    await take(store, clock, 15, every_s=1)
    running = asyncio.ensure_future(store.run())
    await until(lambda: log.counts[Kind.AUDIT])
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    (gap,) = [body_of(record) for record in all_records(log, Kind.AUDIT)]
    assert (gap["act"], gap["readings"]) == ("readings_gap", 10)
    assert (gap["start"], gap["end"]) == ("2026-11-22T12:00:10.000Z", "2026-11-22T12:00:14.000Z")
    assert store.count == 20


async def test_a_failing_disk_forgets_nothing_that_was_taken(store, clock, monkeypatch: pytest.MonkeyPatch) -> None:
    import apsw

    from edge.log.readingsfile import ReadingsFile

    def refuse(*arguments: object) -> None:
        raise apsw.FullError("database or disk is full")

    expected = await take(store, clock, 5)
    with monkeypatch.context() as patch:
        patch.setattr(ReadingsFile, "stage", refuse)
        with pytest.raises(StorageStop) as stop:
            await store.flush()
    assert str(stop.value) == "Readings cannot be stored: database or disk is full. Free space on the disk, or mend it."
    expected += await take(store, clock, 5)
    await store.flush()
    assert store.read("press-2.force", *ALWAYS) == expected


async def test_an_unreadable_day_is_put_aside_and_said(opened, tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "readings").mkdir()
    (tmp_path / "readings" / "readings-2026-11-22.db").write_bytes(b"no database" * 1000)
    async with opened() as log:
        store = ReadingStore(tmp_path, log=log, clock=clock, provenance=Provenance)
        running = asyncio.ensure_future(store.run())
        expected = await take(store, clock, 5)
        await until(lambda: log.counts[Kind.AUDIT])
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert store.read("press-2.force", *ALWAYS) == expected
        assert (tmp_path / "readings" / "readings-2026-11-22.damaged").exists()
        (said,) = [body_of(record) for record in all_records(log, Kind.AUDIT)]
        assert (said["act"], said["file"]) == ("quarantine", "readings-2026-11-22.db")
        await store.close()


async def test_a_frame_that_does_not_fit_its_layout_is_refused(store, clock) -> None:
    with pytest.raises(ValueError, match="press-2: 1 values of 'q' for 2 tags"):
        store.take(frame(PRESS, clock, 1))
