"""The least HTTP destination that speaks the contract of ``sync.http``, in a process of its own: decompress, find ids, answer."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
import zstandard
from aiohttp import web
from msgspec import Struct

_BODY_BYTES: Final = 64 << 20


_EVENT_ID: Final = re.compile(rb'"eventID":"([^"]+)"')


class _Result(Struct):
    id: str
    status: str = "accepted"
    receipt: str = "1"


@contextmanager
def http_sink() -> Iterator[str]:
    """Its address, while the block runs."""
    process = subprocess.Popen([sys.executable, "-m", __name__], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/events"
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


async def _take(request: web.Request) -> web.Response:
    body = await request.read()
    if request.headers.get("Content-Encoding") == "zstd":
        body = zstandard.ZstdDecompressor().decompress(body)
    results = [_Result(id=found.decode()) for found in _EVENT_ID.findall(body)]
    return web.Response(body=msgspec.json.encode({"results": results}), content_type="application/json")


async def _serve() -> None:
    app = web.Application(client_max_size=_BODY_BYTES)
    app.router.add_post("/events", _take)
    runner = web.AppRunner(app, access_log=None, auto_decompress=False)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve())
