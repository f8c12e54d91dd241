"""A small ERP that speaks the contract of ``sync/http.py``: for the demo, for training, and for the tests.

It keeps every event once by its eventID, applies its effect once (stock per lot, consumption and production per order),
and can misbehave on request. ``GET /`` shows what it holds, ``POST /faults`` switches a fault on.
"""

from __future__ import annotations

import asyncio
import gzip
import hmac
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from types import TracebackType
from typing import Final, Self

import msgspec
import zstandard
from aiohttp import web
from msgspec import Struct, field

from sync.http import signature

BODY_BYTES: Final = 64 << 20
SIGNATURE_AGE_S: Final = 300
_CONSUMED: Final = frozenset({"input", "component"})


class Closing(StrEnum):
    """When an order's events take effect."""

    AT_ONCE = "at_once"
    AT_CLOSE = "at_close"  #: collected as one document, like an ERP that posts an order when it is closed


class Fault(StrEnum):
    """How it can misbehave, for one request each."""

    ERROR_500 = "error_500"
    TOO_MANY = "too_many"  #: 429 with Retry-After
    LOST_ANSWER = "lost_answer"  #: everything is applied, then the connection is cut
    ERROR_IN_200 = "error_in_200"  #: 200, an error in the body, nothing applied
    MISSING_IDS = "missing_ids"  #: everything is applied, half of it is answered
    NO_JSON = "no_json"  #: 200 and a page of a proxy
    SLOW = "slow"  #: everything is applied, the answer takes ``slow_s``
    DOWN = "down"  #: the connection is cut before anything is read
    TOO_LARGE = "too_large"  #: 413
    REFUSE_KEY = "refuse_key"  #: 401


class Effects(Struct, frozen=True, kw_only=True):
    """What the ERP holds. ``applied`` counts effects, one per event; ``replays`` events that came again."""

    requests: int
    events: int
    applied: int
    replays: int
    gathered: int
    rejected: int
    disorder: int  #: events taken after a later one about the same item
    stock: Mapping[str, Decimal]
    consumed: Mapping[str, Mapping[str, Decimal]]
    produced: Mapping[str, Decimal]
    closed: Sequence[str]


