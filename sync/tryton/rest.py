"""Tryton's REST interface (series 8.0 and later), and the one JSON-RPC call that REST lacks: answering a warning.

::

    GET   <url>/<database>/rest/model/<model>[/<id>]?f=<field>&d=<domain>&o=<order>&s=<limit>
    POST  <url>/<database>/rest/model/<model>                  create
    PUT   <url>/<database>/rest/model/<model>/<id>             write
    POST  <url>/<database>/rest/model/<model>/<id>/<button>    press
    Authorization: Bearer <res.user.application key>           X-Tryton-Context: base64url(JSON)

A write with One2many commands is one transaction. Facts from trytond 8.2 (protocols/rest.py, protocols/wrappers.py):

===========================  ==========================================================================================
answer                       what it means here
===========================  ==========================================================================================
400                          Tryton refuses, in its own words: ``Refused``. Also what a warning looks like
401                          SinkFault: the key
403, model not readable      SinkFault: the user's groups
404                          None for a record; SinkFault for the first request (no such database, no REST)
413                          ``Refused``
408, 429, 5xx, no answer     SinkUnavailable, not before Retry-After. Whether it had an effect is not known: re-read
a proxy's page, no JSON      SinkUnavailable
===========================  ==========================================================================================
"""

from __future__ import annotations

import base64
import json
import re
import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from msgspec import Struct

from edge.errors import SinkFault, SinkUnavailable
from edge.wording.tryton import TROUBLE

if TYPE_CHECKING:
    import aiohttp

CONNECT_S: Final = 10.0
WORDS_SHOWN: Final = 400  # characters of an answer that a person gets to see

Row = dict[str, Any]
Domain = Sequence[Any]


class Refused(Exception):
    """Tryton said no, for good, in ``words``; "" when it would rather have opened a window (it answers a bare 400)."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class Warned(Exception):
    """Tryton asks a person something. ``name`` is what an answer has to name; its last part is the kind."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(words)
        self.name = name
        self.words = words


class Address(Struct, frozen=True, kw_only=True):
    """Where and as whom."""

    url: str
    database: str
    key: str
    key_name: str  #: what the secret is called, for the reader of an error
    timeout_s: float
    ca_file: Path | None = None


