"""The pages of one line PC: a start page, one page per station, its stream, and the acts a person does on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from edge.web.guard import Guard, Tokens
from edge.web.literal import visible, visible_document
from edge.web.pages import Pages
from edge.web.screen import screen
from edge.web.stream import Streams, messages
from edge.web.view import Document, LineView
from edge.wording import Words
from edge.wording.page import PAGE, STATES

TYPE_IN: Final = "type_in"  # possible wherever scans are taken: a label may be damaged
MAX_TYPED: Final = 4096  # characters; as long as the longest scan
_MAX_BODY: Final = 32_768  # bytes of a POST: MAX_TYPED characters, each escaped
_COOKIE: Final = "lotline_language"
_COOKIE_S: Final = 365 * 86_400
_FACES: Final = {"stop": "blocked", "storage": "storage_stop"}  # what fills the page is the state that counts
_FIELDS: Final = msgspec.json.Decoder(dict[str, str])


def create_app(line: LineView) -> Starlette:
    """The pages over ``line``. Start them with ``edge.web.serve``."""
    site = _Site(line)
    app = Starlette(
        routes=[
            Route("/", site.start),
            Route("/healthz", site.health),
            Route("/s/{station}", site.station),
            Route("/s/{station}/stream", site.stream),
            Route("/s/{station}/act/{act}", site.act, methods=["POST"]),
            Route("/static/{build}/{name}", site.static),
        ],
        middleware=[Middleware(Guard)],
    )
    app.state.streams = site.streams
    return app


class _Site:
    """The handlers; each is one address."""

    def __init__(self, line: LineView) -> None:
        self._line = line
        self._pages = Pages()
        self._tokens = Tokens()
        self.streams = Streams()

    async def start(self, request: Request) -> Response:
        """The stations of this PC; with one station, its page."""
        stations = self._line.stations()
        if len(stations) == 1:
            return RedirectResponse(f"/s/{quote(stations[0], safe='')}", status_code=303)
        language = _language(request)
        rows = [_row(station, document, language) for station in stations if (document := self._line.view(station))]
        return self._html(request, "start.html", language, rows=rows)

    async def health(self, request: Request) -> Response:
        """For a monitor: 200 while every station can record, 503 while one cannot."""
        documents = [document for station in self._line.stations() if (document := self._line.view(station))]
        healthy = all(document["storage"]["ok"] for document in documents)
        states = {document["station"]: document["state"] for document in documents}
        return _json({"ok": healthy, "stations": states}, 200 if healthy else 503)

    async def station(self, request: Request) -> Response:
        """The operator's page."""
        station, language = request.path_params["station"], _language(request)
        document = self._line.view(station)
        if document is None:
            named = PAGE["unknown_station"].fill({"station": visible(station)}).to(language)
            return self._html(request, "missing.html", language, 404, sentence=named)
        return self._html(
            request,
            "station.html",
            language,
            screen=screen(document, language),
            token=self._tokens.issue(station),
            type_in=TYPE_IN,
            several=len(self._line.stations()) > 1,
        )

    async def stream(self, request: Request) -> ASGIApp:
        """The page's stream, in the page's language."""
        station, language = request.path_params["station"], _language(request)
        if self._line.view(station) is None:
            raise HTTPException(404)
        fixed = {"build": self._pages.build, "token": self._tokens.issue(station)}

        def draw(document: Document) -> dict[str, object]:
            return {**fixed, "screen": screen(document, language)}

        return self.streams.response(messages(self._line, station, draw))

    async def act(self, request: Request) -> Response:
        """What a person did on the page. Answers ``{"ok": bool, "say": {"en": …, "zh": …}}``."""
        station, act = request.path_params["station"], request.path_params["act"]
        document = self._line.view(station)
        if document is None:
            raise HTTPException(404)
        if not self._tokens.allows(request, station):
            return _refuse(PAGE["refused_token"], 403)
        fields = await _fields(request)
        if fields is None:
            return _refuse(PAGE["refused_body"], 400)
        if any(len(value) > MAX_TYPED for value in fields.values()):
            return _refuse(PAGE["too_long"].fill({"n": MAX_TYPED}), 413)
        if act != TYPE_IN and act not in {offered["act"] for offered in document["acts"]}:
            return _refuse(PAGE["refused_act"], 409)
        return _json(visible_document(await self._line.act(station, act, fields)), 200)

    async def static(self, request: Request) -> Response:
        """A module, the style sheet or the icon; the address changes with the content, so it is kept for ever."""
        found = self._pages.static.get(request.path_params["name"])
        if found is None or request.path_params["build"] != self._pages.build:
            raise HTTPException(404)
        content, media_type = found
        kept = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(content, media_type=media_type, headers=kept)

    def _html(self, request: Request, template: str, language: str, status: int = 200, **fields: object) -> Response:
        answer = HTMLResponse(self._pages.render(template, language, **fields), status)
        if request.query_params.get("lang") == language:
            answer.set_cookie(_COOKIE, language, max_age=_COOKIE_S, httponly=True, samesite="strict")
        return answer


def _language(request: Request) -> str:
    """What the address says, then the cookie, then the browser's own wish; Chinese or English."""
    for wish in (
        request.query_params.get("lang"),
        request.cookies.get(_COOKIE),
        request.headers.get("accept-language", "")[:2].lower(),
    ):
        if wish in ("en", "zh"):
            return wish
    return "en"


def _row(station: str, document: Document, language: str) -> dict[str, object]:
    shown = screen(document, language)
    return {
        "station": station,
        "shown": shown["station"],
        "name": shown["name"],
        "state": STATES[_FACES.get(str(shown["face"]), str(document["state"]))].to(language),
        "face": shown["face"],
        "order": shown["order"],
    }


async def _fields(request: Request) -> Mapping[str, str] | None:
    """The body as names and texts; None when it is no such thing or too long."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MAX_BODY:
            return None
    try:
        return _FIELDS.decode(bytes(body) or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _refuse(say: Words, status: int) -> Response:
    return _json({"ok": False, "say": {"en": say.en, "zh": say.zh}}, status)


def _json(value: object, status: int) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
