"""One station at work: a scan comes in, is understood, checked, bound and made durable, and only then answered.

One act at a time. Between reading the state and handing the commit to the log nothing waits, so stations that share lots never see
a balance twice, and the log's order is the order of the answers. If the commit fails, what was in memory is thrown away and
read again from disk before the next answer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from edge.clock import Clock
from edge.config.site import Shift
from edge.contracts import Signal
from edge.epcis import InvalidEvent, Place, Role
from edge.errors import StorageStop
from edge.identify import Code, HouseFormat, identify
from edge.log import Identities, Log, Provenance, ReadingStore, Sighting, time_text
from edge.masters import Masters
from edge.model import Entry, Moment, Readings, Scan
from edge.station.bind import asks, bind
from edge.station.context import Act, Clear, Confirm, Context, Expire, Misread, Outcome, Read
from edge.station.desk import Desk, Floor
from edge.station.procedure import Procedure
from edge.station.record import entries
from edge.station.shifts import shift_at
from edge.station.view import Said, document
from edge.station.windows import Window, Windows
from edge.wording import Words
from edge.wording.station import ANSWERS

_STOPPED: Final = "storage_stop"
_RECENT: Final = 5  # lines of the page's strip
_REFRESH_S: Final = 1.0  # ages on the page move even when nothing happens
_ONCE: Final = (Role.OUTPUT, Role.COMPONENT)  # a serial is made once and built in once
_COALESCE_S: Final = 0.1  # ten documents a second are smoother than an eye needs


WindowsOfSteps = Mapping[str, Mapping[str, Window]]  # step -> measure -> window


class Shared(Struct, frozen=True, kw_only=True):
    """What every station of a PC works with."""

    log: Log
    readings: ReadingStore
    identities: Identities
    floor: Floor
    clock: Clock
    masters: Callable[[], Masters]
    formats: Sequence[HouseFormat]
    provenance: Callable[[Procedure], Provenance]
    zone: ZoneInfo
    shifts: Mapping[str, Shift]
    salt: bytes  #: of the commitments that stand for badges


class Station:
    """The live station. ``scan`` is awaited by whoever read the scanner: when it returns, the scan is on disk or was refused."""

    def __init__(self, shared: Shared, *, place: Place, name: Words, procedure: Procedure, repeat_s: float) -> None:
        self.place = place
        self.procedure = procedure
        self._shared = shared
        self._name = name
        self._repeat_s = repeat_s
        shown = [measure.tag for step in procedure.measures.values() for measure in step.measure.values()]
        self._windows = Windows(procedure.measures, shown)
        self._watching_since_ns = shared.clock.now().monotonic_ns
        self._one_at_a_time = asyncio.Lock()
        self._said: Said | None = None
        self._recent: deque[Said] = deque(maxlen=_RECENT)
        self._changed = asyncio.Event()
        self._label_began = asyncio.Event()

    async def scan(self, scan: Scan) -> Signal | None:
        """Answer a scan. None: neither good nor bad (already counted)."""
        found = identify(scan, self._shared.formats)
        act = Read(scan=scan, code=found) if isinstance(found, Code) else Misread(scan=scan, problem=found)
        outcome = await self._handle(act)
        if outcome is None or outcome.verdict in ("refused", "cannot_know"):
            return Signal.BAD
        return None if outcome.verdict == "repeated" else Signal.GOOD

    @property
    def said(self) -> Said | None:
        """The last answer."""
        return self._said

    async def close_order(self) -> Said | None:
        """A person confirmed on the page."""
        await self._handle(Confirm())
        return self._said

    async def clear_unit(self) -> Said | None:
        """A person gave up the unit in progress."""
        await self._handle(Clear())
        return self._said

    def take(self, readings: Readings) -> None:
        """A frame from a device."""
        if self._windows.take(readings):
            self._changed.set()

    async def run(self) -> None:
        """Refuses a label whose other code never came."""
        while True:
            label = self._desk.label
            if label is None:
                self._label_began.clear()
                await self._label_began.wait()
                continue
            left_s = (label.until_ns - self._shared.clock.now().monotonic_ns) / 1e9
            if 0 < left_s <= 120:  # the longest collect_s; more means the clock of another boot
                await asyncio.sleep(left_s)
            elif self._shared.log.storage.ok:
                await self._handle(Expire(), only_if=label.until_ns)
            else:
                await asyncio.sleep(_REFRESH_S)

    def view(self) -> dict[str, Any]:
        """The page's document as of now, without devices and delivery."""
        self._catch_up()
        stopped = None if self._shared.log.storage.ok else self._shared.log.storage.reason or Words("", "")
        if stopped is None and self._said is not None and self._said.code == _STOPPED:
            self._said = None  # it saves again: what was said is no longer true
        return document(
            self._context(self._shared.clock.now(), self._windows.windows()),
            name=self._name,
            said=self._said,
            recent=tuple(self._recent),
            live=self._windows.live,
            stopped=stopped,
        )

    def touch(self) -> None:
        """Something the page shows has changed."""
        self._changed.set()

    async def changes(self) -> AsyncIterator[None]:
        """Yields at every change, at most ten times a second, and once a second anyway."""
        while True:
            changed = self._changed
            try:
                async with asyncio.timeout(_REFRESH_S):
                    await changed.wait()
            except TimeoutError:
                pass
            else:
                if changed is self._changed:
                    self._changed = asyncio.Event()
            yield
            await asyncio.sleep(_COALESCE_S)

    # --- one act ---------------------------------------------------------------------------------------------------------

    @property
    def _desk(self) -> Desk:
        return self._shared.floor.desks.get(self.place.station) or Desk()

    async def _handle(self, act: Act, *, only_if: int | None = None) -> Outcome | None:
        """The outcome, durable; None when nothing can be made durable."""
        async with self._one_at_a_time:
            label = self._desk.label
            if isinstance(act, Expire) and (label is None or label.until_ns != only_if):
                return None
            if (
                label is not None
                and not isinstance(act, Expire)
                and label.until_ns <= self._shared.clock.now().monotonic_ns
            ):
                await self._answer(Expire())
            return await self._answer(act)

    def _catch_up(self) -> None:
        """After a failed commit: what is on disk is what is true, as soon as the disk takes records again."""
        floor, log = self._shared.floor, self._shared.log
        if floor.generation == log.generation or not log.storage.ok:
            return
        try:
            self._shared.identities.catch_up()  # what failed may yet have reached the disk
        except StorageStop:
            return
        floor.reload(log.state(), log.generation)

    async def _answer(self, act: Act) -> Outcome | None:
        moment, windows = self._shared.clock.now(), self._windows.windows()
        outcome = self._bind(act, moment, windows)
        if any(draft.sensors for draft in outcome.drafts):
            try:
                await self._shared.readings.flush()  # the readings that prove the event are on disk before it
            except StorageStop:
                self._storage_stop()
                return None
            # Others may have worked meanwhile; from here to the log nothing waits. What was measured meanwhile is not of this event.
            outcome = self._bind(act, moment, windows)
        try:
            written = self._entries(act, outcome, moment)
        except InvalidEvent as exc:
            problem = str(exc)
            outcome = Outcome(
                verdict="refused",
                code="not_representable",
                fields={"problem": problem},
                step=outcome.step,
                desk=self._desk,
            )
            written = self._entries(act, outcome, moment)
        return await self._commit(act, outcome, written, moment)

    async def _commit(self, act: Act, outcome: Outcome, written: Sequence[Entry], moment: Moment) -> Outcome | None:
        station, floor, identities = self.place.station, self._shared.floor, self._shared.identities
        new = [
            (item.id, item.role)
            for draft in outcome.drafts
            for item in draft.items
            if item.serial and item.role in _ONCE
        ]
        for item, role in new:
            identities.reserve(item, Sighting(seq=0, station=station, time=time_text(moment.utc), role=role))
        state = floor.apply(station, outcome.desk, outcome.lots, outcome.orders)
        try:
            seqs = await self._shared.log.append(written, state)
        except StorageStop:
            floor.spoil()
            for item, role in new:
                identities.release(item, role)
            self._storage_stop()
            return None
        if outcome.code == "unit_cancelled":
            self._windows.give_up()
        elif outcome.unit_ended:
            self._windows.finish(moment.monotonic_ns)
        elif outcome.unit_began:
            self._windows.begin()
        if outcome.desk.label is not None:
            self._label_began.set()
        self._say(act, outcome, moment, seqs[0])
        return outcome

    def _bind(self, act: Act, moment: Moment, windows: WindowsOfSteps) -> Outcome:
        self._catch_up()
        context = self._context(moment, windows)
        if items := asks(act, context):
            context = replace(context, sightings=self._shared.identities.sightings(items))
        return bind(act, context)

    def _context(self, moment: Moment, windows: WindowsOfSteps) -> Context:
        """As of now, before anybody has asked for the history of an item."""
        shared = self._shared
        return Context(
            place=self.place,
            procedure=self.procedure,
            masters=shared.masters(),
            desk=self._desk,
            lots=shared.floor.lots,
            orders=shared.floor.orders,
            now=moment,
            today=moment.utc.astimezone(shared.zone).date(),
            windows=windows,
            sightings={},
            watching_since_ns=self._watching_since_ns,
            repeat_s=self._repeat_s,
            salt=shared.salt,
        )

    def _entries(self, act: Act, outcome: Outcome, moment: Moment) -> list[Entry]:
        return entries(
            act,
            outcome,
            moment,
            place=self.place,
            procedure=self.procedure,
            provenance=self._shared.provenance(self.procedure),
            salt=self._shared.salt,
            shift=shift_at(self._shared.shifts, moment.utc.astimezone(self._shared.zone)),
        )

    def _say(self, act: Act, outcome: Outcome, moment: Moment, seq: int) -> None:
        answer = ANSWERS[outcome.code]
        said = Said(
            verdict=outcome.verdict,
            code=outcome.code,
            level=answer.level,
            number=answer.number,
            title=answer.title.fill(outcome.fields),
            say=answer.say.fill(outcome.fields),
            value=_shown(act),
            at=moment.utc,
            seq=seq,
        )
        if outcome.verdict != "repeated" or self._said is None or self._said.level != "stop":
            self._said = said  # a bouncing trigger does not wipe away what must be read
        self._recent.appendleft(said)
        self._changed.set()

    def _storage_stop(self) -> None:
        answer = ANSWERS[_STOPPED]
        reason = self._shared.log.storage.reason or Words("", "")
        self._said = Said(
            verdict="refused",
            code=_STOPPED,
            level=answer.level,
            number=answer.number,
            title=answer.title,
            say=answer.say.fill({"reason": reason}),
            value="",
            at=self._shared.clock.now().utc,
            seq=0,
        )
        self._changed.set()


def _shown(act: Act) -> str:
    """What the page shows of the scan; never a badge."""
    match act:
        case Read(code=code):
            if code.badge is not None:
                return ""
            if code.family in ("gs1", "digital_link"):
                return " ".join(f"({ai}) {value}" for ai, value in code.elements)
            return code.text
        case Misread(problem=problem):
            return problem.text
        case _:
            return ""
