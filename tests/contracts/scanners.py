"""The scanners' side of the behaviour suite."""

from __future__ import annotations

import random
import socket
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from drivers import serial_scanner, tcp_scanner
from edge.contracts import Driver
from edge.simulate.scanner import PtyScanner, TcpScanner

CODE = b"]d2010950600013435210L77"
NOISE = random.Random(2).randbytes(3000) + b"\r"
FLOOD = b"x" * 1_000_000


def free_port() -> int:
    """A loopback port that nobody has just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class SerialBench:
    """A serial scanner and a pseudo terminal."""

    def __init__(self, directory: Path) -> None:
        port = directory / "hand-1"
        self.device = PtyScanner(port)
        self.driver: Driver = serial_scanner.build("hand-1", serial_scanner.Options(port=str(port)))

    async def __aenter__(self) -> Self:
        self.device.plug()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.device.unplug()

    async def work(self) -> None:
        await self.device.scan(CODE)

    async def absent(self) -> None:
        self.device.unplug()

    async def present(self) -> None:
        self.device.plug()

    async def drop(self) -> None:
        await self.device.send(CODE[:7])
        self.device.unplug()

    async def garbage(self) -> None:
        await self.device.send(NOISE)

    async def flood(self) -> None:
        await self.device.send(FLOOD + b"\r")


class TcpBench:
    """A network scanner that is called."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.device = TcpScanner(terminator=b"\r")
        self.serving = AsyncExitStack()
        self.driver: Driver = tcp_scanner.build("fixed-1", tcp_scanner.Options(host="127.0.0.1", port=self.port))

    async def __aenter__(self) -> Self:
        await self.present()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.absent()

    async def work(self) -> None:
        await self.device.scan(CODE)

    async def absent(self) -> None:
        await self.serving.aclose()

    async def present(self) -> None:
        await self.serving.enter_async_context(self.device.serve(self.port))

    async def drop(self) -> None:
        await self.device.send(CODE[:7])
        self.device.reset()
        await self.absent()

    async def garbage(self) -> None:
        await self.device.send(NOISE)

    async def flood(self) -> None:
        await self.device.send(FLOOD + b"\r")


class DoorBench:
    """A network scanner that calls."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.device = TcpScanner(terminator=b"\r")
        self.calling = AsyncExitStack()
        options = tcp_scanner.Options(mode="listen", host="127.0.0.1", port=self.port, allow=["127.0.0.1"], away_s=0.05)
        self.driver: Driver = tcp_scanner.build("fixed-2", options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.absent()

    async def work(self) -> None:
        await self._call()
        await self.device.scan(CODE)

    async def absent(self) -> None:
        await self.calling.aclose()

    async def present(self) -> None:
        """It calls when it has something to say, anew each time."""

    async def drop(self) -> None:
        await self._call()
        await self.device.send(CODE[:7])
        self.device.reset()

    async def garbage(self) -> None:
        await self._call()
        await self.device.send(NOISE)

    async def flood(self) -> None:
        await self._call()
        await self.device.send(FLOOD + b"\r")

    async def _call(self) -> None:
        await self.absent()
        await self.calling.enter_async_context(self.device.call(self.port))
