"""The daemon's own door for verbs: a unix socket in the state directory that only its owner can open.

One request per connection, one JSON object each way: ``{"verb": "status", ...}`` → ``{"ok": true, "result": ...}`` or
``{"ok": false, "say": {"en": ..., "zh": ...}}``. Whoever may read the state directory may also ask; there is no other authority here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from edge.errors import LotlineError, TechnicianError
from edge.wording import Words

Handler = Callable[[Mapping[str, Any]], Awaitable[Any]]

_ANSWER_S: Final = 30.0
_REQUEST_MAX: Final = 1 << 20


class NotRunning(TechnicianError):
    """No daemon answers in this state directory."""


@contextlib.asynccontextmanager
async def serve(path: Path, handlers: Mapping[str, Handler]) -> AsyncIterator[None]:
    """Answers while the block runs. The socket is owner-only from its first instant."""
    _remove(path)
    before = os.umask(0o177)
    try:
        with _reachable(path) as address:
            server = await asyncio.start_unix_server(
                lambda reader, writer: _answer(reader, writer, handlers), address, limit=_REQUEST_MAX
            )
    finally:
        os.umask(before)
    try:
        yield
    finally:
        server.close()
        with contextlib.suppress(OSError):  # a disk turned read-only: the socket stays, and says to nobody that we run
            _remove(path)


def ask(path: Path, verb: str, **fields: object) -> Any:
    """The running daemon's answer. Blocks; raises NotRunning, or LotlineError with the daemon's own words."""
    with socket.socket(socket.AF_UNIX) as connection, _reachable(path) as address:
        connection.settimeout(_ANSWER_S)
        try:
            connection.connect(address)
            connection.sendall(json.dumps({"verb": verb, **fields}).encode() + b"\n")
            data = b"".join(iter(lambda: connection.recv(1 << 16), b""))
        except OSError as exc:
            raise NotRunning(
                Words(f"no running line answers at {path}.", f"{path} 没有正在运行的产线程序。"),
                Words(
                    "Start it with `lotline run FILE`, or name its directory with --state.",
                    "请用 `lotline run FILE` 启动，或用 --state 指定目录。",
                ),
            ) from exc
    if not data:
        raise LotlineError(
            Words("the running line could not answer; its own log says why.", "产线程序未能回答，原因见其日志。")
        )
    answer = json.loads(data)
    if not answer["ok"]:
        raise LotlineError(Words(answer["say"]["en"], answer["say"]["zh"]))
    return answer["result"]


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handlers: Mapping[str, Handler]) -> None:
    try:
        async with asyncio.timeout(_ANSWER_S):
            reply = await _reply(await reader.readline(), handlers)
            writer.write(json.dumps(reply, ensure_ascii=False).encode())
            await writer.drain()
    except (OSError, TimeoutError):
        pass  # whoever asked has gone
    finally:
        writer.close()


async def _reply(line: bytes, handlers: Mapping[str, Handler]) -> dict[str, Any]:
    try:
        request = json.loads(line)
        handler = handlers[request["verb"]]
    except (ValueError, KeyError, TypeError):
        return {"ok": False, "say": {"en": "This version does not know that request.", "zh": "此版本不认识该请求。"}}
    try:
        return {"ok": True, "result": await handler(request)}
    except LotlineError as exc:
        return {"ok": False, "say": {"en": exc.say.en, "zh": exc.say.zh}}


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


@contextlib.contextmanager
def _reachable(path: Path) -> Iterator[str]:
    """An address for ``path``: sun_path holds 107 bytes (unix(7)), a longer one is reached through its folder's descriptor."""
    if len(os.fsencode(path)) <= 107:
        yield str(path)
        return
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        yield ""  # no folder, no socket: connecting says so
        return
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
