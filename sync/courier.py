"""One courier per destination: a follower of the log's events, with its own file, cursor and thread.

The loop: plan a batch → deliver it with a deadline → write the receipts into the log → move the cursor. Whatever fails,
the same events are offered again with the same keys; what the destination did with them counts once.

=====================================  ================================================================================
what goes wrong                        what happens
=====================================  ================================================================================
destination away, 5xx, 429, timeout    nothing is known of the batch: smaller batches, back-off with full jitter, never
                                       sooner than the destination asked for
one event fails alone, others pass     it is set aside, offered alone again, parked after ``Pace.park_after`` rounds
one event is refused                   parked with the destination's own words; later events about its items wait
key, address, certificate              ``fault``: tried again every ``Pace.fault_s`` or when a person says so
a batch is answered out of order       said once; from then on no batch holds two events about one item
crash after the destination took it    offered again: the destination knows the keys
crash after the receipt                the receipt and the list of what it covers are one transaction in the log; at the
                                       next start the courier's file is brought up to it, nothing is offered twice
disk full                              the settlement is held and written when there is room; nothing else is offered
=====================================  ================================================================================
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from msgspec import Struct

from edge.clock import Clock
from edge.contracts import TAKEN, Accepted, Gathered, KeepsOrder, Rejected, Shelf, Sink, Verdict
from edge.errors import LotlineError, MachineError, SecretMissing, SinkFault, SinkUnavailable, StorageStop
from edge.log import Log, Provenance, entry
from edge.model import DeviceState, Entry, Kind, Moment, Record
from edge.wording import Words
from edge.wording.sync import DESTINATION
from sync import receipt
from sync.offer import Offer, Offered, Parked, Sharing
from sync.shelf import ShelfFile, plain_errors
from sync.status import CourierStatus, describe

log = logging.getLogger(__name__)

PARKED_SHOWN: Final = 1000  # more than anybody reads; the count is in the status
_NOTHING: Final = Words("", "")
P = ParamSpec("P")
T = TypeVar("T")


class Pace(Struct, frozen=True, kw_only=True):
    """How hard a courier tries. The defaults are for a line; tests hurry."""

    base_s: float = 1.0
    cap_s: float = 30.0  # operators notice at 60
    ask_s: float = 3600.0  # a Retry-After beyond this is a mistake of the other side
    pending_s: float = 300.0  # an event without verdict is offered again at least this often
    fault_s: float = 300.0
    deadline_s: float = 300.0  # a destination has its own, shorter ones; this one is the last
    batch: int = 1000
    first: int = 100
    grow_below_s: float = 5.0  # a batch that took longer is large enough
    alone: int = 3  # failures alone before an event is set aside
    park_after: int = 5  # rounds set aside, each with others passing in between


class Courier:
    """Delivers the events of ``log`` to what ``make_sink`` builds. Its own file is ``state_dir/sync/<name>.db``."""

    def __init__(
        self,
        name: str,
        make_sink: Callable[[Shelf], Sink],
        *,
        log: Log,
        state_dir: Path,
        clock: Clock,
        provenance: Callable[[], Provenance],
        pace: Pace = Pace(),
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._name = name
        self._make_sink = make_sink
        self._log = log
        self._clock = clock
        self._provenance = provenance
        self._pace = pace
        self._jitter = jitter
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"courier-{name}")
        self._path = state_dir / "sync" / f"{name}.db"
        self._file = self._ask(lambda: ShelfFile(self._path, log.origin, log.reader()))
        log.hold(f"sync:{name}", lambda: self._file.floor)
        self._nudge = asyncio.Event()
        self._state = DeviceState.CONNECTING
        self._trouble = _NOTHING
        self._ours = False  # is the trouble this PC's, not the destination's?
        self._failures = 0
        self._size = min(pace.first, pace.batch)
        self._failed_alone = 0
        self._flowed = True
        self._trusted = True
        self._oldest: bytes | None = None

    # ---- the follower

    async def run(self) -> None:
        """Delivers for ever. Raises only bugs; cancelling stops it within a second."""
        sink: Sink | None = None
        try:
            while True:
                try:
                    if sink is None:
                        await self._catch_up()
                        sink = self._make_sink(_Face(lambda document: self._ask(self._file.document_records, document)))
                    await self._turn(sink)
                except LotlineError as exc:
                    await self._rest(exc)
        finally:
            self._state, self._ours = DeviceState.STOPPED, False
            if sink is not None:
                await sink.aclose()

    def try_now(self) -> None:
        """A person says: the destination is mended, do not wait."""
        self._nudge.set()

    def close(self) -> None:
        """Releases file and thread; after ``run`` has ended."""
        self._ask(self._file.close)
        self._thread.shutdown()

    # ---- what is shown

    def status(self) -> CourierStatus:
        """As of now; costs nothing that grows."""
        return describe(
            self._name,
            self._state,
            self._trouble,
            ours=self._ours,
            tally=self._file.tally,
            total=self._log.counts.get(Kind.EVENT, 0),
            oldest=self._oldest,
            reason=self._file.newest_reason,
            now=self._clock.now(),
        )

    def parked(self) -> list[Parked]:
        """The oldest refused events, at most ``PARKED_SHOWN``."""
        return self._ask(self._file.parked, PARKED_SHOWN)

    async def retry(self, record_id: str) -> None:
        """Offers a parked event again, then what waits behind it. Raises TechnicianError when none has this id."""
        await self._in_thread(self._file.retry, record_id)
        self._nudge.set()

    def export(self, record_id: str) -> bytes:
        """The stored bytes of a parked event. Raises TechnicianError when none has this id."""
        return self._ask(self._file.export, record_id)

    # ---- one turn

    async def _catch_up(self) -> None:
        """Brings the file up to what the log already knows."""
        await self._in_thread(self._file.belongs_to, self._log.origin, self._log.head)
        if (note := self._log.state().get(self._note_key)) is not None:
            last = receipt.Settlement.of(note)
            await self._in_thread(self._file.recover, last.number, last.seqs, last.documents)

    async def _turn(self, sink: Sink) -> None:
        self._nudge.clear()
        head, total = self._log.head, self._log.counts.get(Kind.EVENT, 0)
        offer = await self._in_thread(self._plan, sink)
        if self._ours:
            self._recovered()
        self._oldest = offer.oldest
        if offer.events:
            verdicts = await self._deliver(sink, offer)
            self._doubt(offer.events, verdicts)
            await self._settle(offer, verdicts)
        elif offer.moved:
            await self._settle(offer, ())
        else:
            await self._in_thread(self._file.passed, head, total)
            await self._idle(head, offer.next_due)

    def _plan(self, sink: Sink) -> Offer:
        now = time.monotonic()
        if self._flowed and (suspect := self._file.suspect(now)) is not None:
            return suspect
        free = self._trusted and isinstance(sink, KeepsOrder) and sink.keeps_order
        offer = self._file.plan(self._size, now, Sharing.FREE if free else Sharing.NONE)
        if offer.events or offer.blocked:
            return offer
        return self._file.suspect(now) or offer

    async def _deliver(self, sink: Sink, offer: Offer) -> Sequence[Verdict | None]:
        batch = [event.record for event in offer.events]
        began = time.monotonic()
        if (
            len(batch) == self._size
        ):  # there is more, and a larger batch may be next; what this raises the next plan meets
            self._thread.submit(self._file.look_ahead, offer.seen, min(self._pace.batch, 2 * self._size))
        try:
            async with asyncio.timeout(self._pace.deadline_s):
                verdicts = await sink.deliver(batch)
        except TimeoutError:
            failure = SinkUnavailable(DESTINATION["no_answer"].fill({"seconds": f"{self._pace.deadline_s:g}"}))
        except SinkUnavailable as exc:
            failure = exc
        else:
            if len(verdicts) != len(batch):
                raise ValueError(f"{self._name} gave {len(verdicts)} verdicts for {len(batch)} records")
            self._succeeded(len(batch), time.monotonic() - began)
            return verdicts
        if len(batch) == 1:
            await self._failed_alone_on(offer, failure)
        if not offer.events[0].failures:  # a suspect says nothing about the others
            self._size = max(1, len(batch) // 2)
        raise failure

    def _succeeded(self, count: int, took_s: float) -> None:
        self._recovered()
        self._failed_alone = 0
        if count >= self._size and took_s < self._pace.grow_below_s:
            self._size = min(self._pace.batch, self._size * 2)

    def _recovered(self) -> None:
        if self._failures:
            log.info("%s goes on after %d failures", self._name, self._failures)
        self._failures = 0
        self._state, self._trouble, self._ours = DeviceState.ONLINE, _NOTHING, False

    async def _failed_alone_on(self, offer: Offer, failure: SinkUnavailable) -> None:
        """Only if something passed since the last time may it be the event's own fault."""
        self._failed_alone += 1
        if self._flowed and (offer.events[0].failures or self._failed_alone >= self._pace.alone):
            self._flowed = False
            self._failed_alone = 0
            parked = await self._in_thread(
                self._file.set_aside,
                offer,
                due=time.monotonic() + self._backoff_s(self._pace.alone),
                reason=failure.what,
                park_after=self._pace.park_after,
                at=self._clock.now().utc.isoformat(),
            )
            if parked:
                log.warning("%s fails on one record while others pass; it is parked", self._name)

    def _doubt(self, events: Sequence[Offered], verdicts: Sequence[Verdict | None]) -> None:
        """A destination that takes an event after it did not take an earlier one about the same item is not trusted."""
        barred: set[str] = set()
        for event, verdict in zip(events, verdicts, strict=True):
            if not isinstance(verdict, TAKEN):
                barred.update(event.keys.holds)
            elif barred and self._trusted and not barred.isdisjoint(event.keys.waits):
                self._trusted = False
                log.warning(
                    "%s took an event although an earlier one about the same item was not taken; "
                    "from now on no batch holds two events about one item",
                    self._name,
                )

    # ---- settling

    async def _settle(self, offer: Offer, verdicts: Sequence[Verdict | None]) -> None:
        """Receipts first, in one transaction with what they cover; then the rows and the cursor."""
        now = self._clock.now()
        places = receipt.covered(verdicts)
        if places:
            await self._write_receipts(now, offer, verdicts, places)
        settled = list(verdicts)
        for place in (place for group in places.values() for place in group):
            if isinstance(settled[place], Gathered):
                settled[place] = Accepted(receipt="")  # its document is complete already
        if refused := sum(isinstance(verdict, Rejected) for verdict in settled):
            log.warning("%s refused %d records; they are parked", self._name, refused)
        self._flowed = self._flowed or any(settled)
        at = now.utc.isoformat()
        await self._until_stored(
            lambda: self._in_thread(
                self._file.settle, offer, settled, at=at, receipt_at=at if places else "", again=self._again
            )
        )

    async def _write_receipts(
        self, now: Moment, offer: Offer, verdicts: Sequence[Verdict | None], places: Mapping[str, Sequence[int]]
    ) -> None:
        entries: list[Entry] = []
        for document, group in places.items():
            before = await self._in_thread(self._file.document_ids, document) if document else []
            body = receipt.body(self._name, document, before, offer.events, verdicts, group)
            entries.append(entry(Kind.RECEIPT, now, "", self._provenance(), body))
        settlement = receipt.Settlement(
            number=self._file.tally.settlement + 1,
            seqs=tuple(sorted(offer.events[place].record.seq for group in places.values() for place in group)),
            documents=tuple(document for document in places if document),
        )
        await self._until_stored(lambda: self._log.append(entries, {self._note_key: settlement.note()}))

    async def _until_stored(self, store: Callable[[], Awaitable[T]]) -> T:
        """The destination has answered: what it said is held until the disk takes it."""
        while True:
            try:
                stored = await store()
            except StorageStop as exc:
                await self._rest(exc)
            else:
                if self._ours:
                    self._recovered()
                return stored

    # ---- waiting

    async def _idle(self, head: int, next_due: float | None) -> None:
        """Until a record comes after ``head``, something is due, or a person says so."""
        wait_s = None if next_due is None else max(0.0, next_due - time.monotonic())
        waiters = [asyncio.ensure_future(self._log.beyond(head)), asyncio.ensure_future(self._nudge.wait())]
        try:
            await asyncio.wait(waiters, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiters:
                waiter.cancel()
            await asyncio.gather(*waiters, return_exceptions=True)

    async def _rest(self, exc: LotlineError) -> None:
        """Waits as long as ``exc`` deserves, or until a person says so. Said once, then quietly."""
        self._failures += 1
        self._trouble = exc.say
        self._ours = not isinstance(exc, SinkUnavailable | SinkFault | SecretMissing)
        if isinstance(exc, MachineError | StorageStop):
            self._state = DeviceState.WAITING
            wait_s = self._backoff_s(self._failures - 1)
            if isinstance(exc, SinkUnavailable) and exc.wait_s is not None:
                wait_s = min(max(wait_s, exc.wait_s), self._pace.ask_s)
        else:
            self._state = DeviceState.FAULT
            wait_s = self._pace.fault_s
        log.log(
            logging.WARNING if self._failures == 1 else logging.DEBUG,
            "%s: %s (%s, next try in %.1f s)",
            self._name,
            exc,
            self._state,
            wait_s,
        )
        try:
            async with asyncio.timeout(wait_s):
                await self._nudge.wait()
            self._nudge.clear()
        except TimeoutError:
            pass

    def _again(self, tries: int) -> float:
        """When an event without verdict is offered again: after around 1, 2, 4 … s, at least every ``Pace.pending_s``."""
        return time.monotonic() + (0.5 + self._jitter() / 2) * min(
            self._pace.pending_s, self._pace.base_s * 2.0 ** min(tries, 16)
        )

    def _backoff_s(self, failures: int) -> float:
        """Full jitter: anything between nothing and the doubled time, so that many PCs do not come back at once."""
        return self._jitter() * min(self._pace.cap_s, self._pace.base_s * 2.0 ** min(failures, 16))

    # ---- the thread

    @property
    def _note_key(self) -> str:
        return f"sync/{self._name}"

    async def _in_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, lambda: self._plainly(call, *args, **kwargs)
        )

    def _ask(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """From any other thread; a few milliseconds, for what a person asks."""
        return self._thread.submit(lambda: self._plainly(call, *args, **kwargs)).result()

    def _plainly(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        with plain_errors(self._path):
            return call(*args, **kwargs)


class _Face:
    """What the sink may ask of its courier: ``edge.contracts.Shelf``."""

    def __init__(self, ask: Callable[[str], list[Record]]) -> None:
        self._ask = ask

    def gathered(self, document: str) -> Sequence[Record]:
        return self._ask(document)
