"""The destination ``tryton``: what its options may say, and which verdict each event of a batch gets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from edge.config.base import Id, Model
from edge.config.masters import MastersFile
from edge.config.secrets import SecretName
from edge.contracts import Accepted, Gathered, Rejected, Shelf, Sink, Verdict
from edge.errors import SinkFault, SinkUnavailable
from edge.model import Record
from edge.wording.tryton import REFUSED
from sync.keys import keys_of
from sync.tryton.account import Account, account
from sync.tryton.catalog import Catalog, NoPlace, survey
from sync.tryton.event import Event, event_of
from sync.tryton.evidence import attach, inspect
from sync.tryton.masters import masters_of
from sync.tryton.order import close
from sync.tryton.receipt import Login, receive
from sync.tryton.rest import Address, Refused, Rest

#: A batch is answered after this long even when more of it could be posted: the courier has a last deadline of its own.
BUDGET_S: Final = 60.0
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Options(Model):
    """A Tryton of series 8.0 or later."""

    url: str = Field(
        pattern=r"^https?://[^\s/]+(/\S*)?$", description="where Tryton listens, e.g. https://erp.example.com"
    )
    database: str = Field(pattern=r"^[^\s/?#]+$", description="name of the database")
    key: SecretName = Field(description="!secret name of the REST application key of the edge's own user")
    company: str | None = Field(None, description="name of the company, when the user has several")
    warehouse: str | None = Field(None, description="code or name of the warehouse, when there are several")
    inspection: str | None = Field(None, description="name of the quality control to fill when an order closes")
    user: str | None = Field(None, description="login of the same user: lets it take goods that nobody ordered")
    password: SecretName | None = Field(None, description="!secret name of that user's password")
    serials: tuple[Id, ...] = Field(
        (), description="materials told apart by serial, where module stock_lot_unit is not there to say so"
    )
    timeout_s: float = Field(
        120, gt=0, le=240, description="for one request; an order with 600 serials takes about 5 s"
    )
    ca_file: Path | None = Field(None, description="PEM of the plant's own certificate authority")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        address = urlsplit(self.url)
        if address.scheme == "http" and address.hostname not in _LOOPBACK:
            raise ValueError("the key would travel in clear text; use https")
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password go together")
        return self


def build(name: str, options: Options, shelf: Shelf, secret: Callable[[str], str]) -> Sink:
    """The Tryton destination ``name``. Key and password are asked for at every new connection."""
    return TrytonSink(options, shelf, secret)


async def pull(options: Options, secret: Callable[[str], str]) -> MastersFile:
    """What Tryton says should be here: materials, bills, open orders, lots in stock, suppliers; no people.

    Raises SinkUnavailable, SinkFault, SecretMissing.
    """
    rest = connection(options, secret)
    try:
        catalog = Catalog(rest, await survey(rest, options.company, options.warehouse))
        return await masters_of(catalog, options.serials)
    except Refused as exc:
        raise SinkFault(REFUSED["tryton"].fill({"words": exc.words})) from exc
    finally:
        await rest.close()


class TrytonSink:
    """One company in one Tryton; one request at a time."""

    keeps_order: Final = True

    def __init__(self, options: Options, shelf: Shelf, secret: Callable[[str], str]) -> None:
        self._options = options
        self._shelf = shelf
        self._secret = secret
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tryton-sink")
        self._catalog: Catalog | None = None
        self._rest: Rest | None = None

    async def deliver(self, batch: Sequence[Record]) -> Sequence[Verdict | None]:
        """Posts receipts and closed orders one by one; everything else is collected without asking Tryton."""
        verdicts: list[Verdict | None] = []
        collected: dict[str, list[Record]] = {}
        barred: set[str] = set()
        until = time.monotonic() + BUDGET_S
        for record in batch:
            keys = keys_of(record.data)
            verdict: Verdict | None = None
            if barred.isdisjoint(keys.waits) and time.monotonic() < until:
                try:
                    verdict = await self._one(record, collected)
                except (SinkUnavailable, SinkFault):
                    await self._forget()
                    if not any(verdicts):
                        raise
                    until = 0.0  # what is known of the first is worth keeping; the rest is offered again
            if not isinstance(verdict, Accepted | Gathered):
                barred.update(keys.holds)
            verdicts.append(verdict)
        return verdicts

    async def aclose(self) -> None:
        """Closes the connection."""
        await self._forget()
        self._thread.shutdown(wait=False)

    async def _one(self, record: Record, collected: dict[str, list[Record]]) -> Verdict:
        event = event_of(record)
        try:
            match event.act:
                case "receive":
                    return await receive(await self._connected(), event, self._login())
                case "load" | "make" | "join":
                    document = _document(event)
                    collected.setdefault(document, []).append(record)
                    return Gathered(document=document)
                case "close":
                    return await self._close(event, record, collected.get(_document(event), []))
                case _:
                    raise NoPlace.of("act", act=event.act)
        except NoPlace as exc:
            return exc.verdict
        except Refused as exc:
            return Rejected(reason=f"Tryton: {exc.words}")

    async def _close(self, event: Event, record: Record, fresh: Sequence[Record]) -> Accepted:
        """``fresh`` were collected in this very batch: the shelf does not have them yet."""
        document = _document(event)
        catalog = await self._connected()
        records, events, sums = await asyncio.get_running_loop().run_in_executor(
            self._thread, self._collect, document, fresh
        )
        assert event.order is not None
        _complete(event, sums)

        async def before_done(production: int) -> None:
            if self._options.inspection is not None:
                order = document.partition("/")[2]
                await inspect(catalog, production, order, self._options.inspection, event.id, events, event.at)

        posted = await close(catalog, event, sums, before_done)
        files = await attach(catalog, posted.id, event.order.id, [*records, record])
        told = ", ".join(str(file) for file in files)
        receipt = f"production {posted.id} ({posted.number}) done; attachment {told}"
        return Accepted(receipt=receipt, document=document)

    def _collect(self, document: str, fresh: Sequence[Record]) -> tuple[list[Record], list[Event], Account]:
        by_seq = {record.seq: record for record in (*self._shelf.gathered(document), *fresh)}
        records = [by_seq[seq] for seq in sorted(by_seq)]
        events = [event_of(record) for record in records]
        return records, events, account(events)

    # ---- the connection

    async def _connected(self) -> Catalog:
        if self._catalog is None:
            self._rest = connection(self._options, self._secret)
            self._catalog = Catalog(
                self._rest, await survey(self._rest, self._options.company, self._options.warehouse)
            )
        return self._catalog

    async def _forget(self) -> None:
        """The next call connects anew: with a rotated key, and with the warehouse as it is then."""
        rest, self._rest, self._catalog = self._rest, None, None
        if rest is not None:
            await rest.close()

    def _login(self) -> Login | None:
        if self._options.user is None or self._options.password is None:
            return None
        return Login(user=self._options.user, password=self._secret(self._options.password))


def connection(options: Options, secret: Callable[[str], str]) -> Rest:
    """Where ``options`` point to. Raises SecretMissing."""
    return Rest(
        Address(
            url=options.url,
            database=options.database,
            key=secret(options.key),
            key_name=str(options.key),
            timeout_s=options.timeout_s,
            ca_file=options.ca_file,
        )
    )


def _document(event: Event) -> str:
    if event.order is None:
        raise NoPlace.of("no_order")
    return f"production/{event.order.id}"


def _complete(event: Event, sums: Account) -> None:
    """The close says how much was made; the collected events have to tell the same."""
    assert event.order is not None
    for item in event.items:
        if item.role == "made" and item.quantity is not None and item.quantity != sums.total_made:
            raise NoPlace.of("incomplete", order=event.order.id, made=item.quantity, told=sums.total_made)
