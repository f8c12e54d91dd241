"""The thread side of the readings: which day files are open, what is staged in them, what the log has still to be told.

Every method runs in the one thread of the readings (``edge.log.readings``); ``count`` may be read from anywhere.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Sequence
from pathlib import Path

import apsw

from edge.log.readingsfile import Part, ReadingsFile, Sealed, day_path, days
from edge.log.segment import remove_files, sync_directory
from edge.model import Layout


class Pending:
    """Frames of one layout on one UTC day, not yet staged."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.times_us: array[int] = array("q")
        self.quality: array[int] = array("q")
        self.values: array[int] | array[float] = array("q") if layout.typecode == "q" else array("d")


Batch = dict[tuple[int, int], Pending]  #: (UTC day, identity of the layout) -> its frames


class Stager:
    """Raises apsw.Error and OSError; what failed is as it was before."""

    def __init__(self, directory: Path) -> None:
        self.count = 0
        self.quarantined: list[str] = []
        self._directory = directory
        self._files: dict[int, ReadingsFile] = {}
        self._unsettled: set[int] = set()
        self._number = 0
        for day in days(directory):
            self._look_at(day)

    def stage(self, batch: Batch, boot: str) -> None:
        """Make ``batch`` durable, day by day; a stored day leaves the batch, so that it is never stored twice."""
        # CLOCK_MONOTONIC itself, not a count: it goes on from one process to the next in the same boot
        self._number = max(time.monotonic_ns(), self._number + 1)
        for day in sorted({day for day, _ in batch}):
            of_day = [key for key in batch if key[0] == day]
            count = self.count + sum(len(batch[key].values) for key in of_day)
            self._file(day).stage(boot, self._number, [(batch[key].layout, _part(batch[key])) for key in of_day], count)
            self.count = count
            self._unsettled.add(day)
            for key in of_day:
                del batch[key]

    def seal(self) -> list[tuple[int, Sealed, list[int]]]:
        """Seal every stage; what is owed to the log: (day, body of the record, the spans it settles)."""
        owed = []
        for day in sorted(self._unsettled):
            file = self._file(day)
            while file.seal():
                pass
            owed += [(day, sealed, spans) for sealed, spans in file.owed()]
        return owed

    def settle(self, day: int, spans: Sequence[int]) -> None:
        """The log has the digests of ``spans``."""
        file = self._file(day)
        file.settle(spans)
        if file.is_settled():
            self._unsettled.discard(day)
            if day != max(self._files):
                self._files.pop(day).close()

    def removable(self, before: int) -> list[int]:
        """The days older than ``before`` that owe nothing; never the newest, which carries the count."""
        return [day for day in days(self._directory)[:-1] if day < before and day not in self._unsettled]

    def remove(self, day: int) -> None:
        if day in self._files:
            self._files.pop(day).close()
        remove_files(day_path(self._directory, day))
        sync_directory(self._directory)

    def close(self) -> None:
        while self._files:
            self._files.popitem()[1].close()

    def _file(self, day: int) -> ReadingsFile:
        file = self._files.get(day)
        if file is None:
            file = self._files[day] = ReadingsFile(day_path(self._directory, day))
        return file

    def _look_at(self, day: int) -> None:
        """What an earlier file owes. One that cannot be read is put aside: it must not keep the line from starting."""
        path = day_path(self._directory, day)
        try:
            file = ReadingsFile(path)
            self.count = max(self.count, file.total())
            if not file.is_settled():
                self._unsettled.add(day)
            file.close()
        except (apsw.CorruptError, apsw.NotADBError):
            path.rename(path.with_suffix(".damaged"))
            self.quarantined.append(path.name)


def _part(pending: Pending) -> Part:
    return Part(
        layout=0,  # known when the file has numbered it
        times_us=pending.times_us.tobytes(),
        quality=pending.quality.tobytes(),
        values=pending.values.tobytes(),
    )
