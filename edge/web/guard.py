"""Who may talk to the pages: this PC's own browser, by this PC's own names, and for an act only our own page.

A page on the internet can make a browser on this PC send requests to 127.0.0.1 (DNS rebinding, cross-site POST).
Against the first stands the list of host names; against the second a token that only our page can read, in a header
that only our page can set, and the browser's own word where a request came from (Sec-Fetch-Site, Origin; W3C Fetch
Metadata).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
TOKEN_HEADER: Final = "x-lotline-token"

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Refuses foreign host names and puts the security headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if is_ours(Headers(scope=scope).get("host", ""), scope):
            await self._app(scope, receive, guarded)
        else:
            answer = PlainTextResponse("This page answers only to 127.0.0.1 and localhost.\n", status_code=421)
            await answer(scope, receive, guarded)


def is_ours(host: str, scope: Scope) -> bool:
    """Whether a Host header names this PC and the port that the connection came in on."""
    name, _, port = host.rpartition(":") if not host.endswith("]") and ":" in host else (host, "", "80")
    return name.lower() in HOSTS and port == str(scope["server"][1])


class Tokens:
    """A token per station and run of the program; a page gets the present one with every document."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def issue(self, station: str) -> str:
        """The token that an act at ``station`` must carry."""
        return hmac.new(self._key, station.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    def allows(self, request: Request, station: str) -> bool:
        """Whether ``request`` came from our own page of ``station``."""
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site")
        if origin is None and site is None:
            return False
        if origin not in (None, f"{request.url.scheme}://{request.headers['host']}") or site not in (
            None,
            "same-origin",
        ):
            return False
        return hmac.compare_digest(request.headers.get(TOKEN_HEADER, "").encode(), self.issue(station).encode())
