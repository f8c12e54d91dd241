"""A scanner on the network: a fixed-mount reader, or a hand scanner behind a serial-to-Ethernet box.

``mode: connect`` (the default): the reader is the server and we call it. ``mode: listen``: the reader calls us; the
session is then the open door, not the call: a reader that calls for every code is as welcome as one that stays. One
reader per device: a new call from the same address replaces the old one, which the reader has forgotten; a second
address is turned away while the first is there. A reader that stays away is told as SILENT, its return as ANSWERING.

==================  ====================================================================================================
promise             how it is held
==================  ====================================================================================================
no partial code     a frame is whole or becomes a notice; two connections are never joined
nothing changed     framing, prefix and suffix are taken off; every other byte, GS among them, is kept
cable pulled        keep-alive and TCP_USER_TIMEOUT end a dead connection within 20 s, idle or not
not asked for       in ``listen``, only addresses of ``allow`` are let in
blocking calls      only the look-up of a name, in the device's thread with a deadline
feedback            after the record is on disk; 0.5 s at most
==================  ====================================================================================================
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address
from typing import Final, Literal, Self

from pydantic import Field, IPvAnyNetwork, model_validator
from pydantic_core import PydanticCustomError

from drivers.descriptor import CHUNK, own_thread, readable
from drivers.scanner import Assembler, ScannerOptions, answer, items
from edge.contracts import Driver, Signal
from edge.errors import DeviceFault, DeviceUnavailable
from edge.model import Item, Notice, NoticeCode
from edge.wording.devices import (
    CONNECTION_REFUSED,
    LISTEN_BUSY,
    LISTEN_DENIED,
    LISTEN_NO_ADDRESS,
    LISTEN_SICK,
    NAME_UNKNOWN,
    NO_ANSWER,
    NO_ROUTE,
    READER_GONE,
)

CONNECT_S: Final = 3.0  # a reader in the same building answers in milliseconds
#: A reader that lost power says nothing: 10 s of silence, then 3 questions 3 s apart. Below the 20 s of the promise.
KEEPALIVE_IDLE_S: Final = 10
KEEPALIVE_EVERY_S: Final = 3
KEEPALIVE_COUNT: Final = 3
USER_TIMEOUT_MS: Final = 19_000  # bytes of ours that nobody acknowledges; tcp(7): overrides the count above

_OUT_OF_ROOM: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Options(ScannerOptions):
    """A scanner on the network."""

    mode: Literal["connect", "listen"] = Field(
        default="connect", description="connect: the reader is the server; listen: the reader calls this PC"
    )
    host: str = Field(default="", description="connect: the reader's address; listen: this PC's address, empty for all")
    port: int = Field(ge=1, le=65535)
    allow: tuple[IPvAnyNetwork, ...] = Field(
        default=(), description="listen: addresses that may call, e.g. [192.0.2.7]"
    )
    away_s: float = Field(default=5.0, gt=0, le=3600, description="listen: away for longer than this is told")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.mode == "connect" and not self.host:
            raise PydanticCustomError("host", "mode: connect needs host, the address of the reader")
        if self.mode == "listen" and not self.allow:
            raise PydanticCustomError("allow", "mode: listen needs allow, the addresses that may call")
        return self


def build(device_id: str, options: Options) -> Driver:
    """The driver of one network scanner."""
    return TcpScanner(device_id, options) if options.mode == "connect" else TcpDoor(device_id, options)


def port_key(options: Options) -> str:
    """Devices with the same key want the same port."""
    return f"{options.mode} {options.host} {options.port}"


class TcpScanner:
    """A reader that we call. Implements Driver and Feedback."""

    def __init__(self, device_id: str, options: Options) -> None:
        self._device_id = device_id
        self._options = options
        self._descriptor: int | None = None  # of the session that runs: where feedback goes

    @property
    def device_ids(self) -> tuple[str, ...]:
        return (self._device_id,)

    def session(self) -> AbstractAsyncContextManager[AsyncGenerator[Item, None]]:
        return self._session()

    async def signal(self, signal: Signal) -> None:
        await answer(self._descriptor, self._options.answer(signal))

    @asynccontextmanager
    async def _session(self) -> AsyncGenerator[AsyncGenerator[Item, None], None]:
        peer = _peer(self._options.host, self._options.port)
        async with own_thread(self._device_id) as thread:
            reader = await _call(thread, self._options.host, self._options.port)
        with reader:
            self._descriptor = reader.fileno()
            try:
                assembler = Assembler(self._device_id, self._options)
                async with aclosing(items(reader.fileno(), lambda: _read(reader, peer), assembler)) as scans:
                    yield scans
            finally:
                self._descriptor = None


class TcpDoor:
    """A reader that calls us. Implements Driver and Feedback."""

    def __init__(self, device_id: str, options: Options) -> None:
        self._device_id = device_id
        self._options = options
        self._visit: _Visit | None = None  # the reader that is here: where feedback goes

    @property
    def device_ids(self) -> tuple[str, ...]:
        return (self._device_id,)

    def session(self) -> AbstractAsyncContextManager[AsyncGenerator[Item, None]]:
        return self._session()

    async def signal(self, signal: Signal) -> None:
        await answer(self._visit.reader.fileno() if self._visit else None, self._options.answer(signal))

    @asynccontextmanager
    async def _session(self) -> AsyncGenerator[AsyncGenerator[Item, None], None]:
        with _door(self._options.host, self._options.port) as door:
            async with aclosing(self._items(door)) as scans:
                yield scans

    async def _items(self, door: socket.socket) -> AsyncGenerator[Item, None]:
        try:
            while True:
                async for item in self._absence(door):
                    yield item
                async for item in self._presence(door):
                    yield item
        finally:
            self._leave()

    async def _absence(self, door: socket.socket) -> AsyncGenerator[Item, None]:
        """Until a reader is here; says so when it takes longer than ``away_s``."""
        told, turned_away = False, ""
        until = time.monotonic() + self._options.away_s
        while self._visit is None:
            left_s = None if told else max(0.0, until - time.monotonic())
            if await readable(door.fileno(), timeout_s=left_s) is None:
                told = True
                yield self._notice(NoticeCode.SILENT, f"no reader calls port {self._options.port}{turned_away}")
            elif stranger := self._admit(door):
                turned_away = f"; {stranger} was turned away, it is not in allow"
        if told:
            yield self._notice(NoticeCode.ANSWERING, f"{self._visit.address} calls")

    async def _presence(self, door: socket.socket) -> AsyncGenerator[Item, None]:
        """The items of the reader that is here, until it leaves."""
        while (visit := self._visit) is not None:
            ready = await readable(visit.reader.fileno(), door.fileno(), timeout_s=visit.assembler.quiet_s)
            for item in visit.assembler.quiet() if ready is None else self._hear(visit, door):
                yield item

    def _hear(self, visit: _Visit, door: socket.socket) -> list[Item]:
        """What the reader says; only when it has nothing more to say, who else is at the door."""
        try:
            if data := _read(visit.reader, visit.address):
                return visit.assembler.feed(data)
        except DeviceUnavailable:
            self._leave()
            return visit.assembler.cut_off()
        self._admit(door)
        return [] if visit is self._visit else visit.assembler.cut_off()

    def _admit(self, door: socket.socket) -> str:
        """Let the caller in if it may, else give its address. It replaces an earlier call of its own, nobody else's."""
        try:
            reader, peer = door.accept()
        except OSError as exc:
            if exc.errno in _OUT_OF_ROOM:
                raise DeviceUnavailable(*LISTEN_SICK.fill(port=self._options.port, reason=exc.strerror)) from exc
            return ""  # it hung up before we answered: accept(2), error handling
        address = _plain(str(peer[0]))
        if not any(ip_address(address) in network for network in self._options.allow):
            reader.close()
            return address
        if self._visit is not None and self._visit.address != address:
            reader.close()
            return ""
        self._leave()
        _watch_over(reader)
        self._visit = _Visit(reader, address, Assembler(self._device_id, self._options))
        return ""

    def _leave(self) -> None:
        if self._visit is not None:
            self._visit.reader.close()
            self._visit = None

    def _notice(self, code: NoticeCode, text: str) -> Notice:
        return Notice(
            device=self._device_id,
            code=code,
            text=text,
            captured_at=datetime.now(UTC),
            monotonic_ns=time.monotonic_ns(),
        )


