"""How a courier stands, in numbers and in words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from edge.model import DeviceState, Moment
from edge.wording import Words
from edge.wording.sync import COURIER, age
from sync.keys import age_s
from sync.offer import Tally

REASON_SHOWN: Final = 80  # characters of a refusal on the page


class CourierStatus(Struct, frozen=True, kw_only=True):
    """delivered + gathered + parked + waiting = every event of the log."""

    destination: str
    state: DeviceState
    waiting: int
    oldest_s: float | None
    gathered: int
    delivered: int
    parked: int
    last_receipt_at: datetime | None
    say: Words


def describe(
    name: str,
    state: DeviceState,
    trouble: Words,
    *,
    ours: bool,
    tally: Tally,
    total: int,
    oldest: bytes | None,
    reason: str,
    now: Moment,
) -> CourierStatus:
    """``ours``: the trouble is this PC's. ``total``: the events of the log. ``oldest``: the oldest unsettled one, as stored.

    ``reason``: why the newest parked one is parked.
    """
    waiting = max(0, total - (tally.absent or 0) - tally.delivered - tally.gathered - tally.parked)
    oldest_s = age_s(oldest, now) if waiting and oldest is not None else None
    receipt_at = datetime.fromisoformat(tally.receipt_at) if tally.receipt_at else None
    said: list[Words] = []
    if state in _STATE:
        said.append((COURIER["rests"] if ours else _STATE[state]).fill({"destination": name, "what": trouble}))
    if waiting:
        said.append(COURIER["waiting"].fill({"count": waiting, "age": age(oldest_s or 0.0)}))
    elif not said:
        said.append(COURIER["nothing_waits"])
    if tally.gathered:
        said.append(COURIER["gathered"].fill({"count": tally.gathered}))
    if receipt_at is not None:
        local = receipt_at + timedelta(seconds=now.offset_s)
        said.append(COURIER["last_receipt"].fill({"time": f"{local:%H:%M:%S}"}))
    if tally.parked:
        short = reason if len(reason) <= REASON_SHOWN else reason[: REASON_SHOWN - 1] + "…"
        said.append(COURIER["parked"].fill({"count": tally.parked, "destination": name, "reason": short}))
    return CourierStatus(
        destination=name,
        state=state,
        waiting=waiting,
        oldest_s=oldest_s,
        gathered=tally.gathered,
        delivered=tally.delivered,
        parked=tally.parked,
        last_receipt_at=receipt_at,
        say=Words(" · ".join(words.en for words in said), " · ".join(words.zh for words in said)),
    )


_STATE: Final = {
    DeviceState.CONNECTING: COURIER["connecting"],
    DeviceState.WAITING: COURIER["unavailable"],
    DeviceState.FAULT: COURIER["fault"],
    DeviceState.STOPPED: COURIER["stopped"],
}
