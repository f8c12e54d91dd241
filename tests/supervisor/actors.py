"""A clock that is set by hand, a wait that is only counted, and a driver that plays a written part."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta

from edge.contracts import Signal
from edge.model import Item, Moment, Notice, NoticeCode, Scan

START = datetime(2026, 11, 22, 3, 42, tzinfo=UTC)


class HandClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.s = 100.0

    def now(self) -> Moment:
        return Moment(
            utc=START + timedelta(seconds=self.s - 100.0),
            offset_s=28800,
            monotonic_ns=round(self.s * 1e9),
            boot_id="b",
            synchronised=True,
            bound_s=0.0,
        )


class Waits:
    """Moves the clock instead of waiting. ``seconds`` is every wait there was."""

    def __init__(self, clock: HandClock) -> None:
        self.seconds: list[float] = []
        self._clock = clock

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self._clock.s += seconds
        await asyncio.sleep(0)


Part = Callable[[], Awaitable[object]] | BaseException | Item


def scan(device: str = "hand-1", raw: bytes = b"A") -> Scan:
    return Scan(device=device, raw=raw, captured_at=START, monotonic_ns=1)


def notice(device: str, code: NoticeCode, text: str, after_s: float = 0.0) -> Notice:
    at = START + timedelta(seconds=after_s)
    return Notice(device=device, code=code, text=text, captured_at=at, monotonic_ns=1)


class Actor:
    """A driver that plays one list of parts per session: an item is yielded, an error raised, a function called.

    Entering raises when the session's first part is an error. After the last session it stays online and silent.
    """

    def __init__(self, *sessions: Iterable[Part], names: tuple[str, ...] = ("hand-1",)) -> None:
        self.device_ids = names
        self.open = 0
        self.entered = 0
        self._sessions = [list(session) for session in sessions]

    def session(self) -> AbstractAsyncContextManager[AsyncGenerator[Item, None]]:
        return self._session()

    async def release(self) -> None:
        """What leaving takes; tests put their own in its place."""

    @asynccontextmanager
    async def _session(self) -> AsyncGenerator[AsyncGenerator[Item, None], None]:
        self.entered += 1
        parts = self._sessions.pop(0) if self._sessions else [asyncio.Event().wait]
        if parts and isinstance(parts[0], BaseException):
            raise parts[0]
        self.open += 1
        try:
            async with aclosing(self._play(parts)) as items:
                yield items
        finally:
            await self.release()
            self.open -= 1

    async def _play(self, parts: list[Part]) -> AsyncGenerator[Item, None]:
        for part in parts:
            if isinstance(part, BaseException):
                raise part
            if callable(part):
                await part()
            else:
                yield part


class Beeper(Actor):
    """An actor that can beep."""

    def __init__(self, *sessions: Iterable[Part]) -> None:
        super().__init__(*sessions)
        self.heard: list[Signal] = []

    async def signal(self, signal: Signal) -> None:
        self.heard.append(signal)
