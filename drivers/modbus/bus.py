"""Polling: which device is asked when, what becomes of an answer, and what of none.

Tags of one device with the same ``every_s`` are polled together and yield one frame per array type. A poll is whole or
it failed. Two failed polls in a row end the session of a device that has the line to itself. On a bus they make that
device silent: a notice says so, and it is asked again at growing intervals while the others keep their rate; when all
are silent, the session ends.

What a frame leaves out, so that no wrong value is ever attributed to a tag:

- a tag whose raw value is NaN, infinite or its ``invalid`` pattern: the others come in a frame without it, a notice is
  given, and the tag grows stale;
- a tag that the device refuses (exception 1, 2 or 3, when asked for alone): the same, asked again each minute. A
  request for several tags that is refused is taken apart first, and that is remembered. All refused: a DeviceFault;
- a whole frame in which every tag has a ``deadband`` and none has moved beyond it, for at most ten seconds.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import msgspec
from msgspec import Struct

from drivers.modbus.link import Doubts, Link, Refusal, Silence, Unit, Values, open_link
from drivers.modbus.plan import Point, Request, coalesce, decode, split
from drivers.modbus.wire import Wiring
from edge.errors import DeviceFault, DeviceUnavailable
from edge.model import Item, Layout, Notice, NoticeCode, Readings
from edge.wording import Words
from edge.wording.modbus import (
    ALL_REFUSED,
    ALL_SILENT,
    BACK,
    EXCEPTIONS,
    REFUSED,
    SILENT,
    TAG_REFUSED,
    TAG_WITHOUT_VALUE,
    UNKNOWN_EXCEPTION,
)

PATIENCE: Final = 2  # failed polls in a row; one is noise on the wire
BACKOFF_S: Final = 1.0
BACKOFF_MAX_S: Final = 30.0  # a sensor that is plugged in again is back before anybody asks
KEEPALIVE_S: Final = 10.0  # an unmoved value is told at least this often: it is not stale
REFUSED_AGAIN_S: Final = 60.0
ABOUT_REQUEST: Final = frozenset({1, 2, 3})  # exceptions that say the question is wrong, not that the moment is


class Device(Struct, frozen=True, kw_only=True):
    """One device and what is wanted of it."""

    device_id: str
    unit: Unit
    points: tuple[Point, ...]
    max_gap: int
    max_registers: int


class Bus:
    """The devices of one line. Implements Driver."""

    def __init__(self, wiring: Wiring, devices: Sequence[Device]) -> None:
        self._wiring = wiring
        self._slaves = [_Slave(device) for device in devices]
        self._doubts = Doubts(device.unit for device in devices)

    @property
    def device_ids(self) -> tuple[str, ...]:
        return tuple(slave.device.device_id for slave in self._slaves)

    def session(self) -> AbstractAsyncContextManager[AsyncGenerator[Item, None]]:
        return self._session()

    @asynccontextmanager
    async def _session(self) -> AsyncGenerator[AsyncGenerator[Item, None], None]:
        async with open_link(self._wiring, self._doubts) as link, aclosing(self._poll(link)) as items:
            yield items

    async def _poll(self, link: Link) -> AsyncGenerator[Item, None]:
        now = time.monotonic()
        for slave in self._slaves:
            slave.begin(now)
        while True:
            due, slave, group = self._next(link)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            outcome = await slave.read(link, group)
            if isinstance(outcome, Silence):
                async with aclosing(self._failed(slave, outcome.why)) as items:
                    async for item in items:
                        yield item
            else:
                for item in outcome:
                    yield item

    def _next(self, link: Link) -> tuple[float, _Slave, _Group]:
        """Whoever is due first; a silent one, or one whose late answer may still come, is not."""
        due, slave, group = min(
            (
                (max(group.due, slave.not_before, link.ready_at(slave.device.unit)), slave, group)
                for slave in self._slaves
                for group in slave.groups
            ),
            key=lambda turn: turn[0],
        )
        return due, slave, group

    async def _failed(self, slave: _Slave, why: Words) -> AsyncGenerator[Item, None]:
        slave.failures += 1
        if slave.failures < PATIENCE:
            return
        line = self._wiring.name
        if len(self._slaves) == 1:
            if slave.refuses_everything:
                raise DeviceFault(*ALL_REFUSED.fill(line=line, unit=slave.device.unit.unit_id, why=why))
            raise DeviceUnavailable(
                *SILENT.fill(line=line, unit=slave.device.unit.unit_id, times=slave.failures, why=why)
            )
        if slave.fall_silent():
            yield _notice(slave, NoticeCode.SILENT, why.en)
        if all(other.failures >= PATIENCE for other in self._slaves):
            raise DeviceUnavailable(*ALL_SILENT.fill(line=line, count=len(self._slaves), why=why))


class _Ask:
    """A request, and when it may be made again after the device refused it."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.refused: Words | None = None
        self.not_before = 0.0


