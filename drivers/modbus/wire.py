"""What carries a Modbus line: a TCP connection, or a serial port that is opened and closed in a thread of its own.

Either becomes an asyncio transport for a protocol. Leaving releases it at once: what was not sent yet is thrown away.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import termios
from collections.abc import AsyncGenerator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from drivers.descriptor import CHUNK, own_thread
from edge.errors import DeviceFault, DeviceUnavailable, LotlineError
from edge.wording.modbus import (
    CONNECT_TIMEOUT,
    CONNECTION_REFUSED,
    LINE_REFUSED,
    NAME_UNKNOWN,
    NO_ROUTE,
    NOT_INSTALLED,
    NOT_SERIAL,
    PORT_ABSENT,
    PORT_BUSY,
    PORT_DENIED,
    PORT_HANGS,
    PORT_SICK,
)

if TYPE_CHECKING:
    import serial

OPEN_S: Final = 3.0  # a healthy port opens in milliseconds, a PLC accepts within one


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
        async with asyncio.timeout(OPEN_S):
            transport, _ = await loop.create_connection(lambda: protocol, wiring.host, wiring.port)
    except TimeoutError as exc:
        raise DeviceUnavailable(*CONNECT_TIMEOUT.fill(line=line, seconds=f"{OPEN_S:g}")) from exc
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
    async with own_thread(wiring.path) as thread:
        port = await _open(thread, wiring)
        transport = _Wire(port.fileno(), protocol)
        try:
            yield
        finally:
            transport.close()
            await asyncio.wrap_future(thread.submit(_close, port))


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


async def _open(thread: ThreadPoolExecutor, wiring: Wiring) -> serial.Serial:
    opening = thread.submit(_open_blocking, wiring)
    try:
        async with asyncio.timeout(OPEN_S):
            return await asyncio.wrap_future(opening)
    except TimeoutError as exc:
        opening.add_done_callback(_close_late)
        raise DeviceUnavailable(*PORT_HANGS.fill(line=wiring.name, seconds=f"{OPEN_S:g}")) from exc
    except asyncio.CancelledError:
        opening.add_done_callback(_close_late)
        raise


def _open_blocking(wiring: Wiring) -> serial.Serial:
    try:
        import serial
    except ImportError as exc:
        raise DeviceFault(*NOT_INSTALLED.fill(package="pyserial", extra="serial")) from exc
    try:
        port = serial.Serial(
            port=wiring.path,
            baudrate=wiring.baudrate,
            parity=wiring.parity[0].upper(),
            stopbits=wiring.stopbits,
            timeout=0,
            exclusive=True,
        )
    except serial.SerialException as exc:
        raise _trouble(wiring.path, exc.errno) from exc
    except OSError as exc:
        raise DeviceUnavailable(*PORT_SICK.fill(line=wiring.path, reason=exc.strerror)) from exc
    except (ValueError, termios.error) as exc:
        raise DeviceFault(*LINE_REFUSED.fill(line=wiring.path, reason=exc)) from exc
    return port


def _trouble(path: str, number: int | None) -> LotlineError:
    """What it means that opening ``path`` failed with errno ``number`` (None: it opened, but is no terminal)."""
    match number:
        case errno.ENOENT | errno.ENODEV | errno.ENXIO:
            return DeviceUnavailable(*PORT_ABSENT.fill(line=path))
        case errno.EACCES | errno.EPERM:
            return DeviceFault(*PORT_DENIED.fill(line=path, uid=os.geteuid()))
        case errno.EBUSY | errno.EAGAIN:
            return DeviceUnavailable(*PORT_BUSY.fill(line=path))
        case None | errno.ENOTTY:
            return DeviceFault(*NOT_SERIAL.fill(line=path))
        case _:
            return DeviceUnavailable(*PORT_SICK.fill(line=path, reason=os.strerror(number)))


def _close(port: serial.Serial) -> None:
    """Without waiting for a question that the line does not take (the tty layer would wait up to 30 s)."""
    try:
        port.reset_output_buffer()
    except (OSError, termios.error):  # unplugged: nothing is waiting any more
        pass
    port.close()


def _close_late(opening: Future[serial.Serial]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        _close(opening.result())
