"""Waiting for descriptors in the loop without a task, and calling what blocks in a thread of the device's own.

A descriptor is watched only while its reader waits: bytes that nobody asks for stay in the kernel, whose flow control
then holds the sender back. Nothing is queued here.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

CHUNK = 4096  # the tty layer hands out no more at once (N_TTY_BUF_SIZE), and a scan is far shorter


async def readable(*descriptors: int, timeout_s: float | None = None) -> int | None:
    """The first of ``descriptors`` that can be read or has hung up; None when ``timeout_s`` passes before."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[int] = loop.create_future()

    def tell(descriptor: int) -> None:
        if not ready.done():
            ready.set_result(descriptor)

    try:
        for descriptor in descriptors:
            loop.add_reader(descriptor, tell, descriptor)
        async with asyncio.timeout(timeout_s):
            return await ready
    except TimeoutError:
        return None
    finally:
        for descriptor in descriptors:
            loop.remove_reader(descriptor)


async def send(descriptor: int, data: bytes) -> None:
    """Writes all of ``data``, waiting for room as needed. Raises OSError."""
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            await _writable(descriptor)


async def _writable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    room = asyncio.Event()
    loop.add_writer(descriptor, room.set)
    try:
        await room.wait()
    finally:
        loop.remove_writer(descriptor)


@asynccontextmanager
async def own_thread(device: str) -> AsyncGenerator[ThreadPoolExecutor, None]:
    """One thread for the blocking calls of ``device``: one that hangs takes no other device with it."""
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=device)
    try:
        yield thread
    finally:
        thread.shutdown(wait=False)
