"""A serial port, opened and closed in a device's own thread: pyserial sets it up, the loop then reads its descriptor.

The port is locked against other programs that lock (flock). Opening has a deadline, because a sick USB adapter can hold the call for
ever; a port that opens after all is closed again by itself.
"""

from __future__ import annotations

import asyncio
import errno
import os
import termios
from collections.abc import AsyncGenerator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from drivers.descriptor import own_thread
from edge.errors import DeviceFault, DeviceUnavailable, LotlineError
from edge.wording import Words
from edge.wording.devices import (
    LINE_REFUSED,
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

OPEN_S: Final = 3.0  # a healthy port opens in milliseconds


class SerialLine(Struct, frozen=True, kw_only=True):
    """Which port, and how it is set. ``thing`` is what a person plugs in."""

    path: str
    thing: Words
    baudrate: int
    bytesize: Literal[5, 6, 7, 8] = 8
    parity: Literal["none", "even", "odd", "mark", "space"] = "none"
    stopbits: Literal[1, 2] = 1


@asynccontextmanager
async def serial_port(line: SerialLine) -> AsyncGenerator[int, None]:
    """The descriptor of the open port, non-blocking. Raises DeviceUnavailable or DeviceFault."""
    async with own_thread(line.path) as thread:
        port = await _open(thread, line)
        try:
            yield port.fileno()
        finally:
            await asyncio.wrap_future(thread.submit(_close, port))


async def _open(thread: ThreadPoolExecutor, line: SerialLine) -> serial.Serial:
    opening = thread.submit(_open_blocking, line)
    try:
        async with asyncio.timeout(OPEN_S):
            return await asyncio.wrap_future(opening)
    except TimeoutError as exc:
        opening.add_done_callback(_close_late)
        raise DeviceUnavailable(*PORT_HANGS.fill(port=line.path, thing=line.thing, seconds=f"{OPEN_S:g}")) from exc
    except asyncio.CancelledError:
        opening.add_done_callback(_close_late)
        raise


def _open_blocking(line: SerialLine) -> serial.Serial:
    try:
        import serial
    except ImportError as exc:
        raise DeviceFault(*NOT_INSTALLED.fill(package="pyserial", extra="serial")) from exc
    try:
        return serial.Serial(
            port=line.path,
            baudrate=line.baudrate,
            bytesize=line.bytesize,
            parity=line.parity[0].upper(),
            stopbits=line.stopbits,
            timeout=0,
            exclusive=True,
        )
    except serial.SerialException as exc:
        raise _trouble(line, exc.errno) from exc
    except OSError as exc:
        raise DeviceUnavailable(*PORT_SICK.fill(port=line.path, thing=line.thing, reason=exc.strerror)) from exc
    except (ValueError, termios.error) as exc:
        raise DeviceFault(*LINE_REFUSED.fill(port=line.path, reason=exc)) from exc


def _trouble(line: SerialLine, number: int | None) -> LotlineError:
    """What it means that opening failed with errno ``number`` (None: it has no line settings)."""
    match number:
        case errno.ENOENT | errno.ENODEV | errno.ENXIO:
            return DeviceUnavailable(*PORT_ABSENT.fill(port=line.path, thing=line.thing))
        case errno.EACCES | errno.EPERM:
            return DeviceFault(*PORT_DENIED.fill(port=line.path, uid=os.geteuid()))
        case errno.EBUSY | errno.EAGAIN:
            return DeviceUnavailable(*PORT_BUSY.fill(port=line.path))
        case None | errno.ENOTTY:
            return DeviceFault(*NOT_SERIAL.fill(port=line.path))
        case _:
            return DeviceUnavailable(*PORT_SICK.fill(port=line.path, thing=line.thing, reason=os.strerror(number)))


def _close(port: serial.Serial) -> None:
    """Close without waiting for bytes that the line does not take (the tty layer would wait up to 30 s)."""
    try:
        port.reset_output_buffer()
    except (OSError, termios.error):  # unplugged: nothing is waiting any more
        pass
    port.close()


def _close_late(opening: Future[serial.Serial]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        _close(opening.result())