class _Group:
    """Tags that are polled together."""

    def __init__(self, every_s: float, points: tuple[Point, ...], asks: list[_Ask]) -> None:
        self.every_s = every_s
        self.points = points
        self.asks = asks
        self.due = 0.0

    def advance(self, now: float) -> None:
        """To the next beat after ``now``; beats that were missed are skipped, never made up for."""
        self.due += self.every_s * (max(0.0, now - self.due) // self.every_s + 1)


class _Slave:
    """One device: what was learned about it, and how it is doing. What was learned outlives the session."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.groups = list(_groups(device))
        self.failures = 0
        self.not_before = 0.0
        self._backoff_s = 0.0
        self._failed_polls = 0
        self._told_silent = False
        self._without_value: set[str] = set()
        self._layouts: dict[tuple[str, ...], Layout] = {}
        self._sent: dict[tuple[str, ...], tuple[float, array[int] | array[float]]] = {}

    @property
    def refuses_everything(self) -> bool:
        return all(ask.refused for group in self.groups for ask in group.asks)

    def begin(self, now: float) -> None:
        """A session: everything is asked, whatever the last one ended with."""
        self.failures = 0
        self.not_before = self._backoff_s = 0.0
        self._sent.clear()
        for group in self.groups:
            group.due = now
            for ask in group.asks:
                ask.refused, ask.not_before = None, 0.0

    async def read(self, link: Link, group: _Group) -> list[Item] | Silence:
        """One poll: frames and notices, or why there are none."""
        group.advance(time.monotonic())
        values: dict[str, int | float | None] = {}
        first: Values | None = None
        items: list[Item] = []
        done: list[_Ask] = []
        todo = deque(group.asks)
        while todo:
            ask = todo.popleft()
            if ask.not_before > time.monotonic():
                done.append(ask)
                continue
            answer = await link.ask(self.device.unit, ask.request)
            if isinstance(answer, Values):
                first = first or answer
                values |= decode(ask.request, answer.values)
                ask.refused = None
            elif isinstance(answer, Refusal) and answer.code in ABOUT_REQUEST:
                if answer.code != 1 and len(parts := split(ask.request)) > 1:
                    todo.extendleft(_Ask(part) for part in reversed(parts))
                    continue
                items += self._refused(ask, _meaning(answer.code))
            else:
                group.asks = [*done, ask, *todo]
                self._failed_polls += 1
                return answer if isinstance(answer, Silence) else Silence(why=_meaning(answer.code))
            done.append(ask)
        group.asks = done
        if self.refuses_everything:
            self._failed_polls += 1
            why = next(ask.refused for ask in done if ask.refused)
            for ask in done:  # nothing is left to poll: it is all asked again
                ask.not_before = 0.0
            return Silence(why=why)
        if first is not None:
            items += self._answered()
            items += self._frames(group, values, first)
        return items

    def fall_silent(self) -> bool:
        """Asked again later, each time later still. True when this is news."""
        self._backoff_s = min(BACKOFF_MAX_S, self._backoff_s * 2 or BACKOFF_S)
        self.not_before = time.monotonic() + self._backoff_s
        news = not self._told_silent
        self._told_silent = True
        return news

    def _answered(self) -> Iterator[Item]:
        if self._told_silent:
            self._told_silent = False
            yield _notice(self, NoticeCode.ANSWERING, BACK.fill({"count": self._failed_polls}).en)
        self.failures = self._failed_polls = 0
        self.not_before = self._backoff_s = 0.0

    def _refused(self, ask: _Ask, why: Words) -> Iterator[Item]:
        news = ask.refused is None
        ask.refused, ask.not_before = why, time.monotonic() + REFUSED_AGAIN_S
        if news:
            tags = ", ".join(f"{p.tag.name} ({p.table} {p.address})" for p in ask.request.points)
            yield _notice(self, NoticeCode.NO_VALUE, TAG_REFUSED.fill({"tags": tags, "why": why}).en)

    def _frames(self, group: _Group, values: Mapping[str, int | float | None], answer: Values) -> Iterator[Item]:
        without = {name for name, value in values.items() if value is None}
        if news := without - self._without_value:
            yield _notice(self, NoticeCode.NO_VALUE, TAG_WITHOUT_VALUE.fill({"tags": ", ".join(sorted(news))}).en)
        self._without_value = self._without_value - set(values) | without
        for typecode in "qd":
            points = [p for p in group.points if p.typecode == typecode and values.get(p.tag.name) is not None]
            if points and (frame := self._frame(group, typecode, points, values, answer)) is not None:
                yield frame

    def _frame(
        self,
        group: _Group,
        typecode: str,
        points: Sequence[Point],
        values: Mapping[str, int | float | None],
        answer: Values,
    ) -> Readings | None:
        names = tuple(point.tag.name for point in points)
        numbers = array(typecode, [value for name in names if (value := values[name]) is not None])
        now = time.monotonic()
        sent = self._sent.get(names)
        if sent is not None and now + group.every_s - sent[0] <= KEEPALIVE_S and _unmoved(points, sent[1], numbers):
            return None
        self._sent[names] = now, numbers
        layout = self._layouts.get(names)
        if layout is None:
            layout = self._layouts[names] = _layout(self.device.device_id, typecode, points)
        return Readings(layout=layout, values=numbers, captured_at=answer.captured_at, monotonic_ns=answer.monotonic_ns)


def _groups(device: Device) -> Iterator[_Group]:
    for every_s in sorted({point.tag.every_s for point in device.points}):
        points = tuple(point for point in device.points if point.tag.every_s == every_s)
        requests = coalesce(points, max_gap=device.max_gap, max_registers=device.max_registers)
        yield _Group(every_s, points, [_Ask(request) for request in requests])


def _layout(device_id: str, typecode: str, points: Sequence[Point]) -> Layout:
    """``every_s`` of its tags is the longest that a healthy device goes without telling them."""
    tags = tuple(point.tag for point in points)
    if all(point.deadband is not None for point in points):
        tags = tuple(msgspec.structs.replace(tag, every_s=max(tag.every_s, KEEPALIVE_S)) for tag in tags)
    return Layout(device=device_id, tags=tags, typecode=typecode)


def _unmoved(points: Sequence[Point], before: Sequence[float], now: Sequence[float]) -> bool:
    return all(
        point.deadband is not None and abs(new - old) * abs(point.tag.scale) <= point.deadband
        for point, old, new in zip(points, before, now, strict=True)
    )


def _meaning(code: int) -> Words:
    return REFUSED.fill({"code": code, "meaning": EXCEPTIONS.get(code, UNKNOWN_EXCEPTION)})


def _notice(slave: _Slave, code: NoticeCode, text: str) -> Notice:
    return Notice(
        device=slave.device.device_id,
        code=code,
        text=text,
        captured_at=datetime.now(UTC),
        monotonic_ns=time.monotonic_ns(),
    )