class _Visit:
    """One reader that called."""

    def __init__(self, reader: socket.socket, address: str, assembler: Assembler) -> None:
        self.reader = reader
        self.address = address
        self.assembler = assembler


async def _call(thread: ThreadPoolExecutor, host: str, port: int) -> socket.socket:
    """A connection to ``host``, every address of it tried in turn, all within CONNECT_S."""
    try:
        async with asyncio.timeout(CONNECT_S):
            found = await asyncio.wrap_future(thread.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM))
            return await _first([(socket.AddressFamily(family), address) for family, _, _, _, address in found])
    except TimeoutError as exc:
        raise DeviceUnavailable(*NO_ANSWER.fill(peer=_peer(host, port), seconds=f"{CONNECT_S:g}")) from exc
    except (socket.gaierror, UnicodeError) as exc:
        raise DeviceUnavailable(*NAME_UNKNOWN.fill(host=host)) from exc
    except ConnectionRefusedError as exc:
        raise DeviceUnavailable(*CONNECTION_REFUSED.fill(peer=_peer(host, port))) from exc
    except OSError as exc:
        raise DeviceUnavailable(*NO_ROUTE.fill(peer=_peer(host, port), reason=exc.strerror)) from exc


async def _first(addresses: list[tuple[socket.AddressFamily, tuple[object, ...]]]) -> socket.socket:
    loop = asyncio.get_running_loop()
    problem: OSError | None = None
    for family, address in addresses:
        reader = socket.socket(family, socket.SOCK_STREAM)
        try:
            reader.setblocking(False)
            _watch_over(reader)
            await loop.sock_connect(reader, address)
        except OSError as exc:
            reader.close()
            problem = exc
        except asyncio.CancelledError:
            reader.close()
            raise
        else:
            return reader
    raise problem or OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))


