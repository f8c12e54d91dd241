"""What every scanner has in common, whatever line it hangs on: its options, and bytes made into scans and notices."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from msgspec import Struct
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from drivers.descriptor import readable, send
from drivers.framing import Broken, Fault, Frame, Framer, Piece, Terminator, framer
from edge.config.base import Model
from edge.contracts import Signal
from edge.errors import DeviceUnavailable
from edge.model import Item, Notice, NoticeCode, Scan

#: A whole scan takes 0.1 s, a packet that TCP has to send again about 1 s; after this the terminator is not coming.
UNTERMINATED_S: Final = 3.0
#: edge.contracts.Feedback: an operator takes a later beep for the next scan's
SIGNAL_S: Final = 0.5

_ESCAPES: Final = {"e": b"\x1b", "r": b"\r", "n": b"\n", "t": b"\t", "a": b"\a", "\\": b"\\"}


def _unescape(value: object) -> object:
    if not isinstance(value, str):
        return value

    def one(match: re.Match[str]) -> str:
        word = match[1]
        if len(word) == 3:
            return chr(int(word[1:], 16))
        if word not in _ESCAPES:
            raise PydanticCustomError(
                "escape", "'\\{word}' is no escape; known are \\e \\r \\n \\t \\a \\xNN \\\\", {"word": word}
            )
        return _ESCAPES[word].decode()

    text = re.sub(r"\\(x[0-9A-Fa-f]{2}|.?)", one, value, flags=re.DOTALL)
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise PydanticCustomError("bytes", "only bytes can be sent; write others as \\xNN") from None


#: Bytes written as text: ``"\e7,"``, ``'\x06'``. What YAML has already unescaped in double quotes fits as well.
ByteText = Annotated[bytes, BeforeValidator(_unescape), Field(max_length=64)]


class FeedbackOptions(Model):
    """What makes the scanner beep or light up; sent only after the record is on disk."""

    good: ByteText = Field(default=b"", description='bytes for a good read, e.g. "\\e7,"; empty sends nothing')
    bad: ByteText = Field(default=b"", description='bytes for a refusal, e.g. "\\e8,"; empty sends nothing')


#: Makers' own sequences. Honeywell Xenon user's guide, Host ACK: ESC 7 , good, ESC 8 , razz. Datalogic PowerScan and
#: QuickScan manuals: ESC [3q good read tone, ESC [4q bad transmission tone. CipherLab 1664: one beep only.
PRESETS: Final = {
    "honeywell": FeedbackOptions(good=b"\x1b7,", bad=b"\x1b8,"),
    "datalogic": FeedbackOptions(good=b"\x1b[3q\r", bad=b"\x1b[4q\r"),
    "cipherlab": FeedbackOptions(good=b"#@////\r"),
}


class ScannerOptions(Model):
    """How a scanner's bytes become scans."""

    terminator: Terminator = Field(
        default=Terminator.ANY,
        description="what ends a scan: any (CR, LF or CR LF), cr, lf, crlf, stx_etx, or idle (silence)",
    )
    idle_ms: int = Field(
        default=150, ge=10, le=5000, description="with terminator: idle, how long a silence ends a scan"
    )
    max_length: int = Field(default=4096, ge=1, le=65536, description="longer than this is no scan and thrown away")
    encoding: Literal["utf-8", "gb18030", "latin-1"] = Field(default="utf-8", description="of texts inside the codes")
    no_read: tuple[str, ...] = Field(
        default=(), description="what the reader sends when it read nothing, e.g. [NOREAD, ERROR]"
    )
    prefix: ByteText = Field(default=b"", description="bytes the scanner puts before every code; taken off")
    suffix: ByteText = Field(
        b"", description="bytes the scanner puts after every code, before the terminator; taken off"
    )
    preset: Literal["honeywell", "datalogic", "cipherlab"] | None = Field(
        default=None, description="the maker's own feedback bytes, where feedback is not written out"
    )
    feedback: FeedbackOptions | None = None

    def answer(self, signal: Signal) -> bytes:
        """The bytes that tell the scanner's holder; b"" for none."""
        feedback = self.feedback or (PRESETS[self.preset] if self.preset else FeedbackOptions())
        return feedback.good if signal is Signal.GOOD else feedback.bad


