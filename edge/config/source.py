"""The text of one file: decoded, or told why it cannot be.

UTF-8 with or without a byte order mark, any line ends. A file saved as GBK is decoded as GB 18030 so that its
lines can be
shown, and is refused all the same.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Final

from msgspec import Struct

MAX_BYTES: Final = 4_000_000  # a line with 400 devices has 100 kB; masters of 30,000 lots have 3 MB
#: what libyaml takes for the end of a line (YAML 1.1 §4.2), so that its line numbers are ours
_LINE_END: Final = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_CHINESE: Final = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")


class Source(Struct, kw_only=True):
    """One file that was read. ``label`` is its name as the reader wrote it."""

    label: str
    path: Path
    text: str
    lines: list[str]
    hidden: dict[int, list[tuple[int, int]]] = {}  #: line -> columns (from 0) that must not be printed


class Flaw(Struct, frozen=True, kw_only=True):
    """What is wrong with a file as bytes: sentence code and fields, position from 1 (0 = the whole file)."""

    code: str
    fields: dict[str, object] = {}
    line: int = 0
    column: int = 0


def read(path: Path, label: str) -> tuple[Source, Flaw | None]:
    """The file at ``path``. With a flaw the source is as much as could be read, perhaps nothing. Raises nothing."""
    nothing = Source(label=label, path=path, text="", lines=[])
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            return nothing, Flaw(code="directory")
        if not stat.S_ISREG(about.st_mode):
            return nothing, Flaw(code="not_regular")
        if about.st_size > MAX_BYTES:
            size = f"{about.st_size / 1e6:.1f}"
            return nothing, Flaw(code="too_large", fields={"size": size, "limit": MAX_BYTES // 1_000_000})
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return nothing, Flaw(code="missing_file")
    except (OSError, ValueError) as exc:  # ValueError: a NUL in the name
        return nothing, Flaw(code="unreadable", fields={"why": getattr(exc, "strerror", None) or str(exc)})
    return decode(data, path, label)


def decode(data: bytes, path: Path, label: str) -> tuple[Source, Flaw | None]:
    """``data`` as text."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Source(label=label, path=path, text="", lines=[]), Flaw(code="utf16")
    try:
        text = data.decode("utf-8-sig")
        flaw = None
    except UnicodeDecodeError as exc:
        text, flaw = _not_utf8(data, exc.start)
    source = Source(label=label, path=path, text=text, lines=_LINE_END.split(text))
    if flaw is None and (bad := _CONTROL.search(text)):
        line, column = _position(text[: bad.start()])
        return source, Flaw(code="control", fields={"code": f"U+{ord(bad.group()):04X}"}, line=line, column=column)
    return source, flaw


def _not_utf8(data: bytes, start: int) -> tuple[str, Flaw]:
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        text = ""
    foreign = [char for char in text if char > "\x7f"]
    if 2 * sum(1 for char in foreign if _CHINESE.match(char)) > len(foreign):
        # some Chinese words in GBK happen to be UTF-8 as well, so the first foreign one is shown, not the first failure
        line, column = _position(text[: text.index(foreign[0])])
        return text, Flaw(code="gbk", line=line, column=column)
    line, column = _position(data[:start].decode("utf-8"))
    text = data.decode("utf-8", "replace")
    return text, Flaw(code="not_utf8", fields={"byte": f"{data[start]:02X}"}, line=line, column=column)


def _position(before: str) -> tuple[int, int]:
    lines = _LINE_END.split(before)
    return len(lines), len(lines[-1]) + 1
