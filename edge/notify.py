"""What systemd is told (sd_notify(3)): ready, what we are doing, and that we are alive.

The watchdog is fed only when the loop has come round and the log's writer has answered, with a commit or with a named storage
stop, within ``ANSWER_S``. A writer that hangs in fdatasync is not fed for: systemd then restarts the process.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Final

ANSWER_S: Final = 10.0
HEARD_S: Final = 0.2  # a systemd that is busy with itself must not hold up the line


class Notifier:
    """Talks to $NOTIFY_SOCKET; silent where there is none."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        usec = os.environ.get("WATCHDOG_USEC", "")
        self._every_s = int(usec) / 1e6 / 3 if usec.isdigit() and self._address else 0.0

    def say(self, text: str) -> None:
        """One datagram, e.g. ``READY=1``."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            out.settimeout(HEARD_S)
            try:
                out.sendto(text.encode(), address)
            except OSError:
                return  # systemd going away, or not reading, is not ours to fail on

    async def farewell(self) -> None:
        """Says ``STOPPING=1`` the moment it is cancelled, before anything else is closed."""
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.say("STOPPING=1")

    async def feed(self, pulse: Callable[[], Awaitable[None]]) -> None:
        """Feeds the watchdog for as long as ``pulse`` answers in time; returns at once where none is set."""
        while self._every_s:
            try:
                async with asyncio.timeout(ANSWER_S):
                    await pulse()
            except TimeoutError:
                continue  # not fed: if it stays so, systemd acts
            self.say("WATCHDOG=1")
            await asyncio.sleep(self._every_s)
