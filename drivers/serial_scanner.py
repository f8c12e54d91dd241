"""A scanner on a serial port: RS-232, or USB in its virtual-COM (CDC) mode.

pyserial opens and sets up the port in a thread of the device's own; the bytes are then read by the loop straight from
the descriptor. The port is locked against other programs that lock (flock), and closed before an error is raised, so
that a USB scanner that comes back gets its old name.

==================  ====================================================================================================
promise             how it is held
==================  ====================================================================================================
no partial code     a frame is whole or becomes a notice: overrun, no terminator, cut off by unplugging
nothing changed     framing, prefix and suffix are taken off; every other byte, GS among them, is kept
unplugged           DeviceUnavailable at once (EIO or end of file)
not allowed         DeviceFault with the command that allows it
blocking calls      open and close in the device's thread, each with a deadline
feedback            after the record is on disk; 0.5 s at most
not tested          RTS/CTS and parity errors: a pseudo terminal has neither
==================  ====================================================================================================
"""

from __future__ import annotations

import asyncio
import errno
import os
import termios
from collections.abc import AsyncGenerator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Final, Literal

import serial
from pydantic import Field

from drivers.descriptor import CHUNK, own_thread
from drivers.scanner import Assembler, ScannerOptions, answer, items
from edge.contracts import Driver, Signal
from edge.errors import DeviceFault, DeviceUnavailable, LotlineError
from edge.model import Item
from edge.wording.devices import (
    LINE_REFUSED,
    NOT_SERIAL,
    PORT_ABSENT,
    PORT_BUSY,
    PORT_DENIED,
    PORT_GONE,
    PORT_HANGS,
    PORT_SICK,
)

OPEN_S: Final = 3.0  # a healthy port opens in milliseconds; a sick USB adapter can hold the call for ever


class Options(ScannerOptions):
    """A scanner on a serial port."""

    port: str = Field(
        pattern=r"^/", description="device path that survives re-plugging: /dev/serial/by-id/… or a udev name"
    )
    baudrate: int = Field(default=9600, ge=50, le=4_000_000)
    bytesize: Literal[5, 6, 7, 8] = 8
    parity: Literal["none", "even", "odd", "mark", "space"] = "none"
    stopbits: Literal[1, 2] = 1


def build(device_id: str, options: Options) -> Driver:
    """The driver of one serial scanner."""
    return SerialScanner(device_id, options)


def port_key(options: Options) -> str:
    """Devices with the same key want the same port."""
    return options.port


class SerialScanner:
    """One scanner on one port. Implements Driver and Feedback."""

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
        async with own_thread(self._device_id) as thread:
            port = await _open(thread, self._options)
            try:
                self._descriptor = descriptor = port.fileno()
                assembler = Assembler(self._device_id, self._options)
                async with aclosing(items(descriptor, lambda: self._read(descriptor), assembler)) as scans:
                    yield scans
            finally:
                self._descriptor = None
                await asyncio.wrap_future(thread.submit(_close, port))

    def _read(self, descriptor: int) -> bytes:
        try:
            data = os.read(descriptor, CHUNK)
        except BlockingIOError:
            return b""
        except OSError as exc:
            raise DeviceUnavailable(*PORT_GONE.fill(port=self._options.port)) from exc
        if not data:  # readable, yet nothing to read: hung up
            raise DeviceUnavailable(*PORT_GONE.fill(port=self._options.port))
        return data


async def _open(thread: ThreadPoolExecutor, options: Options) -> serial.Serial:
    opening = thread.submit(_open_blocking, options)
    try:
        async with asyncio.timeout(OPEN_S):
            return await asyncio.wrap_future(opening)
    except TimeoutError as exc:
        opening.add_done_callback(_close_late)
        raise DeviceUnavailable(*PORT_HANGS.fill(port=options.port, seconds=f"{OPEN_S:g}")) from exc
    except asyncio.CancelledError:
        opening.add_done_callback(_close_late)
        raise


def _open_blocking(options: Options) -> serial.Serial:
    try:
        return serial.Serial(
            port=options.port,
            baudrate=options.baudrate,
            bytesize=options.bytesize,
            parity=options.parity[0].upper(),
            stopbits=options.stopbits,
            exclusive=True,
        )
    except serial.SerialException as exc:
        raise _trouble(options.port, exc.errno) from exc
    except OSError as exc:
        raise DeviceUnavailable(*PORT_SICK.fill(port=options.port, reason=exc.strerror)) from exc
    except (ValueError, termios.error) as exc:
        raise DeviceFault(*LINE_REFUSED.fill(port=options.port, reason=exc)) from exc


def _trouble(port: str, number: int | None) -> LotlineError:
    """What it means that opening ``port`` failed with errno ``number`` (None: it has no line settings)."""
    match number:
        case errno.ENOENT | errno.ENODEV | errno.ENXIO:
            return DeviceUnavailable(*PORT_ABSENT.fill(port=port))
        case errno.EACCES | errno.EPERM:
            return DeviceFault(*PORT_DENIED.fill(port=port, uid=os.geteuid()))
        case errno.EBUSY | errno.EAGAIN:
            return DeviceUnavailable(*PORT_BUSY.fill(port=port))
        case None | errno.ENOTTY:
            return DeviceFault(*NOT_SERIAL.fill(port=port))
        case _:
            return DeviceUnavailable(*PORT_SICK.fill(port=port, reason=os.strerror(number)))


def _close(port: serial.Serial) -> None:
    """Close without waiting for feedback that the line does not take (the tty layer would wait up to 30 s)."""
    try:
        port.reset_output_buffer()
    except (OSError, termios.error):  # unplugged: nothing is waiting any more
        pass
    port.close()


def _close_late(opening: Future[serial.Serial]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        _close(opening.result())
