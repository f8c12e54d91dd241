"""Which unsettled event holds which item: the order per item (design §8), kept in the courier's file.

"Does an earlier event about one of these items wait or stand parked?" costs one look-up per item, whatever waits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

import apsw

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS held(
    key TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (key, seq)
) STRICT, WITHOUT ROWID
"""


class Held:
    """A table in ``db``; writes belong to the caller's transaction."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        db.execute(_SCHEMA)

    def add(self, keys: Iterable[str], seq: int) -> None:
        """Event ``seq`` waits or is parked, and holds ``keys``."""
        self._db.executemany("INSERT OR IGNORE INTO held VALUES (?, ?)", [(key, seq) for key in keys])

    def remove(self, keys: Iterable[str], seq: int) -> None:
        """Event ``seq`` is settled."""
        self._db.executemany("DELETE FROM held WHERE key = ? AND seq = ?", [(key, seq) for key in keys])

    def is_behind(self, keys: Iterable[str], seq: int, offered: Collection[int] = ()) -> bool:
        """Does an event before ``seq``, other than those ``offered`` now, hold one of ``keys``?

        The nearest earlier one is enough: were it offered, everything before it would be offered or settled.
        """
        for key in keys:
            before = self._one("SELECT max(seq) FROM held WHERE key = ? AND seq < ?", key, seq)
            if before is not None and before not in offered:
                return True
        return False

    def followers(self, keys: Iterable[str], seq: int) -> Iterator[int]:
        """Per key, the next event after ``seq`` that holds it."""
        for key in keys:
            after = self._one("SELECT min(seq) FROM held WHERE key = ? AND seq > ?", key, seq)
            if after is not None:
                yield after

    def _one(self, sql: str, key: str, seq: int) -> int | None:
        row = self._db.execute(sql, (key, seq)).fetchone()
        return None if row is None else row[0]
