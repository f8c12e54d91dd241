"""systemd hears of the end when it begins."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

import pytest

from edge.notify import Notifier


async def test_stopping_is_said_before_anything_else_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        systemd.settimeout(2)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        leaving = asyncio.create_task(Notifier().farewell())
        await asyncio.sleep(0)
        leaving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await leaving
        assert systemd.recv(100) == b"STOPPING=1"
