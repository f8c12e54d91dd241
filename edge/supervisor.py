"""One coroutine per device, bus or follower: it runs, and when it stops, this decides what happens next.

================================  ==========================  =========================================================
what ended it                     state meanwhile             what happens next
================================  ==========================  =========================================================
MachineError, end of iteration    waiting                     tried again after a growing, random wait
StorageStop                       waiting                     the same: space comes back by itself or by a person
TechnicianError, LogDamaged       fault                       waits for ``resume``
a bug of a driver                 fault                       waits for ``resume``; its siblings run on
a bug of a follower               waiting                     tried again: nobody is there at night to press Resume
cancellation                      stopped                     the device is released within RELEASE_S
================================  ==========================  =========================================================

An item is durable before the next one is read: ``take`` is awaited. Only then does the scanner beep.

A failure is logged once, at WARNING; its repetitions at DEBUG; its end at INFO as "recovered after N attempts, M s". It
has ended when a session has lasted: a device that connects and drops again has not recovered, neither for the log nor
for the length of the wait. While it is tried again its state stays "waiting", with the reason.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Final, NoReturn

from msgspec import Struct

from edge.clock import Clock
from edge.contracts import Driver, Feedback, Signal
from edge.errors import DeviceUnavailable, LineStop, LotlineError, MachineError, SinkUnavailable, StorageStop
from edge.model import DeviceState, Item, Notice, NoticeCode, Readings, Scan
from edge.wording import Words
from edge.wording import devices as say

BACKOFF_FIRST_S: Final = 0.5  # a plug that was touched is back before anybody looks up
BACKOFF_MAX_S: Final = 30.0  # an operator who plugs a scanner in again waits this long at most; they call at 60
#: As long as the longest wait: a device that drops sooner would else be tried more often than one that is switched off.
LASTED_S: Final = 30.0
SIGNAL_S: Final = 0.5  # a later beep would be taken for the next scan's
RELEASE_S: Final = 1.0  # Ctrl-C stops the whole line within 3

_log = logging.getLogger(__name__)


class Backoff(Struct, frozen=True, kw_only=True):
    """How long to wait: anything from nothing to a ceiling that doubles with every failure ("full jitter").

    The randomness keeps forty devices behind one switch from knocking at the same instant when it comes back.
    """

    first_s: float = BACKOFF_FIRST_S
    max_s: float = BACKOFF_MAX_S
    lasted_s: float = LASTED_S

    def wait_s(self, failures: int, chance: float) -> float:
        """The wait after the ``failures``-th failure in a row; ``chance`` in [0, 1)."""
        doublings = min(failures - 1, 32)  # beyond any ceiling, and far from overflowing
        return chance * min(self.max_s, self.first_s * 2.0**doublings)


class DeviceStatus(Struct, frozen=True, kw_only=True):
    """How one device or follower is."""

    device: str
    state: DeviceState
    since: datetime
    detail: Words
    failures: int  #: attempts that failed since it last worked for long enough
    last_item_at: datetime | None


class Supervisor:
    """Keeps devices and followers running; knows how each one is. Belongs to one loop."""

    def __init__(
        self,
        *,
        take: Callable[[Item], Awaitable[Signal | None]],
        clock: Clock,
        changed: Callable[[DeviceStatus], None] = lambda _: None,
        backoff: Backoff = Backoff(),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._take = take
        self._clock = clock
        self._changed = changed
        self._backoff = backoff
        self._sleep = sleep
        self._chance = chance
        self._devices: dict[str, _Device] = {}
        self._line_stopped = False

    async def keep(self, driver: Driver) -> None:
        """Run ``driver`` for ever: session, items, ``take``, feedback. Raises ValueError when it runs already."""
        care = self._adopt(driver.device_ids)
        await self._for_ever(care, lambda: self._session(driver, care), after_bug=_stays_down)

    async def follow(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run a follower for ever; ``run`` is called again whenever it ends. Raises ValueError when it runs already."""
        care = self._adopt((name,))
        await self._for_ever(care, lambda: self._pursue(run, care), after_bug=_comes_back)

    def status(self) -> Mapping[str, DeviceStatus]:
        """How everything is, by device or follower."""
        return {name: device.status() for name, device in self._devices.items()}

    def resume(self, device: str) -> None:
        """A person has mended the fault of ``device``. Nothing when it has none. Raises KeyError for an unknown one."""
        self._devices[device].care.resumed.set()

    # -- one life -----------------------------------------------------------------------------------------------------

    async def _for_ever(
        self, care: _Care, attempt: Callable[[], Awaitable[NoReturn]], *, after_bug: Callable[[Exception], _Trouble]
    ) -> None:
        try:
            while True:
                try:
                    await attempt()
                except LotlineError as exc:
                    trouble = _diagnose(exc)
                except Exception as exc:  # noqa: BLE001 the only one of the tree: a bug ends here, its siblings run on
                    _log.exception("%s: stopped by a bug; everything else runs on", care.name)
                    trouble = after_bug(exc)
                await self._get_over(care, trouble)
        finally:
            self._move(care.devices, DeviceState.STOPPED, say.STOPPED)

    async def _get_over(self, care: _Care, trouble: _Trouble) -> None:
        now_ns = self._clock.now().monotonic_ns
        if care.lasted_s(now_ns) >= self._backoff.lasted_s:  # the timer may be due in this very turn of the loop
            self._recovered(care)
        care.failed(now_ns)
        is_news = care.failures == 1 or trouble.state is DeviceState.FAULT
        _log.log(logging.WARNING if is_news else logging.DEBUG, "%s: %s", care.name, trouble.detail.en)
        self._move(care.devices, trouble.state, trouble.detail)
        if trouble.state is DeviceState.FAULT:
            await care.resumed.wait()
            self._move(care.devices, DeviceState.CONNECTING, say.CONNECTING)
        elif trouble.wait_s is not None:
            await self._sleep(trouble.wait_s)
        else:
            await self._sleep(self._backoff.wait_s(care.failures, self._chance()))

    def _works(self, care: _Care, words: Words) -> asyncio.TimerHandle:
        """It is up; once it has lasted it has recovered. The caller cancels the timer."""
        care.works(self._clock.now().monotonic_ns)
        self._move(care.devices, DeviceState.ONLINE, words)
        return asyncio.get_running_loop().call_later(self._backoff.lasted_s, self._recovered, care)

    def _recovered(self, care: _Care) -> None:
        if not care.failures:
            return
        _log.info("%s: recovered after %d attempts, %.0f s", care.name, care.failures, care.away_s())
        care.failures = 0
        for device in care.devices:  # the count is part of it
            self._changed(device.status())

    # -- a device -----------------------------------------------------------------------------------------------------

    async def _session(self, driver: Driver, care: _Care) -> NoReturn:
        feedback = driver if isinstance(driver, Feedback) else None
        try:
            async with asyncio.timeout(None) as release, driver.session() as items:
                lasting = self._works(care, say.ONLINE)
                try:
                    async for item in items:
                        await self._hand_on(item, feedback)
                finally:
                    lasting.cancel()
                    release.reschedule(asyncio.get_running_loop().time() + RELEASE_S)
        except TimeoutError as exc:
            if not release.expired():
                raise
            raise DeviceUnavailable(*say.NOT_RELEASED.fill(seconds=f"{RELEASE_S:g}")) from exc
        raise DeviceUnavailable(*say.WENT_AWAY.fill())

    async def _hand_on(self, item: Item, feedback: Feedback | None) -> None:
        """Durable first; then, and only then, what the scanner's holder hears."""
        self._see(item)
        try:
            signal = await self._take(item)
        except LineStop as exc:
            signal = Signal.BAD if isinstance(item, Scan) else None
            if not self._line_stopped:
                _log.warning("nothing is taken any more: %s", exc)
            self._line_stopped = True
        else:
            if self._line_stopped and isinstance(item, Scan):  # readings are taken before they are durable
                _log.info("everything is taken again")
                self._line_stopped = False
        if signal is None or feedback is None:
            return
        try:
            async with asyncio.timeout(SIGNAL_S):
                await feedback.signal(signal)
        except TimeoutError:
            _log.debug("feedback took longer than %.1f s", SIGNAL_S)

    def _see(self, item: Item) -> None:
        """What an item says about the device it came from; on a bus that need not be all of them."""
        device = self._devices[item.layout.device if isinstance(item, Readings) else item.device]
        device.last_item_at = item.captured_at
        if not isinstance(item, Notice):
            return
        if item.code is NoticeCode.SILENT:
            if device.state is DeviceState.ONLINE:
                _log.warning("%s: no answer (%s)", device.name, item.text)
            self._move([device], DeviceState.WAITING, say.SILENT.fill({"text": item.text}))
        elif item.code is NoticeCode.ANSWERING and device.state is DeviceState.WAITING:
            away = item.captured_at - device.since
            _log.info("%s: answers again after %.0f s", device.name, away.total_seconds())
            self._move([device], DeviceState.ONLINE, say.ONLINE)

    # -- a follower ---------------------------------------------------------------------------------------------------

    async def _pursue(self, run: Callable[[], Awaitable[None]], care: _Care) -> NoReturn:
        lasting = self._works(care, say.RUNNING)
        try:
            await run()
        finally:
            lasting.cancel()
        raise MachineError(*say.ENDED.fill())

    # -- states -------------------------------------------------------------------------------------------------------

    def _adopt(self, names: tuple[str, ...]) -> _Care:
        for name in names:
            if name in self._devices and self._devices[name].state is not DeviceState.STOPPED:
                raise ValueError(f"'{name}' is kept already")
        care = _Care(names, self._clock.now().utc)
        self._devices.update({device.name: device for device in care.devices})
        self._move(care.devices, DeviceState.CONNECTING, say.CONNECTING)
        return care

    def _move(self, devices: Iterable[_Device], state: DeviceState, detail: Words) -> None:
        for device in devices:
            if device.state is not state:
                device.state, device.since = state, self._clock.now().utc
            device.detail = detail
            self._changed(device.status())