class ErpSimulator:
    """``async with ErpSimulator() as erp`` serves on ``erp.url`` until left; served again, it still holds what it held."""

    def __init__(self, *, port: int = 0, closing: Closing = Closing.AT_ONCE, key: str = "", hmac_key: str = "") -> None:
        self.port = port
        self.retry_after = "1"
        self.slow_s = 0.5
        self.effect_count: Counter[str] = Counter()  #: per eventID; exactly one each is the promise
        self._closing = closing
        self._key = key
        self._hmac_key = hmac_key
        self._faults: deque[Fault] = deque()
        self._refused: dict[str, str] = {}
        self._answers: dict[str, dict[str, str]] = {}
        self._collected: defaultdict[str, list[_Event]] = defaultdict(list)
        self._stock: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._consumed: defaultdict[str, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        self._produced: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._closed: list[str] = []
        self._newest: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where events are posted."""
        return f"http://127.0.0.1:{self.port}/events"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=BODY_BYTES)
        app.add_routes([web.post("/events", self._take), web.get("/", self._show), web.post("/faults", self._switch)])
        # aiohttp would refuse zstd itself; the signature is over the compressed bytes anyway
        self._runner = web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # ---- switches

    def fail(self, fault: Fault, times: int = 1) -> None:
        """The next ``times`` requests meet ``fault``; several calls queue up."""
        self._faults.extend([fault] * times)

    def heal(self) -> None:
        """Takes back every fault that has not happened yet."""
        self._faults.clear()

    def refuse(self, containing: str, reason: str) -> None:
        """Rejects every event whose text contains ``containing``."""
        self._refused[containing] = reason

    def allow(self, containing: str) -> None:
        """Takes ``refuse`` back; a refused event that comes again is judged anew."""
        self._refused.pop(containing, None)

    def effects(self) -> Effects:
        """As of now."""
        return Effects(
            requests=self._counts["requests"],
            events=len(self._answers),
            applied=self.effect_count.total(),
            replays=self._counts["replays"],
            gathered=sum(len(events) for events in self._collected.values()),
            rejected=self._counts["rejected"],
            disorder=self._counts["disorder"],
            stock=dict(self._stock),
            consumed={order: dict(amounts) for order, amounts in self._consumed.items()},
            produced=dict(self._produced),
            closed=tuple(self._closed),
        )

    # ---- requests

    async def _show(self, request: web.Request) -> web.Response:
        return web.Response(body=msgspec.json.encode(self.effects()), content_type="application/json")

    async def _switch(self, request: web.Request) -> web.Response:
        try:
            wish = msgspec.json.decode(await request.read(), type=_Wish)
        except msgspec.MsgspecError as exc:
            return web.json_response({"error": str(exc)}, status=400)
        self.fail(wish.fault, wish.times)
        return web.json_response({"queued": len(self._faults)})

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self._counts["requests"] += 1
        fault = self._faults.popleft() if self._faults else None
        body = await request.read()
        match fault:
            case Fault.DOWN:
                return self._cut(request)
            case Fault.ERROR_500:
                return web.json_response({"error": "the database is locked"}, status=500)
            case Fault.TOO_MANY:
                return web.Response(status=429, headers={"Retry-After": self.retry_after})
            case Fault.TOO_LARGE:
                return web.Response(status=413, text="too large")
            case Fault.REFUSE_KEY:
                return web.json_response(
                    {"error": f"unknown key {request.headers.get('Authorization', '')}"}, status=401
                )
            case Fault.ERROR_IN_200:
                return web.json_response({"error": "UserError: the period is closed"})
            case Fault.NO_JSON:
                return web.Response(text="<html><h1>Please log in</h1></html>", content_type="text/html")
            case _:
                pass
        if not self._is_known(request, body):
            return web.json_response({"error": "key not accepted"}, status=401)
        results = self._apply_all(_plain(request.headers.get("Content-Encoding", ""), body))
        if fault is Fault.LOST_ANSWER:
            return self._cut(request)
        if fault is Fault.SLOW:
            await asyncio.sleep(self.slow_s)
        if fault is Fault.MISSING_IDS:
            results = results[: len(results) // 2]
        return web.Response(body=msgspec.json.encode({"results": results}), content_type="application/json")

    def _cut(self, request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    def _is_known(self, request: web.Request, body: bytes) -> bool:
        if self._key:
            return hmac.compare_digest(request.headers.get("Authorization", ""), f"Bearer {self._key}")
        if self._hmac_key:
            given = request.headers.get("Lotline-Signature", "")
            at = given.partition(",")[0].removeprefix("t=")
            wanted = signature(self._hmac_key, int(at or 0), request.headers.get("Idempotency-Key", ""), body)
            return hmac.compare_digest(given, wanted)
        return True

    # ---- effects

    def _apply_all(self, body: bytes) -> list[dict[str, str]]:
        """In order; what follows an event that was not taken, about its items, is pending."""
        results: list[dict[str, str]] = []
        barred: set[str] = set()
        for line in body.splitlines():
            event = _EVENT.decode(line)
            items = {item.id for item in event.items}
            answer = {"status": "pending"} if barred & items else self._apply(event, line)
            if answer["status"] in {"pending", "rejected"}:
                barred |= items
            results.append({"id": event.id, **answer})
        return results

    def _apply(self, event: _Event, line: bytes) -> dict[str, str]:
        if (known := self._answers.get(event.id)) is not None:
            self._counts["replays"] += 1
            return known
        for containing, reason in self._refused.items():
            if containing.encode() in line:
                self._counts["rejected"] += 1
                return {"status": "rejected", "reason": reason}
        for item in event.items:  # event ids are UUIDv7: made later is greater
            newest = self._newest.get(item.id, "")
            self._counts["disorder"] += newest > event.id
            self._newest[item.id] = max(newest, event.id)
        answer = self._book(event)
        self._answers[event.id] = answer
        return answer

    def _book(self, event: _Event) -> dict[str, str]:
        order = event.order.id if event.order else ""
        if self._closing is Closing.AT_ONCE or event.act == "receive" or not order:
            self._effect(event)
            return {"status": "accepted", "receipt": f"{event.act}/{len(self._answers) + 1:05d}"}
        if event.act != "close":
            self._collected[order].append(event)
            return {"status": "gathered", "document": order}
        for collected in (*self._collected.pop(order, ()), event):
            self._effect(collected)
        return {"status": "accepted", "receipt": f"production/{order}", "document": order}

    def _effect(self, event: _Event) -> None:
        self.effect_count[event.id] += 1
        order = event.order.id if event.order else ""
        for item in event.items:
            amount = Decimal(item.quantity)
            if item.role == "received":
                self._stock[item.id] += amount
            elif item.role in _CONSUMED:
                self._stock[item.id] -= amount
                self._consumed[order][item.id] += amount
            elif item.role == "output" and event.act == "make":
                self._stock[item.id] += amount
                self._produced[order] += amount
        if event.act == "close":
            self._closed.append(order)


class _Wish(Struct, frozen=True):
    fault: Fault
    times: int = 1


class _Item(Struct, frozen=True):
    id: str
    role: str = ""
    quantity: str = "1"


class _Order(Struct, frozen=True):
    id: str


class _Event(Struct, frozen=True):
    id: str = field(name="eventID")
    act: str = field(name="lotline:act", default="")
    items: tuple[_Item, ...] = field(name="lotline:items", default=())
    order: _Order | None = field(name="lotline:workOrder", default=None)


_EVENT: Final = msgspec.json.Decoder(_Event)


def _plain(encoding: str, body: bytes) -> bytes:
    match encoding:
        case "zstd":
            return zstandard.ZstdDecompressor().decompress(body, max_output_size=BODY_BYTES)
        case "gzip":
            return gzip.decompress(body)
        case _:
            return body
