"""What carries a Modbus line: a TCP connection, or a serial port that is opened and closed in a thread of its own.

Either becomes an asyncio transport for a protocol. Leaving releases it at once: what was not sent yet is thrown away.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final, Literal

from msgspec import Struct

from drivers.descriptor import CHUNK
from drivers.serial_port import SerialLine, serial_port
from edge.errors import DeviceUnavailable
from edge.wording.devices import ADAPTER
from edge.wording.modbus import CONNECT_TIMEOUT, CONNECTION_REFUSED, NAME_UNKNOWN, NO_ROUTE

CONNECT_S: Final = 3.0  # a PLC accepts within milliseconds


class Wiring(Struct, frozen=True, kw_only=True):
    """Which line, and how it is set."""

    kind: Literal["tcp", "rtu", "rtu_over_tcp"]
    host: str = ""
    port: int = 0
    path: str = ""  #: of the serial port
    baudrate: int = 9600
    parity: Literal["none", "even", "odd"] = "none"
    stopbits: Literal[1, 2] = 1

    @property
    def name(self) -> str:
        """As it is called in sentences."""
        return self.path or f"{self.host}:{self.port}"


@asynccontextmanager
async def open_socket(wiring: Wiring, protocol: asyncio.Protocol) -> AsyncGenerator[None, None]:
    """A TCP connection. Raises DeviceUnavailable."""
    loop = asyncio.get_running_loop()
    line = wiring.name
    try:
        async with asyncio.timeout(CONNECT_S):
            transport, _ = await loop.create_connection(lambda: protocol, wiring.host, wiring.port)
    except TimeoutError as exc:
        raise DeviceUnavailable(*CONNECT_TIMEOUT.fill(line=line, seconds=f"{CONNECT_S:g}")) from exc
    except ConnectionRefusedError as exc:
        raise DeviceUnavailable(*CONNECTION_REFUSED.fill(line=line)) from exc
    except socket.gaierror as exc:
        raise DeviceUnavailable(*NAME_UNKNOWN.fill(line=line)) from exc
    except OSError as exc:
        raise DeviceUnavailable(*NO_ROUTE.fill(line=line, reason=exc.strerror or exc)) from exc
    try:
        yield
    finally:
        transport.abort()  # close() would wait for the peer to take what is left
        await asyncio.sleep(0)  # the socket is closed in the loop's next round


@asynccontextmanager
async def open_wire(wiring: Wiring, protocol: asyncio.Protocol) -> AsyncGenerator[None, None]:
    """A serial port, locked against others that lock. Raises DeviceUnavailable or DeviceFault."""
    line = SerialLine(
        path=wiring.path, thing=ADAPTER, baudrate=wiring.baudrate, parity=wiring.parity, stopbits=wiring.stopbits
    )
    async with serial_port(line) as descriptor:
        transport = _Wire(descriptor, protocol)
        try:
            yield
        finally:
            transport.close()


class _Wire(asyncio.Transport):
    """A descriptor as a transport. The descriptor is closed by whoever opened it."""

    def __init__(self, descriptor: int, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._descriptor = descriptor
        self._protocol = protocol
        self._unsent = b""
        self._closing = False
        protocol.connection_made(self)
        self._loop.add_reader(descriptor, self._read)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._unsent += bytes(data)
        self._flush()

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._loop.remove_reader(self._descriptor)
            self._loop.remove_writer(self._descriptor)

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, CHUNK)
        except BlockingIOError:
            return
        except OSError as exc:
            self._hang_up(exc)
            return
        if data:
            self._protocol.data_received(data)
        else:  # readable, yet nothing to read
            self._hang_up(None)

    def _flush(self) -> None:
        if self._closing:
            return
        try:
            self._unsent = self._unsent[os.write(self._descriptor, self._unsent) :]
        except BlockingIOError:
            pass
        except OSError as exc:
            self._hang_up(exc)
            return
        if self._unsent:
            self._loop.add_writer(self._descriptor, self._flush)
        else:
            self._loop.remove_writer(self._descriptor)

    def _hang_up(self, exc: OSError | None) -> None:
        self.close()
        self._protocol.connection_lost(exc)
