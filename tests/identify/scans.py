"""Scans and formats for the tests of identify."""

from datetime import UTC, datetime

from edge.config.site import FormatFile
from edge.identify import Code, HouseFormat, Unreadable, identify
from edge.model import Scan

NOW = datetime(2026, 11, 22, 3, 42, tzinfo=UTC)

REEL = r"R(?P<material>[A-Z0-9-]+)/(?P<lot>[^/]+)(/(?P<quantity>[0-9.]+))?(/(?P<expiry>[0-9-]+))?"
FORMATS = (
    HouseFormat("order", FormatFile(pattern=r"(?P<order>WO-\d+)")),
    HouseFormat("reel", FormatFile(pattern=REEL)),
    HouseFormat("badge", FormatFile(pattern=r"B:(?P<badge>\d+)")),
    HouseFormat("seat", FormatFile(pattern=r"POS (?P<position>[a-z0-9-]+)")),
)


def scan(text: str | bytes, *, encoding: str = "utf-8", symbology: str = "", at: datetime = NOW) -> Scan:
    raw = text if isinstance(text, bytes) else text.encode(encoding)
    return Scan(device="hand-1", raw=raw, captured_at=at, monotonic_ns=1, symbology=symbology, encoding=encoding)


def read(text: str | bytes, **about) -> Code:
    code = identify(scan(text, **about), FORMATS)
    assert isinstance(code, Code), code
    return code


def refused(text: str | bytes, **about) -> Unreadable:
    answer = identify(scan(text, **about), FORMATS)
    assert isinstance(answer, Unreadable), answer
    return answer
