"""Scanners: one on a pseudo terminal, one on the network. Both send what they are told to and hear what is answered.

Scanning waits until somebody has the line open, as a person waits for the scanner to be ready; after that the line's
own flow control holds it back, so that nothing sent is ever lost here.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import select
import socket
import struct
import termios
import tty
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Self

_TAIL: Final = 4096  # answers kept for a look; their number is counted beyond it
_LOOK_S: Final = 0.02  # a pty does not tell its master when somebody opens it
_SETTLED_S: Final = 0.5  # a reader that never flushes its input (cat, socat) counts as ready after this
#: linux/tty.h: with TIOCPKT set, the first byte of every read from the master says what happened on the other side
_FLUSHED_INPUT: Final = 0x01


class Heard:
    """What was answered: ``count`` bytes in all, the last of them in ``tail``."""

    def __init__(self) -> None:
        self.count = 0
        self.tail = b""

    def add(self, data: bytes) -> None:
        """Take ``data``."""
        self.count += len(data)
        self.tail = (self.tail + data)[-_TAIL:]


class PtyScanner:
    """A scanner on a pseudo terminal; ``path`` is a symlink to it, as udev makes one.

    ``pieces`` > 1 sends every scan in that many writes, ``pause_s`` apart. Use it as ``async with``.
    """

    def __init__(self, path: Path, *, terminator: bytes = b"\r", pieces: int = 1, pause_s: float = 0.0) -> None:
        self.path = path
        self.heard = Heard()
        self._terminator = terminator
        self._pieces = pieces
        self._pause_s = pause_s
        self._master: int | None = None
        self._opened = asyncio.Event()
        self._watch: asyncio.TimerHandle | None = None
        self._settled: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        self.plug()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.unplug()

    def plug(self) -> None:
        """Put the plug in; a new terminal, the same name. Nothing when it is in."""
        if self._master is not None:
            return
        master, slave = os.openpty()
        tty.setraw(slave)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        aside = self.path.with_name(f".{self.path.name}.new")
        aside.unlink(missing_ok=True)
        aside.symlink_to(os.ttyname(slave))
        aside.replace(self.path)
        os.close(slave)
        os.set_blocking(master, False)
        fcntl.ioctl(master, termios.TIOCPKT, struct.pack("i", 1))
        self._master = master
        self._look()

    def unplug(self) -> None:
        """Pull the plug: whoever has it open sees the line hang up. Nothing when it is out."""
        if self._master is None:
            return
        master, self._master = self._master, None
        self._closed(master)
        for timer in (self._watch, self._settled):
            if timer is not None:
                timer.cancel()
        self.path.unlink(missing_ok=True)
        os.close(master)

    async def scan(self, code: bytes) -> None:
        """Scan ``code``: send it with the terminator, once somebody listens."""
        await self.send(code + self._terminator)

    async def send(self, data: bytes) -> None:
        """Send ``data`` as it is, once somebody listens. Raises ConnectionError when unplugged on the way."""
        plugged = self._master
        while not self._opened.is_set():
            if plugged is not None and self._master != plugged:
                raise ConnectionError(f"{self.path} was unplugged")
            await asyncio.sleep(_LOOK_S / 20)
        master, size = self._master, -(-len(data) // self._pieces)
        for start in range(0, len(data), size):
            if start:
                await asyncio.sleep(self._pause_s)
            await self._write(data[start : start + size], master)

    @property
    def listening(self) -> bool:
        """Somebody has the terminal open and will read what comes."""
        return self._opened.is_set()

    async def _write(self, data: bytes, master: int | None) -> None:
        while data:
            if master is None or self._master != master:
                raise ConnectionError(f"{self.path} was unplugged")
            try:
                if self._opened.is_set():
                    data = data[os.write(master, data) :]
                    continue
            except BlockingIOError:
                pass
            except OSError as exc:  # EIO: the reader died with the port open
                raise ConnectionError(f"{self.path} was let go in the middle of a scan") from exc
            await asyncio.sleep(_LOOK_S / 20)  # EPOLLOUT of a master does not tell of room in the other's queue

    def _look(self) -> None:
        """Until somebody opens the terminal, nobody tells us when."""
        self._watch = None
        if self._master is None:
            return
        loop = asyncio.get_running_loop()
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        if any(events & select.POLLHUP for _, events in poll.poll(0)):
            self._watch = loop.call_later(_LOOK_S, self._look)
            return
        self._settled = loop.call_later(_SETTLED_S, self._opened.set)
        loop.add_reader(self._master, self._hear, self._master)

    def _hear(self, master: int) -> None:
        try:
            packet = os.read(master, _TAIL)
        except BlockingIOError:
            return
        except OSError:  # EIO: the other side closed
            self._closed(master)
            self._look()
            return
        if packet[0] == 0:
            self.heard.add(packet[1:])
        elif packet[0] & _FLUSHED_INPUT:  # opening a port ends with throwing away old input: from here on all is read
            self._opened.set()

    def _closed(self, master: int) -> None:
        asyncio.get_running_loop().remove_reader(master)
        self._opened.clear()
        if self._settled is not None:
            self._settled.cancel()
            self._settled = None


class TcpScanner:
    """A reader on the network, as a server (``serve``) or calling by itself (``call``)."""

    def __init__(self, *, terminator: bytes = b"\r\n", pieces: int = 1, pause_s: float = 0.0) -> None:
        self.heard = Heard()
        self.port = 0
        self._terminator = terminator
        self._pieces = pieces
        self._pause_s = pause_s
        self._line: asyncio.StreamWriter | None = None
        self._opened = asyncio.Event()

    @asynccontextmanager
    async def serve(self, port: int = 0, host: str = "127.0.0.1") -> AsyncGenerator[Self, None]:
        """Wait for calls at ``port`` (0: a free one, see ``self.port``); one at a time, a new one replaces the old."""
        server = await asyncio.start_server(self._called, host, port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.hang_up()
            await server.wait_closed()

    @asynccontextmanager
    async def call(self, port: int, host: str = "127.0.0.1") -> AsyncGenerator[Self, None]:
        """Call ``host``:``port``; hang up at the end."""
        reader, writer = await asyncio.open_connection(host, port)
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(self._called(reader, writer))
            try:
                yield self
            finally:
                listening.cancel()
                self.hang_up()

    @property
    def connected(self) -> bool:
        """Somebody is on the line."""
        return self._line is not None

    async def scan(self, code: bytes) -> None:
        """Scan ``code``: send it with the terminator, once somebody is connected."""
        await self.send(code + self._terminator)

    async def send(self, data: bytes) -> None:
        """Send ``data`` as it is, once somebody is connected. Raises ConnectionError when the line breaks."""
        size = -(-len(data) // self._pieces)
        for start in range(0, len(data), size):
            if start:
                await asyncio.sleep(self._pause_s)
            await self._opened.wait()
            if (line := self._line) is None:
                raise ConnectionError("the connection broke")
            line.write(data[start : start + size])
            await line.drain()

    def hang_up(self) -> None:
        """Close the connection, as a reader does that is switched off by its button."""
        if self._line is not None:
            self._line.close()
        self._line = None
        self._opened.clear()

    def reset(self) -> None:
        """Break the connection with a reset, as a reader does that came back from a power cut."""
        if self._line is not None:
            line: socket.socket = self._line.get_extra_info("socket")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.hang_up()

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hang_up()
        self._line = writer
        self._opened.set()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(_TAIL):
                self.heard.add(data)
        if self._line is writer:
            self.hang_up()
