"""Serves the pages inside the daemon: uvicorn without its signal handlers, stopped by cancellation within 2 s."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from typing import Final

import uvicorn
from starlette.applications import Starlette

from edge.errors import TechnicianError
from edge.web.stream import Streams
from edge.wording.page import PAGE

_GRACE_S: Final = 1  # for an act under way; the streams are ended first
_BACKLOG: Final = 128
_CONNECTIONS: Final = 256  # one browser holds at most six; a flood from this PC must not eat the line's memory


class _Server(uvicorn.Server):
    """Leaves the signals to the daemon and says when it answers."""

    def __init__(self, config: uvicorn.Config, answering: Callable[[], None]) -> None:
        super().__init__(config)
        self._answering = answering

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._answering()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: Starlette, host: str, port: int, ready: Callable[[int], None]) -> None:
    """Serve ``app`` at ``host`` until cancelled; ``ready`` gets the port once it answers (``port`` 0 = any free one).

    Raises TechnicianError when the port cannot be opened.
    """
    listening = _listen(host, port)
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        loop="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = _Server(config, lambda: ready(listening.getsockname()[1]))
    streams: Streams = app.state.streams
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(server.serve(sockets=[listening]))
        try:
            await asyncio.shield(serving)
        finally:
            server.should_exit = True
            streams.close()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(serving)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as exc:
        raise TechnicianError(
            PAGE["no_port"].fill({"host": host, "port": port, "why": os.strerror(exc.errno or 0)}), PAGE["no_port_do"]
        ) from exc
