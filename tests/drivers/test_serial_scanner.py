"""The serial scanner over real pseudo terminals."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drivers.serial_scanner import Options, build
from edge.contracts import Feedback, Signal
from edge.errors import DeviceFault, DeviceUnavailable
from edge.model import NoticeCode, Scan
from edge.simulate.scanner import PtyScanner
from tests.drivers.lines import brief, take

CODE = b"]d20109506000134352\x1d10L77"


@pytest.fixture
async def hand(tmp_path: Path) -> AsyncIterator[PtyScanner]:
    async with PtyScanner(tmp_path / "hand-1") as scanner:
        yield scanner


def options(hand: PtyScanner, **settings: object) -> Options:
    return Options.model_validate({"port": str(hand.path), **settings})


async def test_a_scan_keeps_every_byte_and_carries_the_time_of_its_first(hand):
    before = datetime.now(UTC), time.monotonic_ns()
    async with build("hand-1", options(hand)).session() as items:
        await hand.scan(CODE)
        (scan,) = await take(items, 1)
    assert isinstance(scan, Scan)
    assert (scan.device, scan.raw, scan.encoding, scan.symbology) == ("hand-1", CODE, "utf-8", "")
    assert before[0] <= scan.captured_at <= datetime.now(UTC)
    assert before[1] <= scan.monotonic_ns <= time.monotonic_ns()


async def test_a_scan_split_into_single_bytes_is_one_scan_timed_at_its_first(hand):
    async with build("hand-1", options(hand)).session() as items:
        reading = asyncio.create_task(take(items, 1))
        await hand.send(CODE[:1])
        await asyncio.sleep(0.05)
        begun = time.monotonic_ns()
        for byte in CODE[1:] + b"\r":
            await hand.send(bytes([byte]))
            await asyncio.sleep(0)
        (scan,) = await reading
    assert scan.raw == CODE
    assert scan.monotonic_ns < begun


async def test_a_slow_scanner_that_sends_in_pieces_is_read_whole(tmp_path):
    async with (
        PtyScanner(tmp_path / "slow", terminator=b"\r\n", pieces=5, pause_s=0.01) as slow,
        build("slow", options(slow)).session() as items,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(slow.scan(CODE))
        assert brief(await take(items, 1)) == [CODE]


@pytest.mark.parametrize(
    ("terminator", "sent"),
    [
        ("any", b"A\rB\nC\r\n"),
        ("cr", b"A\rB\rC\r"),
        ("lf", b"A\nB\nC\n"),
        ("crlf", b"A\r\nB\r\nC\r\n"),
        ("stx_etx", b"\x02A\x03\x02B\x03\r\n\x02C\x03"),
    ],
)
async def test_every_terminator_frames_on_the_line(hand, terminator, sent):
    async with build("hand-1", options(hand, terminator=terminator)).session() as items:
        await hand.send(sent)
        assert brief(await take(items, 3)) == [b"A", b"B", b"C"]


async def test_silence_ends_a_scan_where_the_scanner_has_no_suffix(hand):
    async with build("hand-1", options(hand, terminator="idle", idle_ms=30)).session() as items:
        for code in (b"A", b"B\r"):
            await hand.send(code)
            assert brief(await take(items, 1)) == [code]


async def test_binary_noise_becomes_scans_of_noise_and_the_next_code_is_right(hand):
    noise = os.urandom(3000).translate(None, b"\r\n")
    async with build("hand-1", options(hand)).session() as items:
        await hand.send(noise + b"\r")
        await hand.scan(CODE)
        assert brief(await take(items, 2)) == [noise, CODE]


async def test_a_code_of_gs_only_and_invalid_utf8_are_handed_on_as_they_are(hand):
    async with build("hand-1", options(hand)).session() as items:
        await hand.scan(b"\x1d\x1d")
        await hand.scan(b"\xff\xfe")
        assert brief(await take(items, 2)) == [b"\x1d\x1d", b"\xff\xfe"]


async def test_gb18030_is_named_and_its_no_read_text_understood(hand):
    driver = build("hand-1", options(hand, encoding="gb18030", no_read=["未读到"]))
    async with driver.session() as items:
        await hand.scan("批次七".encode("gb18030"))
        await hand.scan("未读到".encode("gb18030"))
        scan, notice = await take(items, 2)
    assert scan.raw.decode(scan.encoding) == "批次七"
    assert brief([notice]) == [("no_read", "nothing read")]


async def test_ten_megabytes_without_terminator_are_one_notice_and_bounded_memory(hand):
    async def flood() -> None:
        for _ in range(100):
            await hand.send(b"x" * 100_000)
        await hand.send(b"\r")
        await hand.scan(CODE)

    async with build("hand-1", options(hand)).session() as items, asyncio.TaskGroup() as group:
        tracemalloc.start()
        try:
            group.create_task(flood())
            came = await take(items, 2)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert brief(came) == [("overrun", "longer than 4096 bytes"), CODE]
    assert peak < 2_000_000


async def test_a_thousand_scans_a_second_lose_nothing(hand):
    rate, seconds = 1000, 3
    codes = [CODE + f"{number:06}".encode() for number in range(rate * seconds)]

    async def shoot() -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for number, code in enumerate(codes):
            if (ahead := begun + number / rate - loop.time()) > 0:
                await asyncio.sleep(ahead)
            await hand.scan(code)

    async with build("hand-1", options(hand)).session() as items, asyncio.TaskGroup() as group:
        group.create_task(shoot())
        assert brief(await take(items, len(codes))) == codes


async def test_a_reader_that_is_busy_committing_holds_the_scanner_back_and_loses_nothing(hand):
    codes = [CODE + f"{number:06}".encode() for number in range(3000)]

    async def shoot() -> None:
        for code in codes:
            await hand.scan(code)

    async with build("hand-1", options(hand)).session() as items, asyncio.TaskGroup() as group:
        shooting = group.create_task(shoot())
        await asyncio.sleep(0.2)
        assert not shooting.done()  # 90 kB do not fit: the line itself holds the rest back
        assert brief(await take(items, len(codes))) == codes


async def test_partial_data_is_dropped_with_a_notice_and_never_joined_after_the_reconnect(hand):
    driver = build("hand-1", options(hand))
    async with driver.session() as items:
        reading = asyncio.create_task(take(items, 1))
        await hand.send(b"HALF")
        await asyncio.sleep(0.05)
        hand.unplug()
        assert brief(await reading) == [("dropped", "4 bytes when the connection ended")]
        with pytest.raises(DeviceUnavailable) as caught:
            await anext(items)
    assert str(caught.value) == f"{hand.path} went away. Check the scanner's cable."
    assert caught.value.say.zh == f"{hand.path} 已断开。请检查扫码枪的连接线。"
    hand.plug()
    async with driver.session() as items:
        await hand.scan(b"WHOLE")
        assert brief(await take(items, 1)) == [b"WHOLE"]


async def test_the_descriptor_is_closed_before_the_error_reaches_the_supervisor(hand):
    open_before = set(os.listdir("/proc/self/fd"))

    async def lose() -> None:
        async with build("hand-1", options(hand)).session() as items:
            hand.unplug()
            await anext(items)

    with pytest.raises(DeviceUnavailable):
        await lose()
    assert set(os.listdir("/proc/self/fd")) <= open_before


async def test_no_thread_and_no_descriptor_is_left_after_a_hundred_sessions(hand):
    driver = build("hand-1", options(hand))
    async with driver.session():
        pass
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(100):
        async with driver.session():
            pass
    assert len(os.listdir("/proc/self/fd")) == before
    assert len([thread for thread in threading.enumerate() if thread.name.startswith("hand-1")]) <= 1


async def test_an_absent_port_is_unavailable(tmp_path):
    with pytest.raises(DeviceUnavailable) as caught:
        async with build("hand-1", Options(port=str(tmp_path / "none"))).session():
            pass
    assert str(caught.value) == (
        f"{tmp_path / 'none'} is not there. Plug the scanner in, or correct its port in the file."
    )


async def test_a_port_held_by_another_program_is_named_busy(hand):
    async with build("hand-1", options(hand)).session():
        with pytest.raises(DeviceUnavailable) as caught:
            async with build("hand-2", options(hand)).session():
                pass
    assert str(caught.value) == (
        f"{hand.path} is in use by another program. Close that program; fuser -v {hand.path} names it."
    )


async def test_a_port_that_may_not_be_opened_says_the_command_that_allows_it(tmp_path):
    port = tmp_path / "port"
    port.touch()
    port.chmod(0)
    root = os.geteuid() == 0
    try:
        if root:
            os.seteuid(65534)  # root may open everything
        with pytest.raises(DeviceFault) as caught:
            async with build("hand-1", Options(port=str(port))).session():
                pass
        uid = os.geteuid()
    finally:
        if root:
            os.seteuid(0)
    assert str(caught.value) == (
        f"{port} may not be opened by this account. "
        f"Run: sudo usermod -aG dialout $(id -un {uid}), then start Lotline again."
    )


async def test_a_file_that_is_no_serial_port_is_a_fault(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(DeviceFault) as caught:
        async with build("hand-1", Options(port=str(file))).session():
            pass
    assert str(caught.value) == (
        f"{file} is no serial port. Correct the port in the file; ls -l /dev/serial/by-id lists them."
    )


async def test_feedback_reaches_the_scanner_and_only_while_it_is_there(hand):
    driver = build("hand-1", options(hand, preset="honeywell"))
    assert isinstance(driver, Feedback)
    await driver.signal(Signal.GOOD)  # nobody there: no error
    async with driver.session():
        await driver.signal(Signal.GOOD)
        await driver.signal(Signal.BAD)
        async with asyncio.timeout(10):
            while hand.heard.count < 6:
                await asyncio.sleep(0.01)
    await driver.signal(Signal.GOOD)
    assert hand.heard.tail == b"\x1b7,\x1b8,"


async def test_feedback_to_a_scanner_that_does_not_listen_gives_up_in_time(tmp_path):
    master, slave = os.openpty()
    try:
        driver = build("hand-1", Options(port=os.ttyname(slave), feedback={"good": "x" * 64, "bad": ""}))
        async with driver.session(), asyncio.timeout(60):
            for _ in range(2000):  # far more than a line that nobody reads can hold
                begun = time.monotonic()
                await driver.signal(Signal.GOOD)
                if time.monotonic() - begun > 0.4:
                    break
            else:
                pytest.fail("the line never filled")
    finally:
        os.close(master)
        os.close(slave)


async def test_the_session_never_uses_the_default_executor(hand):
    def refuse(*_: object) -> None:
        raise AssertionError("a shared pool was used")

    asyncio.get_running_loop().run_in_executor = refuse
    async with build("hand-1", options(hand)).session() as items:
        await hand.scan(CODE)
        assert brief(await take(items, 1)) == [CODE]


async def test_a_missing_terminator_is_told_so_that_a_technician_can_set_it(hand, monkeypatch):
    monkeypatch.setattr("drivers.scanner.UNTERMINATED_S", 0.05)  # the time of a person, not of a test
    async with build("hand-1", options(hand)).session() as items:
        await hand.send(CODE)
        (notice,) = await take(items, 1)
    assert notice.code is NoticeCode.UNDECODABLE
    assert notice.text == f"{len(CODE)} bytes without their end (terminator: any)"
