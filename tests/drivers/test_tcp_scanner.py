"""The network scanner over real sockets."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator

import pytest
from pydantic import ValidationError

from drivers import tcp_scanner
from drivers.tcp_scanner import Options, build
from edge.contracts import Feedback, Signal
from edge.errors import DeviceFault, DeviceUnavailable
from edge.model import Notice, NoticeCode
from edge.simulate.scanner import TcpScanner
from tests.contracts.scanners import free_port
from tests.drivers.lines import PATIENCE_S, brief, take

CODE = b"]Q3https://id.gs1.org/01/09506000134352/10/L77"


@pytest.fixture
async def reader() -> AsyncIterator[TcpScanner]:
    async with TcpScanner().serve() as scanner:
        yield scanner


@pytest.fixture
def door() -> Options:
    return Options.model_validate(
        {"mode": "listen", "host": "127.0.0.1", "port": free_port(), "allow": ["127.0.0.1"], "away_s": 0.1}
    )


async def entered(driver) -> None:
    async with driver.session():
        pass


async def test_a_reader_that_we_call_is_read_whole_however_its_packets_fall(reader):
    async with build("fixed-1", Options(host="127.0.0.1", port=reader.port)).session() as items:
        for byte in CODE:
            await reader.send(bytes([byte]))
        await reader.send(b"\r\nA\r\nB\r")
        assert brief(await take(items, 3)) == [CODE, b"A", b"B"]


async def test_what_a_reader_says_when_it_reads_nothing_is_a_notice(reader):
    options = Options(host="127.0.0.1", port=reader.port, no_read=["NOREAD", "ERROR"])
    async with build("fixed-1", options).session() as items:
        for code in (b"NOREAD", b"ERROR", b"ERRORS"):
            await reader.scan(code)
        assert brief(await take(items, 3)) == [("no_read", "nothing read"), ("no_read", "nothing read"), b"ERRORS"]


async def test_a_damaged_beginning_shows_where_the_reader_sends_a_prefix(reader):
    options = Options(host="127.0.0.1", port=reader.port, prefix=r"\x02>", suffix="<", no_read=["NR"])
    async with build("fixed-1", options).session() as items:
        for code in (b"\x02>A<", b"A<", b"\x02>NR<", b"\x02><"):
            await reader.scan(code)
        damaged = ("undecodable", "2 bytes without the prefix or suffix of the file")
        empty = ("undecodable", "3 bytes without the prefix or suffix of the file")
        assert brief(await take(items, 4)) == [b"A", damaged, ("no_read", "nothing read"), empty]


async def test_a_reset_drops_the_part_with_a_notice(reader):
    async with build("fixed-1", Options(host="127.0.0.1", port=reader.port)).session() as items:
        reading = asyncio.create_task(take(items, 1))
        await reader.send(b"HALF")
        await asyncio.sleep(0.05)
        reader.reset()
        assert brief(await reading) == [("dropped", "4 bytes when the connection ended")]
        with pytest.raises(DeviceUnavailable) as caught:
            await anext(items)
    assert str(caught.value) == (f"127.0.0.1:{reader.port} closed the connection. Check the reader's power and cable.")


async def test_a_refused_connection_says_what_to_do():
    port = free_port()
    with pytest.raises(DeviceUnavailable) as caught:
        await entered(build("fixed-1", Options(host="127.0.0.1", port=port)))
    assert str(caught.value) == (
        f"127.0.0.1:{port} refuses the connection. Switch on the reader's TCP server, or correct port in the file."
    )
    assert caught.value.say.zh == f"127.0.0.1:{port} 拒绝连接。请启用读码器的 TCP 服务器，或更正配置文件中的端口。"


async def test_a_reader_that_never_answers_the_call_is_given_up(monkeypatch):
    monkeypatch.setattr(tcp_scanner, "CONNECT_S", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        port = silent.getsockname()[1]
        waiting = []
        try:
            for _ in range(2):  # a full queue of calls: the kernel drops the next one without a word
                caller = socket.socket()
                caller.setblocking(False)
                caller.connect_ex(("127.0.0.1", port))
                waiting.append(caller)
            await asyncio.sleep(0.05)
            with pytest.raises(DeviceUnavailable) as caught:
                await entered(build("fixed-1", Options(host="127.0.0.1", port=port)))
        finally:
            for caller in waiting:
                caller.close()
    assert str(caught.value) == (
        f"127.0.0.1:{port} did not answer within 0.2 s. Check the reader's power, cable and address."
    )


async def test_a_name_that_nobody_knows_is_said_so():
    with pytest.raises(DeviceUnavailable) as caught:
        await entered(build("fixed-1", Options(host="reader..invalid", port=9004)))
    assert str(caught.value) == (
        "No address is known for 'reader..invalid'. Correct host in the file, or write the IP address."
    )


async def test_a_dead_line_is_watched_by_the_kernel(reader):
    driver = build("fixed-1", Options(host="127.0.0.1", port=reader.port))
    async with driver.session():
        line = socket.socket(fileno=os.dup(driver._descriptor))
        with line:
            assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            idle, every, count, most = (
                line.getsockopt(socket.IPPROTO_TCP, name)
                for name in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
            )
    assert idle + every * count < 20
    assert most < 20_000


async def test_feedback_reaches_the_reader(reader):
    driver = build("fixed-1", Options(host="127.0.0.1", port=reader.port, feedback={"good": "OK\\r", "bad": "NG\\r"}))
    assert isinstance(driver, Feedback)
    await driver.signal(Signal.GOOD)  # nobody there: no error
    async with driver.session():
        await driver.signal(Signal.GOOD)
        await driver.signal(Signal.BAD)
        async with asyncio.timeout(PATIENCE_S):
            while reader.heard.count < 6:
                await asyncio.sleep(0.01)
    assert reader.heard.tail == b"OK\rNG\r"


async def test_a_reader_that_calls_is_told_away_then_back(door):
    async with build("fixed-2", door).session() as items:
        assert brief(await take(items, 1)) == [("silent", f"no reader calls port {door.port}")]
        async with TcpScanner().call(door.port) as reader:
            await reader.scan(CODE)
            assert brief(await take(items, 2)) == [("answering", "127.0.0.1 calls"), CODE]
        assert brief(await take(items, 1)) == [("silent", f"no reader calls port {door.port}")]


async def test_a_reader_that_calls_for_every_code_loses_none_and_raises_no_alarm(door):
    codes = [f"C{number}".encode() for number in range(50)]

    async def shoot() -> None:
        for code in codes:
            async with TcpScanner().call(door.port) as reader:
                await reader.scan(code)

    async with build("fixed-2", door).session() as items, asyncio.TaskGroup() as group:
        group.create_task(shoot())
        came = await take(items, len(codes))
    assert brief(came) == codes


async def test_a_new_call_replaces_the_old_one_and_its_part_is_dropped(door):
    async with (
        build("fixed-2", door).session() as items,
        TcpScanner().call(door.port) as old,
        asyncio.TaskGroup() as group,
    ):
        reading = group.create_task(take(items, 2))
        await old.send(b"HALF")
        await asyncio.sleep(0.05)
        async with TcpScanner().call(door.port) as new:
            await new.scan(CODE)
            assert brief(await reading) == [("dropped", "4 bytes when the connection ended"), CODE]


async def test_a_caller_that_is_not_allowed_is_turned_away_and_named(door):
    strangers = door.model_copy(
        update={"allow": Options.model_validate({"mode": "listen", "port": door.port, "allow": ["192.0.2.0/28"]}).allow}
    )
    async with build("fixed-2", strangers).session() as items, asyncio.TaskGroup() as group:
        reading = group.create_task(take(items, 1))
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        assert await reader.read() == b""
        writer.close()
        text = f"no reader calls port {door.port}; 127.0.0.1 was turned away, it is not in allow"
        assert brief(await reading) == [("silent", text)]


async def test_a_second_address_is_turned_away_while_the_first_is_there(door):
    both = Options.model_validate({**door.model_dump(), "allow": ["127.0.0.0/8"]})
    async with build("fixed-2", both).session() as items, TcpScanner().call(door.port) as first:
        await first.scan(b"A")
        assert brief(await take(items, 1)) == [b"A"]
        reading = asyncio.create_task(take(items, 1))
        second, writer = await asyncio.open_connection("127.0.0.1", door.port, local_addr=("127.0.0.2", 0))
        assert await second.read() == b""
        writer.close()
        await first.scan(b"B")
        assert brief(await reading) == [b"B"]


async def test_feedback_goes_to_the_reader_that_called(door):
    driver = build("fixed-2", Options.model_validate({**door.model_dump(), "feedback": {"good": "OK"}}))
    await driver.signal(Signal.GOOD)
    async with driver.session() as items, TcpScanner().call(door.port) as reader:
        await reader.scan(b"A")
        await take(items, 1)
        await driver.signal(Signal.GOOD)
        async with asyncio.timeout(PATIENCE_S):
            while reader.heard.count < 2:
                await asyncio.sleep(0.01)
    assert reader.heard.tail == b"OK"


async def test_a_port_that_another_program_has_is_named(door):
    with socket.create_server(("127.0.0.1", door.port)), pytest.raises(DeviceUnavailable) as caught:
        await entered(build("fixed-2", door))
    assert str(caught.value) == (
        f"Port {door.port} of this PC is in use by another program. "
        f"Close that program; ss -ltnp 'sport = :{door.port}' names it."
    )


async def test_an_address_that_this_pc_does_not_have_is_named(door):
    elsewhere = Options.model_validate({**door.model_dump(), "host": "192.0.2.1"})
    with pytest.raises(DeviceUnavailable) as caught:
        await entered(build("fixed-2", elsewhere))
    assert str(caught.value) == (
        f"This PC does not have the address 192.0.2.1 ({os.strerror(errno.EADDRNOTAVAIL)}). "
        "Check this PC's network settings, or correct host in the file."
    )


async def test_a_privileged_port_is_a_technicians_matter(door, monkeypatch):
    def denied(self: socket.socket, address: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(socket.socket, "bind", denied)  # root may bind anything
    with pytest.raises(DeviceFault) as caught:
        await entered(build("fixed-2", Options.model_validate({**door.model_dump(), "port": 99})))
    assert str(caught.value) == (
        "Port 99 may not be used by this account. Take a port above 1023 in the file and in the reader."
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"port": 9004}, "mode: connect needs host, the address of the reader"),
        ({"port": 9004, "mode": "listen"}, "mode: listen needs allow, the addresses that may call"),
        ({"port": 9004, "host": "h", "prefix": "\\q"}, "'\\q' is no escape; known are \\e \\r \\n \\t \\a \\xNN \\\\"),
        ({"port": 9004, "host": "h", "suffix": "扫"}, "only bytes can be sent; write others as \\xNN"),
    ],
)
def test_a_wrong_option_is_refused_with_its_rule(settings, message):
    with pytest.raises(ValidationError) as caught:
        Options.model_validate(settings)
    assert [problem["msg"] for problem in caught.value.errors()] == [message]


async def test_an_ipv4_reader_at_an_ipv6_door_is_known_by_its_ipv4_address():
    assert tcp_scanner._plain("::ffff:192.0.2.7") == "192.0.2.7"
    assert tcp_scanner._plain("2001:db8::1") == "2001:db8::1"


async def test_notices_of_a_door_name_the_device(door):
    async with build("fixed-2", door).session() as items:
        (notice,) = await take(items, 1)
    assert isinstance(notice, Notice)
    assert (notice.device, notice.code) == ("fixed-2", NoticeCode.SILENT)
