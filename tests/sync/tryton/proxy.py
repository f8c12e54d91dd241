"""Stands between the edge and Tryton, and cuts where a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from urllib.parse import urlsplit


class Cut(Enum):
    """How request number ``at`` is cut. A read changes nothing in Tryton, so two of them count only writes."""

    BEFORE = "before"  #: Tryton never hears of it, nor of anything later
    AFTER = "after"  #: Tryton has done this write, the edge never hears; nothing later gets through
    ONCE = "once"  #: Tryton has done this write, the edge never hears; HTTP clients send a PUT again by themselves


class Proxy:
    """Counts requests; cuts, or answers instead of Tryton."""

    def __init__(self, upstream: str) -> None:
        where = urlsplit(upstream)
        assert where.hostname is not None and where.port is not None
        self._upstream = (where.hostname, where.port)
        self.url = ""
        self.seen = 0
        self.at = 0
        self.cut = Cut.BEFORE
        self.canned: bytes | None = None
        self.silent = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(_length(head))
            if self.cut is Cut.BEFORE or not head.startswith(b"GET "):
                self.seen += 1
                place = self.seen
            else:
                place = self.seen + 0.5
            if self.silent:
                await asyncio.sleep(3600)
            if self.canned is not None:
                writer.write(self.canned)
                await writer.drain()
                return
            is_dead = place >= self.at if self.cut is Cut.BEFORE else place > self.at and self.cut is Cut.AFTER
            if self.at and is_dead:
                return
            answer = await self._ask(head, body)
            if place == self.at:
                return
            writer.write(answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _ask(self, head: bytes, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*self._upstream)
        try:
            lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
            writer.write(b"\r\n".join([lines[0], b"Connection: close", *lines[1:]]) + body)
            await writer.drain()
            return await reader.read(-1)
        finally:
            writer.close()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def canned(status: str, body: str = "", *headers: str) -> bytes:
    """An answer as bytes."""
    data = body.encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + data


@asynccontextmanager
async def proxy(upstream: str) -> AsyncIterator[Proxy]:
    """Listens on a free loopback port."""
    it = Proxy(upstream)
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        await it.serve(reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    it.url = f"http://{host}:{port}"
    try:
        yield it
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
