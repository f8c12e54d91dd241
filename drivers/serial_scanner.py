"""A scanner on a serial port: RS-232, or USB in its virtual-COM (CDC) mode.

The bytes are read by the loop straight from the descriptor. The port is closed before an error is raised, so that a USB
scanner that comes back gets its old name.

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

import os
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Literal

from pydantic import Field

from drivers.descriptor import CHUNK
from drivers.scanner import Assembler, ScannerOptions, answer, items
from drivers.serial_port import SerialLine, serial_port
from edge.contracts import Driver, Signal
from edge.errors import DeviceUnavailable
from edge.model import Item
from edge.wording.devices import PORT_GONE, SCANNER


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
        options = self._options
        line = SerialLine(
            path=options.port,
            thing=SCANNER,
            baudrate=options.baudrate,
            bytesize=options.bytesize,
            parity=options.parity,
            stopbits=options.stopbits,
        )
        async with serial_port(line) as descriptor:
            self._descriptor = descriptor
            try:
                assembler = Assembler(self._device_id, options)
                async with aclosing(items(descriptor, lambda: self._read(descriptor), assembler)) as scans:
                    yield scans
            finally:
                self._descriptor = None

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