class _Device:
    """One device or follower, as the page shows it."""

    def __init__(self, name: str, care: _Care, now: datetime) -> None:
        self.name = name
        self.care = care
        self.state = DeviceState.CONNECTING
        self.since = now
        self.detail = say.CONNECTING
        self.last_item_at: datetime | None = None

    def status(self) -> DeviceStatus:
        """As of now."""
        return DeviceStatus(
            device=self.name,
            state=self.state,
            since=self.since,
            detail=self.detail,
            failures=self.care.failures,
            last_item_at=self.last_item_at,
        )


class _Care:
    """What is known about the one coroutine that looks after some devices."""

    def __init__(self, names: tuple[str, ...], now: datetime) -> None:
        self.name = ", ".join(names)
        self.devices = tuple(_Device(name, self, now) for name in names)
        self.failures = 0
        self.resumed = asyncio.Event()
        self._broke_ns = 0
        self._works_since_ns: int | None = None

    def failed(self, now_ns: int) -> None:
        """It does not work, once more."""
        if self.failures == 0:
            self._broke_ns = now_ns
        self.failures += 1
        self._works_since_ns = None
        self.resumed.clear()

    def works(self, now_ns: int) -> None:
        """It works, so far."""
        self._works_since_ns = now_ns

    def lasted_s(self, now_ns: int) -> float:
        """For how long it has worked."""
        return 0.0 if self._works_since_ns is None else (now_ns - self._works_since_ns) / 1e9

    def away_s(self) -> float:
        """For how long it had not worked when it began to work again."""
        return ((self._works_since_ns or self._broke_ns) - self._broke_ns) / 1e9


class _Trouble(Struct, frozen=True, kw_only=True):
    """What happens next, and what is said meanwhile."""

    state: DeviceState
    detail: Words
    wait_s: float | None = None  #: the other side's own wish; None for ours


def _diagnose(exc: LotlineError) -> _Trouble:
    """By who must act."""
    match exc:
        case SinkUnavailable(wait_s=wait_s):
            return _Trouble(state=DeviceState.WAITING, detail=say.RETRYING.fill({"say": exc.say}), wait_s=wait_s)
        case MachineError() | StorageStop():
            return _Trouble(state=DeviceState.WAITING, detail=say.RETRYING.fill({"say": exc.say}))
        case _:
            return _Trouble(state=DeviceState.FAULT, detail=say.NEEDS_TECHNICIAN.fill({"say": exc.say}))


def _stays_down(exc: Exception) -> _Trouble:
    return _Trouble(state=DeviceState.FAULT, detail=say.BUG.fill({"bug": type(exc).__name__}))


def _comes_back(exc: Exception) -> _Trouble:
    return _Trouble(state=DeviceState.WAITING, detail=say.BUG_RETRYING.fill({"bug": type(exc).__name__}))
