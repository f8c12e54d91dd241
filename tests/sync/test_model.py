"""Whatever a destination answers, in whatever order: order per item, one receipt per effect, and counters that add up."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.contracts import Accepted, Gathered, Rejected, Verdict
from edge.errors import SinkUnavailable
from edge.log import Log
from edge.model import Kind, Record
from sync.courier import Courier
from sync.keys import keys_of
from tests.sync.conftest import Bench, Stub, until
from tests.sync.events import StillClock, event, key_of

ITEMS = "ABC"
STEPS = st.sampled_from(["pending", "reject", "unavailable", "lost"])
EVENTS = st.lists(
    st.tuples(st.sets(st.sampled_from(ITEMS), min_size=1, max_size=2), st.lists(STEPS, max_size=3), st.booleans()),
    min_size=1,
    max_size=12,
)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=EVENTS, keeps_order=st.booleans(), restarts=st.integers(0, 2), split=st.integers(0, 12))
def test_any_answers_keep_order_effect_and_sum(
    plan: list[tuple[set[str], list[str], bool]], keeps_order: bool, restarts: int, split: int
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(_play(Path(directory), plan, keeps_order, restarts, split))


async def _play(
    directory: Path, plan: list[tuple[set[str], list[str], bool]], keeps_order: bool, restarts: int, split: int
) -> None:
    clock = StillClock()
    log = Log.open(directory, clock=clock, reserve_bytes=1, ballast_bytes=4096)
    bench = Bench(directory, log, clock)
    entries = [event(*sorted(items), order="WO-1") for items, _, _ in plan]
    steps = {key_of(entry): list(todo) for entry, (_, todo, _) in zip(entries, plan, strict=True)}
    collects = {key_of(entry): gathers for entry, (_, _, gathers) in zip(entries, plan, strict=True)}
    effects: Counter[str] = Counter()
    order: dict[str, list[int]] = {item: [] for item in ITEMS}
    stub = Stub(keeps_order=keeps_order)

    def answer(record: Record) -> Verdict | Exception | None:
        keys = keys_of(record.data)
        step = steps[keys.id].pop(0) if steps.get(keys.id) else "take"
        match step:
            case "pending":
                return None
            case "reject":
                return Rejected(reason="not now")
            case "unavailable":
                return SinkUnavailable("away")
            case _:
                pass
        if not effects[keys.id]:  # the destination knows the key: a second call has no second effect
            effects[keys.id] += 1
            for name in keys.items:
                order.setdefault(name[-1], []).append(record.seq)
        if step == "lost":
            return SinkUnavailable("the answer was lost")
        if b'"close"' in record.data:
            return Accepted(receipt="done", document="WO-1")
        return Gathered(document="WO-1") if collects[keys.id] else Accepted(receipt="ok")

    stub.answer = answer
    await log.append(entries[:split] or entries)
    total = log.counts[Kind.EVENT]
    for round_ in range(restarts + 1):
        async with bench.running(stub.make) as courier:
            await _mend(courier, total)
            _add_up(courier, log)
            if round_ == 0 and 0 < split < len(entries):
                await log.append(entries[split:])
                total = log.counts[Kind.EVENT]
                await _mend(courier, total)
            _add_up(courier, log)
    steps.clear()
    closing = event(("made", "PUMP", "1"), act="close", order="WO-1")
    await log.append([closing])
    async with bench.running(stub.make) as courier:
        await _mend(courier, total + 1)
        await until(lambda: courier.status().delivered == total + 1)
        _add_up(courier, log)
        assert courier._file._rows.oldest("waiting") is None
        assert list(courier._file._db.execute("SELECT * FROM held")) == []
        assert list(courier._file._db.execute("SELECT * FROM kept")) == []
    assert set(effects.values()) == {1}
    assert all(seqs == sorted(seqs) for seqs in order.values())
    assert bench.covered() == dict.fromkeys([*map(key_of, entries), key_of(closing)], 1)
    await log.close()


async def _mend(courier: Courier, total: int) -> None:
    """Retries what is parked until nothing waits."""

    async def step() -> bool:
        for parked in courier.parked():
            await courier.retry(parked.id)
        status = courier.status()
        return status.waiting == 0 and status.parked == 0

    for _ in range(5_000):
        if await step():
            return
        await asyncio.sleep(0.001)
    raise AssertionError(f"stuck: {courier.status()}")


def _add_up(courier: Courier, log: Log) -> None:
    status = courier.status()
    assert status.delivered + status.gathered + status.parked + status.waiting == log.counts[Kind.EVENT]
    rows = Counter(
        state for (state,) in courier._ask(lambda: courier._file._db.execute("SELECT state FROM kept").fetchall())
    )
    assert rows["gathered"] == status.gathered
    assert rows["parked"] == status.parked
