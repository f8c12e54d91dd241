"""Events by HTTP: one POST per batch, one JSON object per line, the stored bytes unchanged.

The request::

    POST <url>
    Content-Type: application/x-ndjson
    Content-Encoding: zstd | gzip | (absent for identity)
    Idempotency-Key: <hex SHA-256 over the eventIDs of the batch, each followed by LF>
    Authorization: Bearer <key>                                     with auth: bearer
    Lotline-Signature: t=<unix seconds>,v1=<hex HMAC-SHA-256>       with auth: hmac

The HMAC's key is the secret (UTF-8); its message is ``<t>.<Idempotency-Key>.`` followed by the body exactly as sent,
that is after compression. A server should refuse a ``t`` more than five minutes away.

The answer: 200 and ``{"results": [{"id": eventID, "status": …}, …]}``, one result per event, in any order.

=============  ===============================================  =========================================
status         further members                                  meaning
=============  ===============================================  =========================================
``accepted``   ``receipt``; ``document`` where one is complete  it is done; also everything gathered for document
``gathered``   ``document``                                     will be done with a later event
``rejected``   ``reason``                                       refused for good, in the server's words
``pending``                                                     offer it again later
=============  ===============================================  =========================================

What the server promises: an event whose eventID it has seen has no second effect and gets the same answer; the events
of one request are applied in order; after one that is rejected or pending, later ones of the request about one of its
items (``lotline:items[].id``) are pending. A server that cannot promise the last is served with ``order: courier``.

===================================================  =======================================================
any other answer                                     what happens
===================================================  =======================================================
200 with anything else, an id missing, no JSON       nothing is known: offered again with the same keys
400, 422                                             the batch is split until the culprit stands alone: rejected
                                                     with the server's words; ten in a row and nothing taken
                                                     of the whole batch: fault, and nothing is parked
409                                                  it is there already: accepted (a batch is split first)
413                                                  smaller requests from now on; an event alone: rejected
401, 403, 407                                        fault: key
3xx, 404, 405, 406, 410, 411, 415 and other 4xx      fault: address
408, 425, 429, 5xx                                   offered again, not before Retry-After
===================================================  =======================================================
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import hmac
import re
import ssl
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final, Literal, Self
from urllib.parse import urlsplit

import msgspec
import zstandard
from msgspec import Struct
from pydantic import Field, model_validator

from edge.config.base import Model
from edge.config.secrets import SecretName
from edge.contracts import TAKEN, Accepted, Gathered, Rejected, Shelf, Sink, Verdict
from edge.errors import SinkFault, SinkUnavailable
from edge.log import record_id
from edge.model import Record
from edge.wording import Words
from edge.wording.sync import DESTINATION
from sync.keys import keys_of

if TYPE_CHECKING:
    import aiohttp

CONNECT_S: Final = 10.0
WORDS_SHOWN: Final = 300  # characters of the server's answer that a person gets to see
ANSWER_BYTES: Final = 16 << 20  # an answer for 1,000 events has about 150 kB
REFUSED_ALONE: Final = 10  # so many in a row, with nothing taken in between, are not the events' fault
ZSTD_LEVEL: Final = 3
GZIP_LEVEL: Final = 1  # six costs three times as much for a tenth less
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Options(Model):
    """A server that takes events by POST."""

    url: str = Field(pattern=r"^https?://[^\s/]+(/\S*)?$", description="where batches are posted")
    key: SecretName | None = Field(None, description="!secret name of the key")
    auth: Literal["bearer", "hmac"] = Field("bearer", description="send the key, or sign with it")
    compress: Literal["zstd", "gzip", "identity"] = "zstd"
    timeout_s: float = Field(30, gt=0, le=600, description="for one request")
    order: Literal["server", "courier"] = Field(
        "server", description="courier: never two events about one item in one request"
    )
    ca_file: Path | None = Field(None, description="PEM of the plant's own certificate authority")

    @model_validator(mode="after")
    def _key_stays_secret(self) -> Self:
        address = urlsplit(self.url)
        if self.key and self.auth == "bearer" and address.scheme == "http" and address.hostname not in _LOOPBACK:
            raise ValueError("a bearer key would travel in clear text; use https, or auth: hmac")
        return self


def build(name: str, options: Options, shelf: Shelf, secret: Callable[[str], str]) -> Sink:
    """The HTTP destination ``name``; the key is asked for at every request, so a rotated one is seen."""
    return HttpSink(options, secret)


class HttpSink:
    """One server, one connection, one request at a time. Compression happens in its own thread."""

    def __init__(self, options: Options, secret: Callable[[str], str]) -> None:
        self._options = options
        self._secret = secret
        self._host = urlsplit(options.url).netloc.rpartition("@")[2]
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="http-sink")
        self._session: aiohttp.ClientSession | None = None
        self._most = 1_000_000  # events per request; a 413 lowers it
        self._refused_alone = 0
        self._last_words = ""

    @property
    def keeps_order(self) -> bool:
        return self._options.order == "server"

    async def deliver(self, batch: Sequence[Record]) -> Sequence[Verdict | None]:
        """Posts ``batch``, in several requests where the server wants them smaller."""
        self._last_words = ""
        verdicts = await self._in_parts(batch, self._most)
        if self._refused_alone >= REFUSED_ALONE and all(isinstance(verdict, Rejected) for verdict in verdicts):
            fields = {"host": self._host, "count": self._refused_alone, "words": self._last_words}
            raise SinkFault(DESTINATION["http_refuses_all"].fill(fields), DESTINATION["http_refuses_all_do"])
        return verdicts

    async def aclose(self) -> None:
        """Closes the connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None
        self._thread.shutdown(wait=False)

    # ---- one request and its answer

    async def _post(self, part: Sequence[Record]) -> Sequence[Verdict | None]:
        if not part:
            return []
        ids, idempotency_key, body = await asyncio.get_running_loop().run_in_executor(self._thread, self._body, part)
        status, headers, answer = await self._send(idempotency_key, body)
        if status == 200:
            verdicts = self._results(ids, answer)
            if any(verdicts):
                self._refused_alone = 0
            return verdicts
        words = self._words(answer)
        match status:
            case 408 | 425 | 429 | 500 | 502 | 503 | 504:
                raise SinkUnavailable(self._say("http_busy", status, words), wait_s=_retry_after(headers))
            case 400 | 422 if len(part) == 1:
                return [self._refused(words or f"HTTP {status}")]
            case 413 if len(part) == 1:
                return [Rejected(reason=words or "too large (HTTP 413)")]
            case 409 if len(part) == 1:
                self._refused_alone = 0
                return [Accepted(receipt=words or "already there (HTTP 409)")]
            case 400 | 409 | 422:
                return await self._halves(part)
            case 413:
                self._most = (len(part) + 1) // 2
                return await self._halves(part)
            case 401 | 403 | 407:
                raise SinkFault(self._say("http_key", status, words), DESTINATION["http_key_do"])
            case _ if 300 <= status < 500:
                raise SinkFault(self._say("http_address", status, words), DESTINATION["http_address_do"])
            case _:
                raise SinkUnavailable(self._say("http_busy", status, words), wait_s=_retry_after(headers))

    async def _in_parts(self, batch: Sequence[Record], size: int) -> list[Verdict | None]:
        """Posts in requests of ``size``; what follows an event that was not taken, about its items, is held back."""
        verdicts: list[Verdict | None] = []
        barred: set[str] = set()
        while len(verdicts) < len(batch):
            part = batch[len(verdicts) : len(verdicts) + size]
            held = _held_back(part, barred)
            try:
                answers = await self._post([record for record in part if record.seq not in held] if held else part)
            except SinkUnavailable:
                if not any(verdicts):
                    raise
                return verdicts + [None] * (len(batch) - len(verdicts))  # what is known of the first is worth keeping
            rest = iter(answers)
            said = [None if record.seq in held else next(rest) for record in part] if held else answers
            for record, verdict in zip(part, said, strict=True):
                if not isinstance(verdict, TAKEN):
                    barred.update(keys_of(record.data).holds)
            verdicts += said
        return verdicts

    async def _halves(self, part: Sequence[Record]) -> list[Verdict | None]:
        return await self._in_parts(part, (len(part) + 1) // 2)

    def _refused(self, words: str) -> Rejected:
        self._refused_alone += 1
        self._last_words = words
        return Rejected(reason=words)

    def _body(self, part: Sequence[Record]) -> tuple[list[str], str, bytes]:
        """The eventIDs, the Idempotency-Key, and the body as sent."""
        ids = [record_id(record.data) for record in part]
        key = hashlib.sha256("\n".join([*ids, ""]).encode()).hexdigest()
        lines = b"\n".join([*(record.data for record in part), b""])
        match self._options.compress:
            case "zstd":
                return ids, key, zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(lines)
            case "gzip":
                return ids, key, gzip.compress(lines, GZIP_LEVEL)
            case _:
                return ids, key, lines

    def _headers(self, idempotency_key: str, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": idempotency_key}
        if self._options.compress != "identity":
            headers["Content-Encoding"] = self._options.compress
        if self._options.key is not None:
            key = self._secret(self._options.key)
            if self._options.auth == "bearer":
                headers["Authorization"] = f"Bearer {key}"
            else:
                headers["Lotline-Signature"] = signature(key, int(time.time()), idempotency_key, body)
        return headers

    async def _send(self, idempotency_key: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        import aiohttp  # 23 MB that a line without an HTTP destination does not pay

        session = self._open(aiohttp)
        try:
            async with session.post(
                self._options.url, data=body, headers=self._headers(idempotency_key, body), allow_redirects=False
            ) as response:
                answer = b""
                async for chunk in response.content.iter_any():
                    answer += chunk
                    if len(answer) > ANSWER_BYTES:
                        break
                return response.status, dict(response.headers), answer
        except TimeoutError as exc:
            raise SinkUnavailable(DESTINATION["no_answer"].fill({"seconds": f"{self._options.timeout_s:g}"})) from exc
        except aiohttp.ClientConnectorCertificateError as exc:
            words = DESTINATION["http_certificate"].fill({"host": self._host, "why": exc.certificate_error})
            raise SinkFault(words, DESTINATION["http_certificate_do"]) from exc
        except aiohttp.ClientError as exc:
            why = getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
            raise SinkUnavailable(
                DESTINATION["http_unreachable"].fill({"host": self._host, "why": self._hide(str(why))})
            ) from exc

    def _open(self, aiohttp: ModuleType) -> aiohttp.ClientSession:
        if self._session is None:
            try:
                trust = ssl.create_default_context(cafile=self._options.ca_file) if self._options.ca_file else True
            except OSError as exc:
                fields = {"file": self._options.ca_file, "why": exc.strerror or "no PEM certificate in it"}
                raise SinkFault(DESTINATION["http_ca_file"].fill(fields), DESTINATION["http_ca_file_do"]) from exc
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=1, ssl=trust),
                timeout=aiohttp.ClientTimeout(total=self._options.timeout_s, sock_connect=CONNECT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    # ---- what the server said

    def _results(self, ids: Sequence[str], answer: bytes) -> list[Verdict | None]:
        try:
            results = _ANSWER.decode(answer).results
        except msgspec.MsgspecError:
            results = []
        if len(results) != len(ids) or any(result.id != id_ for result, id_ in zip(results, ids, strict=True)):
            by_id = {result.id: result for result in results}
            if not by_id.keys() >= set(ids):
                raise SinkUnavailable(
                    DESTINATION["http_unclear"].fill({"host": self._host, "words": self._words(answer)})
                )
            results = [by_id[id_] for id_ in ids]
        return [_verdict(result) for result in results]

    def _say(self, code: str, status: int, words: str) -> Words:
        return DESTINATION[code].fill({"host": self._host, "status": status, "words": words})

    def _words(self, answer: bytes) -> str:
        """The server's own words on one line, short, without our key should it echo it."""
        text = answer[: 8 * WORDS_SHOWN].decode("utf-8", "replace")
        try:
            said = msgspec.json.decode(answer)
        except msgspec.MsgspecError:
            text = re.sub(r"<[^>]*>", " ", text)
        else:
            if isinstance(said, dict):
                text = next((str(said[name]) for name in _WORDY if isinstance(said.get(name), str)), text)
        text = self._hide(" ".join(text.split()))
        return text if len(text) <= WORDS_SHOWN else text[: WORDS_SHOWN - 1] + "…"

    def _hide(self, text: str) -> str:
        if self._options.key is None:
            return text
        return text.replace(self._secret(self._options.key), "•••")


def _held_back(part: Sequence[Record], barred: set[str]) -> set[int]:
    """The seqs of ``part`` that must wait for an event that was not taken; adds what they hold to ``barred``."""
    held: set[int] = set()
    if barred:
        for record in part:
            keys = keys_of(record.data)
            if not barred.isdisjoint(keys.waits):
                held.add(record.seq)
                barred.update(keys.holds)
    return held


def signature(key: str, at: int, idempotency_key: str, body: bytes) -> str:
    """The value of ``Lotline-Signature``."""
    mac = hmac.new(key.encode(), f"{at}.{idempotency_key}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"


class _Result(Struct, frozen=True, gc=False):
    id: str
    status: Literal["accepted", "gathered", "rejected", "pending"]
    receipt: str = ""
    reason: str = ""
    document: str = ""


class _Answer(Struct, frozen=True, gc=False):
    results: list[_Result]


_ANSWER: Final = msgspec.json.Decoder(_Answer)
_WORDY: Final = ("message", "error", "detail", "reason", "description", "title")


def _verdict(result: _Result) -> Verdict | None:
    match result.status:
        case "accepted":
            return Accepted(receipt=result.receipt, document=result.document)
        case "gathered":
            return Gathered(document=result.document)
        case "rejected":
            return Rejected(reason=result.reason or "refused without a reason")
        case _:
            return None


def _retry_after(headers: dict[str, str]) -> float | None:
    """Seconds (RFC 9110 §10.2.3: a number or an HTTP date), None where the server does not say."""
    value = next((text for name, text in headers.items() if name.lower() == "retry-after"), "")
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
