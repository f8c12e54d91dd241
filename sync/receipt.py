"""Receipts: what the destination answered, as records of the log, and what each of them covers.

One record of kind ``receipt`` per delivered batch and one per completed document; never delivered itself::

    {"destination": "erp", "document": "", "receipt": "what the destination said", "records": [delivery keys]}

When the events of a batch got different receipts, ``receipt`` is "" and ``receipts`` stands parallel to ``records``.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from edge.contracts import Accepted, Gathered, Verdict
from sync.offer import Offered


class Settlement(Struct, frozen=True, kw_only=True):
    """What the receipts of one batch cover; kept in the log's state, written in the transaction of the receipts."""

    number: int
    seqs: tuple[int, ...]
    documents: tuple[str, ...]

    def note(self) -> bytes:
        """As stored."""
        return msgspec.json.encode(self)

    @classmethod
    def of(cls, note: bytes) -> Settlement:
        """As read back."""
        return msgspec.json.decode(note, type=cls)


def covered(verdicts: Sequence[Verdict | None]) -> dict[str, list[int]]:
    """Per document ("" for none) the places in the batch that its receipt covers, in order.

    An event gathered in the same batch before its document was completed is covered by it.
    """
    places: dict[str, list[int]] = {}
    collected: dict[str, list[int]] = {}
    for place, verdict in enumerate(verdicts):
        match verdict:
            case Gathered(document=document):
                collected.setdefault(document, []).append(place)
            case Accepted(document=document):
                before = collected.pop(document, []) if document else []
                places.setdefault(document, []).extend((*before, place))
            case _:
                pass
    return places


def body(
    destination: str,
    document: str,
    before: Sequence[str],
    events: Sequence[Offered],
    verdicts: Sequence[Verdict | None],
    places: Sequence[int],
) -> dict[str, object]:
    """The body of one receipt; ``before`` are the keys gathered for the document by earlier batches."""
    records = [*before, *(events[place].id for place in places)]
    said = [verdict.receipt for place in places if isinstance(verdict := verdicts[place], Accepted)]
    common: dict[str, object] = {"destination": destination, "document": document, "records": records}
    if document or len(set(said)) == 1:
        return {**common, "receipt": said[-1]}
    return {**common, "receipt": "", "receipts": said}
