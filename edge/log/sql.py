"""Reading rows. What a column holds is declared in the STRICT table it comes from; its type is the caller's to name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw


def fetch(connection: apsw.Connection, sql: str, bindings: Sequence[int | str | bytes] = ()) -> list[Any]:
    """Every row as a tuple; the statement is finished when this returns, so no read transaction stays open."""
    return connection.execute(sql, bindings).fetchall()


def value(connection: apsw.Connection, sql: str, bindings: Sequence[int | str | bytes] = ()) -> Any:
    """The first column of the first row, None where there is no row."""
    found = connection.execute(sql, bindings).fetchall()
    return found[0][0] if found else None
