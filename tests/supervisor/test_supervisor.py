"""What is promised about devices and followers when something goes wrong, and when it goes right again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from drivers.serial_scanner import Options, build
from edge.contracts import Signal
from edge.errors import (
    DeviceFault,
    DeviceUnavailable,
    LogDamaged,
    SinkFault,
    SinkUnavailable,
    StorageStop,
)
from edge.model import DeviceState, Item, NoticeCode, Scan
from edge.simulate.scanner import PtyScanner
from edge.supervisor import Backoff, DeviceStatus, Supervisor
from tests.supervisor.actors import START, Actor, Beeper, HandClock, Waits, notice, scan

PATIENCE_S = 30.0  # no test waits this long unless the promise is broken
GONE = DeviceUnavailable("hand-1 went away.", "Check the cable.")


class Line:
    """A supervisor with everything around it in plain sight."""

    def __init__(self, **settings: object) -> None:
        self.clock = HandClock()
        self.waits = Waits(self.clock)
        self.taken: list[Item] = []
        self.changes: list[DeviceStatus] = []
        self.answer: Callable[[Item], Awaitable[Signal | None]] = self.accept
        given = {"sleep": self.waits, "chance": lambda: 1.0, **settings}
        self.supervisor = Supervisor(
            take=lambda item: self.answer(item), clock=self.clock, changed=self.changes.append, **given
        )

    async def accept(self, item: Item) -> Signal | None:
        self.taken.append(item)
        return Signal.GOOD if isinstance(item, Scan) else None

    def state(self, device: str = "hand-1") -> DeviceState | None:
        status = self.supervisor.status().get(device)
        return status and status.state

    @asynccontextmanager
    async def running(self, *coroutines: Awaitable[None]):
        tasks = [asyncio.ensure_future(each) for each in coroutines]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.001)


@pytest.fixture
def line() -> Line:
    return Line()


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.levelname, record.getMessage()) for record in caplog.records]


# -- the log and the wait ---------------------------------------------------------------------------------------------


async def test_an_outage_is_logged_once_and_its_end_with_the_count(line, caplog):
    caplog.set_level(logging.DEBUG, "edge.supervisor")

    async def a_minute() -> None:
        line.clock.s += 60

    actor = Actor([GONE], [GONE], [GONE], [scan(), a_minute, GONE])
    async with line.running(line.supervisor.keep(actor)):
        await until(lambda: actor.entered == 5)
    said = "hand-1: hand-1 went away. Check the cable. Tries again by itself."
    assert logged(caplog) == [
        ("WARNING", said),
        ("DEBUG", said),
        ("DEBUG", said),
        ("INFO", "hand-1: recovered after 3 attempts, 4 s"),  # waits of 0.5, 1 and 2 s
        ("WARNING", said),
    ]


async def test_recovery_is_told_while_the_session_that_lasts_still_runs(caplog):
    caplog.set_level(logging.INFO, "edge.supervisor")
    line = Line(backoff=Backoff(lasted_s=0.01))
    actor = Actor([GONE])
    async with line.running(line.supervisor.keep(actor)):
        await until(lambda: len(caplog.records) == 2)
        assert line.supervisor.status()["hand-1"].failures == 0
    assert logged(caplog)[1] == ("INFO", "hand-1: recovered after 1 attempts, 0 s")
    assert line.changes[-2].failures == 0  # the page is told, too


async def test_the_wait_doubles_up_to_half_a_minute(line):
    actor = Actor(*[[GONE]] * 9)
    async with line.running(line.supervisor.keep(actor)):
        await until(lambda: actor.entered == 10)
    assert line.waits.seconds == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


async def test_a_session_that_does_not_last_does_not_shorten_the_wait(line, caplog):
    caplog.set_level(logging.INFO, "edge.supervisor")

    def for_s(seconds: float) -> Callable[[], Awaitable[None]]:
        async def pass_time() -> None:
            line.clock.s += seconds

        return pass_time

    actor = Actor(*[[for_s(29.9), GONE]] * 3, [for_s(30.0), GONE], [for_s(1.0), GONE])
    async with line.running(line.supervisor.keep(actor)):
        await until(lambda: actor.entered == 6)
    assert line.waits.seconds == [0.5, 1, 2, 0.5, 1]
    assert [level for level, _ in logged(caplog)] == ["WARNING", "INFO", "WARNING"]


def test_the_wait_is_spread_over_its_whole_length():
    backoff = Backoff()
    assert [backoff.wait_s(7, chance) for chance in (0.0, 0.5, 1.0)] == [0, 15, 30]
    assert backoff.wait_s(10_000, 1.0) == 30


# -- states and who must act ------------------------------------------------------------------------------------------


async def test_a_device_that_is_away_waits_and_says_why_in_both_languages():
    actor = Actor([DeviceUnavailable("x is not there.")], [asyncio.Event().wait])
    held = asyncio.Event()
    line = Line(sleep=lambda _: held.wait())
    async with line.running(line.supervisor.keep(actor)):
        await until(lambda: line.state() is DeviceState.WAITING)
        status = line.supervisor.status()["hand-1"]
        assert status.detail.en == "x is not there. Tries again by itself."
        assert status.detail.zh == "x is not there.系统会自动重试。"
        assert (status.failures, status.since, status.last_item_at) == (1, START, None)
        held.set()
        await until(lambda: line.state() is DeviceState.ONLINE)
    assert line.state() is DeviceState.STOPPED
    assert [change.state.value for change in line.changes] == ["connecting", "waiting", "online", "stopped"]


async def test_a_fault_waits_for_a_person(line, caplog):
    actor = Actor([GONE], [DeviceFault("Not allowed.", "Run usermod.")], [scan()])
    async with line.running(line.supervisor.keep(actor)):
        await until(lambda: line.state() is DeviceState.FAULT)
        for _ in range(50):
            await asyncio.sleep(0)
        assert actor.entered == 2
        words = "Not allowed. Run usermod. A technician has to mend this and then press Resume."
        assert line.supervisor.status()["hand-1"].detail.en == words
        assert ("WARNING", f"hand-1: {words}") in logged(caplog)
        line.supervisor.resume("hand-1")
        await until(lambda: line.taken)
    assert line.waits.seconds[0] == 0.5  # the fault itself was not waited for


async def test_resume_before_the_fault_is_not_kept_for_it(line):
    actor = Actor([asyncio.Event().wait])
    async with line.running(line.supervisor.keep(actor)):
        await until(lambda: line.state() is DeviceState.ONLINE)
        line.supervisor.resume("hand-1")
        assert line.state() is DeviceState.ONLINE
    with pytest.raises(KeyError):
        line.supervisor.resume("nobody")


async def test_a_driver_bug_stops_that_device_and_nothing_else(tmp_path, line, caplog):
    actor = Actor([scan("press-2"), ZeroDivisionError("oops")], [scan("press-2")], names=("press-2",))
    async with PtyScanner(tmp_path / "hand-1") as hand:
        sibling = build("hand-1", Options(port=str(hand.path)))
        async with line.running(line.supervisor.keep(actor), line.supervisor.keep(sibling)):
            await until(lambda: line.state("press-2") is DeviceState.FAULT)
            status = line.supervisor.status()["press-2"]
            assert status.detail.en.startswith("A bug in Lotline stopped this part (ZeroDivisionError);")
            assert status.detail.zh.startswith("Lotline 程序错误，此部分已停止（ZeroDivisionError）")
            await hand.scan(b"B")
            await until(lambda: len(line.taken) == 2)
            assert line.taken[1].raw == b"B"
            assert line.state() is DeviceState.ONLINE
            line.supervisor.resume("press-2")
            await until(lambda: len(line.taken) == 3)
    assert actor.open == 0
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.getMessage() == "press-2: stopped by a bug; everything else runs on"
    assert record.exc_info[0] is ZeroDivisionError


async def test_an_iterator_that_ends_counts_as_gone_away(line, caplog):
    actor = Actor([scan()])
    async with line.running(line.supervisor.keep(actor)):
        await until(lambda: actor.entered == 2)
    assert logged(caplog) == [("WARNING", "hand-1: The connection ended. Tries again by itself.")]


async def test_one_silent_device_of_a_bus_leaves_the_others_online(line, caplog):
    caplog.set_level(logging.INFO, "edge.supervisor")
    hold = asyncio.Event()
    actor = Actor(
        [
            notice("b", NoticeCode.SILENT, "3 questions unanswered"),
            notice("b", NoticeCode.SILENT, "4 questions unanswered"),
            scan("a"),
            hold.wait,
            notice("b", NoticeCode.ANSWERING, "", after_s=12),
            notice("b", NoticeCode.ANSWERING, "", after_s=13),
            asyncio.Event().wait,
        ],
        names=("a", "b"),
    )
    async with line.running(line.supervisor.keep(actor)):
        await until(lambda: len(line.taken) == 3)
        assert (line.state("a"), line.state("b")) == (DeviceState.ONLINE, DeviceState.WAITING)
        detail = line.supervisor.status()["b"].detail
        assert detail.en == "No answer from this device (4 questions unanswered). It is asked again by itself."
        hold.set()
        await until(lambda: len(line.taken) == 5)  # notices are taken like everything else
        assert line.state("b") is DeviceState.ONLINE
    assert logged(caplog) == [
        ("WARNING", "b: no answer (3 questions unanswered)"),
        ("INFO", "b: answers again after 12 s"),
    ]


async def test_a_bus_that_breaks_takes_all_its_devices_along():
    held = asyncio.Event()
    line = Line(sleep=lambda _: held.wait())
    actor = Actor([scan("a"), GONE], names=("a", "b"))
    async with line.running(line.supervisor.keep(actor)):
        await until(lambda: line.state("b") is DeviceState.WAITING)
        assert line.state("a") is DeviceState.WAITING
        assert line.supervisor.status()["a"].last_item_at == START
        assert line.supervisor.status()["b"].last_item_at is None


async def test_a_device_is_kept_once(line):
    async with line.running(line.supervisor.keep(Actor([asyncio.Event().wait]))):
        await until(lambda: line.state() is DeviceState.ONLINE)
        with pytest.raises(ValueError, match="'hand-1' is kept already"):
            await line.supervisor.keep(Actor())
    async with line.running(line.supervisor.keep(Actor())):  # after it was stopped it may be kept anew
        await until(lambda: line.state() is DeviceState.ONLINE)


# -- durable first ----------------------------------------------------------------------------------------------------


async def test_the_next_item_is_read_only_after_the_one_before_it_is_durable(line):
    steps: list[str] = []
    durable = asyncio.Event()

    async def read_on() -> None:
        steps.append("read on")

    async def take(item: Item) -> Signal:
        steps.append("taken")
        await durable.wait()
        steps.append("durable")
        return Signal.GOOD

    class Steps(Beeper):
        async def signal(self, signal: Signal) -> None:
            steps.append(signal.value)

    line.answer = take
    async with line.running(line.supervisor.keep(Steps([scan(), read_on, asyncio.Event().wait]))):
        await until(lambda: steps)
        for _ in range(50):
            await asyncio.sleep(0)
        assert steps == ["taken"]
        durable.set()
        await until(lambda: len(steps) == 4)
    assert steps == ["taken", "durable", "good", "read on"]


async def test_a_scanner_that_does_not_take_its_beep_holds_nothing_up(line):
    class Deaf(Beeper):
        async def signal(self, signal: Signal) -> None:
            await asyncio.sleep(PATIENCE_S * 2)

    async with line.running(line.supervisor.keep(Deaf([scan(), scan(), asyncio.Event().wait]))):
        await until(lambda: len(line.taken) == 2)
        assert line.state() is DeviceState.ONLINE


async def test_a_storage_stop_is_a_bad_beep_and_the_session_lives_on(line, caplog):
    caplog.set_level(logging.INFO, "edge.supervisor")
    full = True

    async def take(item: Item) -> Signal:
        if full:
            raise StorageStop("The disk is full.", "Free some space.")
        return Signal.GOOD

    async def space() -> None:
        nonlocal full
        full = False

    line.answer = take
    beeper = Beeper([scan(), scan(), space, scan(), asyncio.Event().wait])
    async with line.running(line.supervisor.keep(beeper)):
        await until(lambda: len(beeper.heard) == 3)
    assert beeper.heard == [Signal.BAD, Signal.BAD, Signal.GOOD]
    assert beeper.entered == 1
    assert logged(caplog) == [
        ("WARNING", "nothing is taken any more: The disk is full. Free some space."),
        ("INFO", "everything is taken again"),
    ]


# -- the stop button --------------------------------------------------------------------------------------------------


async def test_cancelling_releases_the_device(line):
    actor = Actor([asyncio.Event().wait])
    async with line.running(line.supervisor.keep(actor)):
        await until(lambda: actor.open == 1)
    assert actor.open == 0
    assert line.state() is DeviceState.STOPPED


async def test_a_device_that_does_not_let_go_is_left_after_a_second(line):
    class Clinging(Actor):
        async def release(self) -> None:
            await asyncio.sleep(PATIENCE_S * 2)

    actor = Clinging([asyncio.Event().wait])
    async with line.running(line.supervisor.keep(actor)), asyncio.timeout(PATIENCE_S):
        await until(lambda: actor.open == 1)
    assert line.state() is DeviceState.STOPPED


async def test_a_device_that_does_not_let_go_after_a_break_is_said_so(line, caplog):
    class Clinging(Actor):
        async def release(self) -> None:
            await asyncio.sleep(PATIENCE_S * 2)

    actor = Clinging([scan(), GONE])
    async with line.running(line.supervisor.keep(actor)):
        await until(lambda: actor.entered == 2)
    said = (
        "hand-1: The port was not released within 1 s. Unplug the device and plug it in again. Tries again by itself."
    )
    assert logged(caplog)[0] == ("WARNING", said)


async def test_a_timeout_that_a_driver_forgot_is_its_bug_not_the_line(line):
    actor = Actor([TimeoutError()])
    async with line.running(line.supervisor.keep(actor)):
        await until(lambda: line.state() is DeviceState.FAULT)
        assert "(TimeoutError)" in line.supervisor.status()["hand-1"].detail.en


# -- followers --------------------------------------------------------------------------------------------------------


def playing(*parts: BaseException | None) -> Callable[[], Awaitable[None]]:
    """A follower that ends with each of ``parts`` in turn, then runs for ever."""
    left = list(parts)

    async def run() -> None:
        if not left:
            await asyncio.Event().wait()
        if (part := left.pop(0)) is not None:
            raise part

    return run


async def test_a_follower_that_crashes_is_started_again(line, caplog):
    async with line.running(line.supervisor.follow("erp", playing(KeyError("x"), KeyError("x")))):
        await until(lambda: line.state("erp") is DeviceState.ONLINE and len(line.waits.seconds) == 2)
    assert line.waits.seconds == [0.5, 1]
    details = [change.detail.en for change in line.changes if change.state is DeviceState.WAITING]
    assert details[0].startswith("A bug in Lotline interrupted this part (KeyError);")
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "erp: stopped by a bug; everything else runs on"
    ] * 2


async def test_a_follower_that_ends_is_started_again(line):
    async with line.running(line.supervisor.follow("index", playing(None))):
        await until(lambda: len(line.waits.seconds) == 1)
    assert "It ended by itself. Tries again by itself." in [change.detail.en for change in line.changes]


@pytest.mark.parametrize(
    ("error", "waits"),
    [
        (StorageStop("The disk is full."), [0.5]),
        (SinkUnavailable("503."), [0.5]),
        (SinkUnavailable("503.", wait_s=120.0), [120.0]),
        (SinkUnavailable("503.", wait_s=0.0), [0.0]),
    ],
)
async def test_what_the_machine_can_mend_is_tried_again_by_itself(line, error, waits):
    async with line.running(line.supervisor.follow("erp", playing(error))):
        await until(lambda: line.state("erp") is DeviceState.ONLINE and line.waits.seconds)
    assert line.waits.seconds == waits


@pytest.mark.parametrize("error", [SinkFault("The key is refused."), LogDamaged("Record 7 is not what was written.")])
async def test_what_a_person_must_mend_waits_for_one(line, error):
    async with line.running(line.supervisor.follow("erp", playing(error))):
        await until(lambda: line.state("erp") is DeviceState.FAULT)
        line.supervisor.resume("erp")
        await until(lambda: line.state("erp") is DeviceState.ONLINE)
        assert line.supervisor.status()["erp"].detail.zh == "正在运行。"


# -- with a real line -------------------------------------------------------------------------------------------------


async def test_an_unplugged_scanner_comes_back_by_itself(tmp_path):
    line = Line(sleep=asyncio.sleep, backoff=Backoff(first_s=0.01, max_s=0.05, lasted_s=0.05))
    async with PtyScanner(tmp_path / "hand-1") as hand:
        driver = build("hand-1", Options(port=str(hand.path), preset="honeywell"))
        async with line.running(line.supervisor.keep(driver)):
            for turn in range(3):
                await hand.scan(b"%d" % turn)
                await until(lambda count=turn + 1: len(line.taken) == count)
                hand.unplug()
                await until(lambda: line.state() is DeviceState.WAITING)
                hand.plug()
            await hand.scan(b"end")
            await until(lambda: len(line.taken) == 4)
            await until(lambda: hand.heard.count >= 3)
    assert [item.raw for item in line.taken] == [b"0", b"1", b"2", b"end"]
    assert hand.heard.tail.endswith(b"\x1b7,")