class _Instant(Struct, frozen=True):
    utc: datetime
    monotonic_ns: int


def _now() -> _Instant:
    return _Instant(datetime.now(UTC), time.monotonic_ns())


class Assembler:
    """The bytes of one connection, made into items. Both times of an item are those of its first byte."""

    def __init__(self, device: str, options: ScannerOptions) -> None:
        self._device = device
        self._options = options
        self._no_read = frozenset(text.encode(options.encoding, "surrogateescape") for text in options.no_read)
        self._framer: Framer[_Instant] = framer(options.terminator, options.max_length)
        self._quiet_s = options.idle_ms / 1000 if options.terminator is Terminator.IDLE else UNTERMINATED_S

    @property
    def quiet_s(self) -> float | None:
        """After how long a silence ``quiet`` is to be called; None while silence means nothing."""
        return self._quiet_s if self._framer.pending else None

    def feed(self, data: bytes) -> list[Item]:
        """What ``data`` completes."""
        return [self._item(piece) for piece in self._framer.feed(data, _now())]

    def quiet(self) -> list[Item]:
        """What silence completes."""
        return [self._item(piece) for piece in self._framer.quiet(_now())]

    def cut_off(self) -> list[Item]:
        """What is to be said when the connection ends here: a part is never taken for a whole."""
        if not (pending := self._framer.pending):
            return []
        return [self._notice(NoticeCode.DROPPED, f"{pending} bytes when the connection ended", _now())]

    def _item(self, piece: Piece[_Instant]) -> Item:
        match piece:
            case Frame(raw=raw, at=at):
                return self._scan(raw, at)
            case Broken(fault=Fault.OVERRUN, length=length, at=at):
                return self._notice(NoticeCode.OVERRUN, f"longer than {length} bytes", at)
            case Broken(fault=Fault.UNTERMINATED, length=length, at=at):
                ends = self._options.terminator.value
                return self._notice(
                    NoticeCode.UNDECODABLE, f"{length} bytes without their end (terminator: {ends})", at
                )
            case Broken(length=length, at=at):
                return self._notice(NoticeCode.UNDECODABLE, f"{length} bytes outside STX and ETX", at)

    def _scan(self, raw: bytes, at: _Instant) -> Item:
        prefix, suffix = self._options.prefix, self._options.suffix
        if raw in self._no_read:
            return self._notice(NoticeCode.NO_READ, "nothing read", at)
        if not (raw.startswith(prefix) and raw.endswith(suffix) and len(raw) > len(prefix) + len(suffix)):
            return self._notice(
                NoticeCode.UNDECODABLE, f"{len(raw)} bytes without the prefix or suffix of the file", at
            )
        code = raw[len(prefix) : len(raw) - len(suffix)]
        if code in self._no_read:
            return self._notice(NoticeCode.NO_READ, "nothing read", at)
        return Scan(
            device=self._device,
            raw=code,
            captured_at=at.utc,
            monotonic_ns=at.monotonic_ns,
            encoding=self._options.encoding,
        )

    def _notice(self, code: NoticeCode, text: str, at: _Instant) -> Notice:
        return Notice(device=self._device, code=code, text=text, captured_at=at.utc, monotonic_ns=at.monotonic_ns)


async def items(descriptor: int, read: Callable[[], bytes], assembler: Assembler) -> AsyncGenerator[Item, None]:
    """The items of one line until it breaks. ``read`` gives what is there or raises DeviceUnavailable."""
    while True:
        if await readable(descriptor, timeout_s=assembler.quiet_s) is None:
            complete = assembler.quiet()
        else:
            try:
                complete = assembler.feed(read())
            except DeviceUnavailable:
                for item in assembler.cut_off():
                    yield item
                raise
        for item in complete:
            yield item


async def answer(descriptor: int | None, data: bytes) -> None:
    """Feedback to the scanner's holder: best effort, within SIGNAL_S; a scanner that is away is no error."""
    if descriptor is None or not data:
        return
    with contextlib.suppress(OSError):  # TimeoutError is one
        async with asyncio.timeout(SIGNAL_S):
            await send(descriptor, data)
