"""One stream of events per page: the whole screen at once, after every change, and at least every second.

Each message is everything the page needs, so a message lost or a page that slept costs nothing, and reconnecting is
the same as connecting. The one-second repeat is the heartbeat: the browser shows the lost-contact screen after three
seconds without one. A stream ends when its browser goes, when its station goes, or when the program stops
(``Streams.close``). (Server-sent events: HTML standard §9.2.)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Final

import msgspec
from starlette.types import Receive, Scope, Send

from edge.web.view import Document, LineView

HEARTBEAT_S: Final = 1.0  # two may go missing before the page says so
LIVE_S: Final = 0.25  # a number that changes faster cannot be read
_RETRY_MS: Final = 1000


class Streams:
    """The open streams of the program."""

    def __init__(self) -> None:
        self._sending: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        """End every stream. Its browser shows the lost-contact screen and connects again by itself."""
        for sending in self._sending:
            sending.cancel()

    def response(self, messages: AsyncGenerator[bytes, None]) -> Stream:
        """The answer that sends ``messages`` until one side ends it."""
        return Stream(messages, self._sending)


class Stream:
    """An ASGI answer that also notices a browser that has gone while there is nothing to send."""

    def __init__(self, messages: AsyncGenerator[bytes, None], register: set[asyncio.Task[None]]) -> None:
        self._messages = messages
        self._register = register

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(self._send(send))
            leaving = group.create_task(_gone(receive))
            self._register.add(sending)
            sending.add_done_callback(self._register.discard)
            sending.add_done_callback(lambda _: leaving.cancel())
            leaving.add_done_callback(lambda _: sending.cancel())
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.body", "body": b"retry: %d\n\n" % _RETRY_MS, "more_body": True})
        async with aclosing(self._messages) as messages:
            async for message in messages:
                await send({"type": "http.response.body", "body": message, "more_body": True})


async def messages(
    line: LineView, station: str, draw: Callable[[Document], dict[str, object]]
) -> AsyncGenerator[bytes, None]:
    """What the browser gets: each document of ``station`` as ``draw`` shows it, numbered from 1."""
    number = 0
    async with aclosing(paced(line, station)) as documents:
        async for document in documents:
            number += 1
            yield b"id: %d\ndata: %b\n\n" % (number, msgspec.json.encode(draw(document)))


async def paced(line: LineView, station: str) -> AsyncGenerator[Document, None]:
    """The present document, then each change at once; live values alone every LIVE_S; in silence every HEARTBEAT_S.

    Waiting for changes begins before the present document is taken, so no change falls between the two.
    """
    loop = asyncio.get_running_loop()
    changes = line.changes(station)
    coming = asyncio.ensure_future(_next(changes))
    try:
        await asyncio.sleep(0)  # lets the wait begin
        document = line.view(station)
        while document is not None:
            yield document
            sent, sent_at, newer = document, loop.time(), None
            due = sent_at + HEARTBEAT_S
            while (left := due - loop.time()) > 0:
                await asyncio.wait({coming}, timeout=left)
                if not coming.done():
                    break
                newer = coming.result()
                if newer is None:
                    return
                coming = asyncio.ensure_future(_next(changes))
                if _still(newer) != _still(sent):
                    break
                due = sent_at + LIVE_S
            document = newer or line.view(station)  # in silence ages go on, and values go stale
    finally:
        coming.cancel()


def _still(document: Document) -> Document:
    """A document without what changes all the time: live values, and ages, which the browser counts itself."""
    verdict = document["verdict"]
    return {**document, "live": None, "verdict": verdict and {**verdict, "age_s": None}}


async def _next(changes: AsyncIterator[Document]) -> Document | None:
    """The next change; None when there will be no more."""
    return await anext(changes, None)


async def _gone(receive: Receive) -> None:
    """Returns when the browser has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
