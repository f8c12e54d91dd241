"""Events as lines of JSON in a directory: the stored bytes, one event per line, in log order.

===========  ========================================================================================
durable      every line is fsynced before it counts as delivered
atomic       a file is ``….part`` while it grows and gets its name ``….jsonl`` by one rename when finished
names        ``<first 8 of the log's id>-<first seq>.jsonl``: they sort in log order and never repeat
finished     at ``rotate_mb``, when the first event of another UTC day comes, and at a clean stop
once         an event stands in one line, also after kill -9, as long as the files are left in place: what a
             crash left unreceipted was the last batch, and the ids of the last lines are read back at start.
             Whoever moves the newest files away right after a crash may see that batch again: drop by eventID
not done     no compression, no deletion: the reader of the directory owns the finished files
===========  ========================================================================================

The day is the event's own, so a backlog of a week becomes the files of that week. The directory is never created: a
share that is not mounted must not become a folder on the system disk.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from pydantic import Field

from edge.config.base import Model
from edge.contracts import Accepted, Shelf, Sink, Verdict
from edge.errors import LotlineError, SinkFault, SinkUnavailable
from edge.model import Record
from edge.wording import Words
from edge.wording.sync import DESTINATION

REMEMBERED: Final = 2000  # ids of written lines; a courier never has more than 1,000 records on the way
_BLOCK: Final = 1 << 20
_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class Options(Model):
    """A directory that somebody else empties."""

    directory: Path = Field(description="must exist; holds finished files *.jsonl and the growing one *.part")
    rotate_mb: float = Field(16, gt=0, le=4096, description="a file is finished at this size")


def build(name: str, options: Options, shelf: Shelf, secret: Callable[[str], str]) -> Sink:
    """The spool of destination ``name``; it needs neither shelf nor secret."""
    return Spool(options)


class Spool:
    """One directory. Its blocking work happens in its own thread."""

    keeps_order = True  # a batch is written as a whole, in order

    def __init__(self, options: Options) -> None:
        self._directory = options.directory
        self._limit = int(options.rotate_mb * 1_000_000)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool")
        self._file: _Part | None = None
        self._written: OrderedDict[str, str] = OrderedDict()  # id -> file
        self._read_back = False

    async def deliver(self, batch: Sequence[Record]) -> Sequence[Verdict | None]:
        """All of ``batch`` on disk, or SinkUnavailable."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._write, batch)

    async def aclose(self) -> None:
        """Finishes the growing file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._stop)
        self._thread.shutdown(wait=False)

    # ---- in the thread

    def _write(self, batch: Sequence[Record]) -> list[Verdict | None]:
        try:
            if not self._directory.is_dir():
                raise SinkUnavailable(self._say("spool_missing"), DESTINATION["spool_missing_do"])
            if not self._read_back:
                self._recover(batch[0].origin[:8])
            added: dict[str, str] = {}
            places = [self._place(record, added) for record in batch]
            if self._file is not None:
                self._file.sync()
        except OSError as exc:
            self._give_up()
            raise self._failure(exc) from exc
        except LotlineError:
            self._give_up()
            raise
        self._written.update(added)
        while len(self._written) > REMEMBERED:
            self._written.popitem(last=False)
        return [Accepted(receipt=place) for place in places]

    def _place(self, record: Record, added: dict[str, str]) -> str:
        """Appends one line unless it stands there already; the file that holds it."""
        event = _LINE.decode(record.data)
        if (known := self._written.get(event.id) or added.get(event.id)) is not None:
            return known
        if self._file is not None and (self._file.size + len(record.data) > self._limit or self._file.day != event.day):
            self._file.finish()
            self._file = None
        if self._file is None:
            self._file = _Part.begin(self._directory / f"{record.origin[:8]}-{record.seq:012d}.jsonl", event.day)
        self._file.append(record.data)
        added[event.id] = self._file.target.name
        return self._file.target.name

    def _recover(self, log: str) -> None:
        """After a start: the growing file without its torn last line, and the ids of the last lines of this log."""
        parts = sorted(self._directory.glob(f"{log}-*.jsonl.part"))
        for path in parts[:-1]:  # only a crash between two files can leave an older one
            _Part.resume(path).finish()
        self._file = _Part.resume(parts[-1]) if parts else None
        tail: list[tuple[str, str]] = []
        for path in reversed([*sorted(self._directory.glob(f"{log}-*.jsonl")), *parts[-1:]]):
            name = path.name.removesuffix(".part")
            tail = [(_LINE.decode(line).id, name) for line in _last_lines(path)[0]] + tail
            if len(tail) >= REMEMBERED:
                break
        self._written = OrderedDict(tail[-REMEMBERED:])
        self._read_back = True

    def _give_up(self) -> None:
        """What was not fsynced is cut off again; if even that fails, the next start of the file does it."""
        self._read_back = False
        if self._file is not None:
            self._file.abandon()
            self._file = None

    def _stop(self) -> None:
        try:
            if self._file is not None:
                self._file.finish()
        except OSError:
            self._give_up()  # stays a .part and is resumed at the next start
        self._file = None

    def _say(self, code: str, why: str = "") -> Words:
        return DESTINATION[code].fill({"directory": self._directory, "why": why})

    def _failure(self, exc: OSError) -> LotlineError:
        why = exc.strerror or str(exc)
        if exc.errno in _FORBIDDEN:
            return SinkFault(self._say("spool_forbidden", why), DESTINATION["spool_forbidden_do"])
        return SinkUnavailable(self._say("spool_disk", why), DESTINATION["spool_disk_do"])


class _Part:
    """One growing file. ``durable`` is its length at the last fsync."""

    def __init__(self, path: Path, target: Path, day: str, size: int) -> None:
        self._path = path
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
        os.lseek(self._fd, size, os.SEEK_SET)
        self._buffer: list[bytes] = []
        self.target = target
        self.day = day
        self.size = size
        self._durable = size

    @classmethod
    def begin(cls, target: Path, day: str) -> _Part:
        path = target.with_name(target.name + ".part")
        if target.exists() or path.exists():
            raise SinkFault(DESTINATION["spool_taken"].fill({"file": target}), DESTINATION["spool_taken_do"])
        part = cls(path, target, day, 0)
        _sync_directory(path.parent)
        return part

    @classmethod
    def resume(cls, path: Path) -> _Part:
        """Cuts a torn last line off: it was never acknowledged."""
        lines, whole = _last_lines(path)
        if whole != path.stat().st_size:
            os.truncate(path, whole)
        day = _LINE.decode(lines[-1]).day if lines else ""
        return cls(path, path.with_name(path.name.removesuffix(".part")), day, whole)

    def append(self, line: bytes) -> None:
        self._buffer.append(line)
        self.size += len(line) + 1

    def sync(self) -> None:
        if self._buffer:
            data = memoryview(b"\n".join((*self._buffer, b"")))
            while data:
                data = data[os.write(self._fd, data) :]
            self._buffer.clear()
        if self.size != self._durable:
            os.fsync(self._fd)
            self._durable = self.size

    def finish(self) -> None:
        self.sync()
        self._close()
        if self._durable:
            self._path.rename(self.target)
        else:
            self._path.unlink()
        _sync_directory(self._path.parent)

    def abandon(self) -> None:
        if self._fd < 0:
            return
        try:
            os.ftruncate(self._fd, self._durable)
            self._close()
        except OSError:
            return  # a disk that refuses even this; a torn tail is cut at the next resume

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        os.close(fd)


class _Line(Struct, frozen=True, gc=False):
    id: str = msgspec.field(name="eventID")
    time: str = msgspec.field(name="eventTime")

    @property
    def day(self) -> str:
        return self.time[:10]


_LINE: Final = msgspec.json.Decoder(_Line)


def _last_lines(path: Path) -> tuple[list[bytes], int]:
    """The last ``REMEMBERED`` whole lines, and how long the file is without a torn one."""
    with path.open("rb") as file:
        start = size = file.seek(0, os.SEEK_END)
        data = b""
        while start and data.count(b"\n") <= REMEMBERED + 1:
            start = max(0, start - _BLOCK)
            file.seek(start)
            data = file.read(size - start)
    end = data.rfind(b"\n") + 1
    first = 0 if start == 0 else data.index(b"\n") + 1
    return data[first:end].splitlines()[-REMEMBERED:], start + end


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