def _door(host: str, port: int) -> socket.socket:
    """A socket that waits for calls."""
    door = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        door.setblocking(False)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else a restart waits a minute for the old port
        door.bind((host, port))
        door.listen(4)
    except OSError as exc:
        door.close()
        match exc.errno:
            case errno.EACCES:
                raise DeviceFault(*LISTEN_DENIED.fill(port=port)) from exc
            case errno.EADDRINUSE:
                raise DeviceUnavailable(*LISTEN_BUSY.fill(port=port)) from exc
            case _:
                raise DeviceUnavailable(*LISTEN_NO_ADDRESS.fill(host=host, reason=exc.strerror)) from exc
    return door


def _watch_over(reader: socket.socket) -> None:
    """The kernel ends the connection when the other side is gone without a word."""
    reader.setblocking(False)
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    reader.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
    reader.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_EVERY_S)
    reader.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_COUNT)
    reader.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
    reader.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _read(reader: socket.socket, peer: str) -> bytes:
    try:
        data = reader.recv(CHUNK)
    except BlockingIOError:
        return b""
    except OSError as exc:
        raise DeviceUnavailable(*READER_GONE.fill(peer=peer)) from exc
    if not data:
        raise DeviceUnavailable(*READER_GONE.fill(peer=peer))
    return data


def _plain(address: str) -> str:
    """An IPv4 caller at an IPv6 door by its IPv4 address (RFC 4291 §2.5.5.2)."""
    parsed = ip_address(address)
    return str(parsed.ipv4_mapped) if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped else address


def _peer(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
