"""A TCP proxy that loses, delays and cuts what passes: the network between a plant and its ERP, seeded.

It stands between a client and a server that speak request and answer in turn. Every request draws one fault, so a
connection that is kept alive meets them too.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import Counter
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import TracebackType
from typing import Final, Self

_BLOCK: Final = 65_536
_LINGER_RST: Final = struct.pack("ii", 1, 0)  # close() sends RST (socket(7), SO_LINGER)


class Loss(StrEnum):
    """What happens to one exchange."""

    NONE = "none"
    DROP = "drop"  #: the connection ends before the server sees anything
    DELAY = "delay"  #: the request is held for ``delay_s``
    SWALLOW = "swallow"  #: the server has done its work, the answer never arrives, the connection ends
    CUT = "cut"  #: the connection ends in the middle of the answer
    RESET = "reset"  #: as SWALLOW, but with RST
    HANG = "hang"  #: as SWALLOW, but the connection stays open and silent


class FaultProxy:
    """``async with FaultProxy(port, …) as proxy``: connect to ``proxy.port`` instead."""

    def __init__(
        self,
        target_port: int,
        *,
        weights: Mapping[Loss, float],
        seed: int,
        target_host: str = "127.0.0.1",
        delay_s: float = 0.02,
    ) -> None:
        self.port = 0
        self.seen: Counter[Loss] = Counter()
        self.weights = dict(weights)
        self._target = (target_host, target_port)
        self._random = random.Random(seed)
        self._delay_s = delay_s
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    def _draw(self) -> Loss:
        losses = tuple(self.weights)
        loss = self._random.choices(losses, [self.weights[loss] for loss in losses])[0]
        self.seen[loss] += 1
        return loss

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            _end(writer)
            return
        try:
            await _Exchange(self._draw, self._delay_s, (reader, writer), (far_reader, far_writer)).run()
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # one side went away by itself: that is what a proxy passes on
        finally:
            _end(writer)
            _end(far_writer)


class _Exchange:
    """One pair of connections. The first bytes of the client after an answer are a new request and draw a new fault."""

    def __init__(
        self,
        draw: Callable[[], Loss],
        delay_s: float,
        near: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        far: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._draw = draw
        self._delay_s = delay_s
        self._near = near
        self._far = far
        self._answered = True
        self._loss = Loss.NONE

    async def run(self) -> None:
        """Until either side ends or the fault ends it."""
        ways = {asyncio.ensure_future(self._requests()), asyncio.ensure_future(self._answers())}
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in done:
                way.result()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _requests(self) -> None:
        reader, _ = self._near
        _, writer = self._far
        while data := await reader.read(_BLOCK):
            if self._answered:
                self._answered = False
                self._loss = self._draw()
            if self._loss is Loss.DROP:
                return
            if self._loss is Loss.DELAY:
                await asyncio.sleep(self._delay_s)
            writer.write(data)
            await writer.drain()

    async def _answers(self) -> None:
        reader, _ = self._far
        _, writer = self._near
        while data := await reader.read(_BLOCK):
            self._answered = True
            match self._loss:
                case Loss.SWALLOW:
                    return
                case Loss.RESET:
                    raw: socket.socket = writer.get_extra_info("socket")
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RST)
                    return
                case Loss.HANG:
                    continue
                case Loss.CUT:
                    writer.write(data[: len(data) // 2])
                    await writer.drain()
                    return
                case _:
                    writer.write(data)
                    await writer.drain()


def _end(writer: asyncio.StreamWriter) -> None:
    writer.close()
