"""What the pages need to know of the line. The station's program implements it; the pages hold no business.

A *document* is everything one station shows, as JSON values; every text is ``{"en": …, "zh": …}``::

    station, name, site, simulated, clock {offset, synchronised}
    state       no_operator | no_order | idle | collecting | done | blocked | storage_stop
    storage     {ok, say}                       config_note  text | null
    next        text: the one thing to do now
    verdict     null | {kind, level, code, title, say, value, at, age_s, seq}
                kind: accepted | refused | repeated | incomplete | cannot_know     level: ok | warn | stop | neutral
    unit        null | {id, material, material_name}
    order       null | {id, material, material_name, made, quantity}        exact decimals, as strings
    operator    null | {id, name}
    steps       [{name, say, done, now, detail}]
    loaded      [{position, material, lot, left, unit, expiry}]
    live        [{tag, label, value, unit, low, high, number, age_s, stale, ok}]
    devices     [{id, state, say}]               state: edge.model.DeviceState
    sync        [{destination, waiting, parked, gathered, state, say}]
    recent      [{at, level, text}]              newest first
    acts        [{act, say, hold}]               what a person may do here now, besides typing a code in
    generation  grows when the station's state was loaded anew

Instants are ISO 8601 with an offset or Z; ``age_s`` is the age when the document was made.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

Document = dict[str, Any]


class LineView(Protocol):
    """The line as its pages see it."""

    def stations(self) -> Sequence[str]:
        """The stations of this PC, in the order of the file."""

    def view(self, station: str) -> Document | None:
        """What the station shows now; None where there is no such station."""

    def changes(self, station: str) -> AsyncIterator[Document]:
        """A new document after each change; changes that pile up come as one. Cancelling the wait ends it."""

    async def act(self, station: str, act: str, fields: Mapping[str, str]) -> Document:
        """Do what a person asked on the page. Returns ``{"ok": bool, "say": {"en": …, "zh": …}}``."""