class Rest:
    """One connection to one database. Every call is one transaction in Tryton."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._host = urlsplit(address.url).netloc.rpartition("@")[2]
        self._base = f"{address.url.rstrip('/')}/{quote(address.database)}"
        self._session: aiohttp.ClientSession | None = None
        self._context: dict[str, Any] = {}

    def belong_to(self, company: int) -> None:
        """From here on every request is made for ``company``; without one, Tryton's defaults fail."""
        self._context = {"company": company, "companies": [company]}

    async def search(
        self,
        model: str,
        domain: Domain,
        fields: Sequence[str],
        *,
        order: Sequence[tuple[str, str]] = (("id", "ASC"),),
        limit: int | None = None,
        offset: int = 0,
        context: Mapping[str, Any] | None = None,
    ) -> list[Row]:
        """The records of ``model`` in ``domain``, in ``order``; dotted fields come nested."""
        query = [*(("f", field) for field in fields), ("d", _packed(list(domain))), ("o", _packed(list(order)))]
        if limit is not None:
            query.append(("s", str(limit)))
        if offset:
            query.append(("p", str(offset)))
        rows: list[Row] | None = await self._ask("GET", f"model/{model}", query=query, context=context)
        if rows is None:
            raise SinkFault(
                TROUBLE["address"].fill({"host": self._host, "database": self._address.database}), TROUBLE["address_do"]
            )
        return rows

    async def read(self, model: str, record: int, fields: Sequence[str]) -> Row | None:
        """One record, None when it is gone."""
        row: Row | None = await self._ask("GET", f"model/{model}/{record}", query=[("f", field) for field in fields])
        return row

    async def create(self, model: str, values: Mapping[str, Any]) -> int:
        """A new record's id. Raises Refused."""
        row = await self._ask("POST", f"model/{model}", body=values)
        return int(row["id"])

    async def write(self, model: str, record: int, values: Mapping[str, Any]) -> None:
        """Raises Refused."""
        await self._ask("PUT", f"model/{model}/{record}", body=values)

    async def press(self, model: str, record: int, button: str) -> None:
        """A button. That it returns does not prove that the state changed: read it. Raises Refused."""
        await self._ask("POST", f"model/{model}/{record}/{button}", body={})

    async def call(self, model: str, method: str) -> Any:
        """A method of the model, without arguments."""
        return await self._ask("POST", f"model/{model}/{method}", body={})

    async def press_as(self, user: str, password: str, model: str, record: int, button: str) -> None:
        """The button over JSON-RPC, which names warnings. Raises Warned and Refused."""
        await self._rpc(user, password, f"model.{model}.{button}", [[record]])

    async def answer(self, user: str, password: str, warning: str) -> None:
        """Says yes to ``warning``, once: the next press of the button that raised it passes."""
        await self._rpc(user, password, "model.res.user.warning.skip", [warning, False])

    async def close(self) -> None:
        """Closes the connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    # ---- one request

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> Any:
        headers = {
            "Authorization": f"Bearer {self._address.key}",
            "X-Tryton-Context": _packed({**self._context, **(context or {})}),
            "Accept": "application/json",
        }
        url = f"{self._base}/rest/{path}"
        status, answer, wait_s = await self._send(method, url, headers, query, body)
        match status:
            case 200:
                return self._json(status, answer)
            case 204:
                return None
            case 400:
                raise Refused(_words(answer) if answer.startswith(b"{") else "")
            case 413:
                raise Refused(_words(answer))
            case 401:
                raise SinkFault(TROUBLE["key"], TROUBLE["key_do"].fill({"name": self._address.key_name}))
            case 403:
                what = path.removeprefix("model/")
                raise SinkFault(TROUBLE["forbidden"].fill({"what": what}), TROUBLE["forbidden_do"])
            case 404:
                return None
            case _:
                raise SinkUnavailable(TROUBLE["busy"].fill({"status": status, "words": _words(answer)}), wait_s=wait_s)

    async def _rpc(self, user: str, password: str, method: str, params: Sequence[Any]) -> Any:
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {token}", "Accept": "application/json"}
        body = {"id": 1, "method": method, "params": [*params, self._context]}
        status, answer, wait_s = await self._send("POST", f"{self._base}/rpc/", headers, (), body)
        if status == 401:
            raise SinkFault(TROUBLE["password"].fill({"user": user}), TROUBLE["password_do"])
        if status != 200:
            raise SinkUnavailable(TROUBLE["busy"].fill({"status": status, "words": _words(answer)}), wait_s=wait_s)
        said = self._json(status, answer)
        match said.get("error"):
            case None:
                return said.get("result")
            case ["UserWarning", [name, words, *_]]:
                raise Warned(str(name), str(words))
            case ["UserError", [words, *_]]:
                raise Refused(str(words))
            case error:  # a bug or a conflict between two transactions, told with HTTP 200
                raise SinkUnavailable(TROUBLE["busy"].fill({"status": status, "words": str(error)[:WORDS_SHOWN]}))

    async def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        query: Sequence[tuple[str, str]],
        body: Mapping[str, Any] | None,
    ) -> tuple[int, bytes, float | None]:
        import aiohttp  # 23 MB that a line without such a destination does not pay

        try:
            async with self._open(aiohttp).request(
                method, url, params=list(query), headers=headers, json=body, allow_redirects=False
            ) as response:
                return response.status, await response.read(), _retry_after(response.headers)
        except TimeoutError as exc:
            raise SinkUnavailable(TROUBLE["no_answer"].fill({"seconds": f"{self._address.timeout_s:g}"})) from exc
        except aiohttp.ClientConnectorCertificateError as exc:
            words = TROUBLE["certificate"].fill({"host": self._host, "why": exc.certificate_error})
            raise SinkFault(words, TROUBLE["certificate_do"]) from exc
        except aiohttp.ClientError as exc:
            why = getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
            raise SinkUnavailable(TROUBLE["unreachable"].fill({"host": self._host, "why": why})) from exc

    def _open(self, aiohttp: ModuleType) -> aiohttp.ClientSession:
        if self._session is None:
            cafile = self._address.ca_file
            trust = ssl.create_default_context(cafile=cafile) if cafile else True
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=1, ssl=trust),
                timeout=aiohttp.ClientTimeout(total=self._address.timeout_s, sock_connect=CONNECT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def _json(self, status: int, answer: bytes) -> Any:
        try:
            return json.loads(answer, object_hook=_unpacked)
        except ValueError:
            words = _words(answer)
            raise SinkUnavailable(
                TROUBLE["not_tryton"].fill({"host": self._host, "status": status, "words": words})
            ) from None


# ---- Tryton's JSON


def day(value: date) -> Row:
    """A date as Tryton writes it."""
    return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}


def instant(value: datetime) -> Row:
    """A UTC instant as Tryton writes it, to the second."""
    utc = value.astimezone(UTC)
    return {
        **day(utc.date()),
        "__class__": "datetime",
        "hour": utc.hour,
        "minute": utc.minute,
        "second": utc.second,
        "microsecond": 0,
    }


def numeric(value: Decimal) -> Row:
    """A Numeric field (prices); quantities are Float fields and take numbers."""
    return {"__class__": "Decimal", "decimal": format(value, "f")}


def binary(value: bytes) -> Row:
    """A Binary field."""
    return {"__class__": "bytes", "base64": base64.b64encode(value).decode()}


def exact(value: float | int) -> Decimal:
    """The decimal that a Float field means: Tryton's 0.1 is one tenth."""
    return Decimal(repr(value)).normalize() + 0


def _unpacked(value: Row) -> Any:
    match value.get("__class__"):
        case "date":
            return date(value["year"], value["month"], value["day"])
        case "datetime":
            return datetime(
                value["year"], value["month"], value["day"], value["hour"], value["minute"], value["second"], tzinfo=UTC
            )
        case "Decimal":
            return Decimal(value["decimal"])
        case "bytes":
            return base64.b64decode(value["base64"])
        case _:
            return value


def _packed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def _words(answer: bytes) -> str:
    """Tryton's own words, on one line."""
    text = answer.decode("utf-8", "replace")
    try:
        said = json.loads(text)
    except ValueError:
        text = re.sub(r"(?s)<title>.*?</title>|<[^>]*>", " ", text)
    else:
        if isinstance(said, dict) and isinstance(said.get("message"), str):
            text = f"{said['message']} {said.get('description') or ''}"
    text = " ".join(text.split())
    return text if len(text) <= WORDS_SHOWN else text[: WORDS_SHOWN - 1] + "…"


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("Retry-After", "")
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()) if value else None
    except (ValueError, TypeError):
        return None
