"""The courier against a sink that answers what the test says, on the real log."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge.contracts import Accepted, Gathered, Rejected
from edge.errors import SinkFault, SinkUnavailable, StorageStop, TechnicianError
from edge.model import DeviceState, Kind
from sync.keys import keys_of
from tests.sync.conftest import HURRY, Bench, Stub, settled, until
from tests.sync.events import event, item, key_of, keys_of_all


async def test_every_event_is_delivered_once_in_log_order_with_one_receipt_per_batch(bench: Bench) -> None:
    events = [event(f"L{n}") for n in range(250)]
    await bench.log.append(events)
    stub = Stub()
    async with bench.running(stub.make) as courier:
        await until(settled(courier))
        status = courier.status()
    assert stub.effects == keys_of_all(events)
    assert (status.delivered, status.gathered, status.parked, status.waiting) == (250, 0, 0, 0)
    assert len(bench.receipts()) == len(stub.batches)
    assert bench.covered() == dict.fromkeys(keys_of_all(events), 1)
    assert bench.receipts()[0]["destination"] == "erp"
    assert bench.receipts()[0]["receipt"] == "ok"
    assert stub.closed == 1


async def test_only_events_are_delivered_and_receipts_never_are(bench: Bench) -> None:
    from edge.log import Provenance, entry

    scan = entry(Kind.SCAN, bench.clock.now(), "ST10", Provenance(), {"raw": "abc"})
    first, second = event("A"), event("B")
    await bench.log.append([scan, first, scan])
    stub = Stub()
    async with bench.running(stub.make) as courier:
        await until(settled(courier))
        await bench.log.append([scan, second])
        await until(lambda: courier.status().delivered == 2)
        await asyncio.sleep(0.02)
        assert courier.status().waiting == 0
    assert stub.effects == [key_of(first), key_of(second)]


async def test_nothing_is_offered_again_after_a_restart(bench: Bench) -> None:
    await bench.log.append([event("A"), event("B")])
    first, second = Stub(), Stub()
    async with bench.running(first.make) as courier:
        await until(settled(courier))
    async with bench.running(second.make) as courier:
        await bench.log.append([event("C")])
        await until(settled(courier))
        assert courier.status().delivered == 3
    assert len(second.effects) == 1


async def test_batches_are_halved_when_the_destination_fails_and_grow_again(bench: Bench) -> None:
    await bench.log.append([event(f"L{n}") for n in range(600)])
    stub = Stub()

    def refuse_large(batch: object) -> None:
        if len(batch) > 30 and len(stub.batches) < 6:  # type: ignore[arg-type]
            raise SinkUnavailable("too much")

    stub.before = refuse_large
    async with bench.running(stub.make) as courier:
        await until(settled(courier))
    sizes = [len(batch) for batch in stub.batches]
    assert sizes[:3] == [100, 50, 25]
    assert max(sizes[3:]) > 100
    assert len(stub.effects) == 600


async def test_a_wish_to_wait_is_honoured(bench: Bench) -> None:
    await bench.log.append([event("A")])
    stub = Stub()
    answers = iter([SinkUnavailable("busy", wait_s=0.2)])
    stub.answer = lambda record: next(answers, Accepted(receipt="ok"))
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with bench.running(stub.make) as courier:
        await until(lambda: courier.status().state is DeviceState.WAITING)
        assert courier.status().say.en == "erp does not take records: busy · 1 waiting, oldest 0 s"
        await until(settled(courier))
    assert loop.time() - began >= 0.2


async def test_a_destination_that_never_answers_meets_the_deadline(bench: Bench) -> None:
    await bench.log.append([event("A")])

    class Silent(Stub):
        async def deliver(self, batch: object) -> list[None]:
            await asyncio.sleep(3600)
            return []

    async with bench.running(Silent().make, replace(HURRY, deadline_s=0.01)) as courier:
        await until(lambda: courier.status().state is DeviceState.WAITING)
        say = courier.status().say
    assert say.en == "erp does not take records: No answer within 0.01 s. · 1 waiting, oldest 0 s"
    assert say.zh == "erp 暂不接收：0.01 秒内没有应答。 · 1 条待发送，最早 0 秒前"


async def test_a_refused_event_is_parked_with_the_words_and_the_rest_flows_but_for_its_items(bench: Bench) -> None:
    poison, behind, free = event("BAD"), event("BAD", "GOOD"), event("GOOD2")
    after = event("GOOD")  # waits for ``behind``, which waits for the poison
    await bench.log.append([poison, behind, free, after])
    stub = Stub()
    stub.answer = lambda record: (
        Rejected(reason="lot BAD is not known here")
        if keys_of(record.data).id == key_of(poison)
        else Accepted(receipt="ok")
    )
    async with bench.running(stub.make) as courier:
        await until(lambda: courier.status().delivered == 1 and courier.status().parked == 1)
        status, parked = courier.status(), courier.parked()
        assert stub.effects == [key_of(free)]
        assert (status.delivered, status.parked, status.waiting) == (1, 1, 2)
        assert status.say.en.endswith("1 parked, erp said “lot BAD is not known here” (lotline sync parked)")
        assert parked[0].id == key_of(poison)
        assert parked[0].reason == "lot BAD is not known here"
        assert parked[0].items == (item("BAD"),)
        assert courier.export(key_of(poison)) == poison.data

        stub.answer = lambda record: Accepted(receipt="ok")
        await courier.retry(key_of(poison).removeprefix("urn:uuid:"))
        await until(settled(courier))
        assert courier.parked() == []
        assert (courier.status().delivered, courier.status().parked) == (4, 0)
    assert stub.effects == keys_of_all([free, poison, behind, after])


async def test_a_long_queue_behind_a_parked_event_flows_in_batches_when_it_is_mended(bench: Bench) -> None:
    poison, rest = event("L"), [event("L", f"S{n}") for n in range(300)]
    await bench.log.append([poison, *rest])
    stub = Stub(keeps_order=True)
    stub.answer = lambda record: (
        Rejected(reason="no") if keys_of(record.data).id == key_of(poison) else Accepted(receipt="ok")
    )
    async with bench.running(stub.make) as courier:
        await until(lambda: courier.status().parked == 1)
        await until(lambda: courier._file.tally.waiting == 300)
        assert courier.status().waiting == 300
        offers = len(stub.batches)
        stub.answer = lambda record: Accepted(receipt="ok")
        await courier.retry(key_of(poison))
        await until(settled(courier))
    assert stub.effects == keys_of_all([poison, *rest])
    assert len(stub.batches) - offers < 20


async def test_closing_an_order_waits_for_every_event_of_the_order(bench: Bench) -> None:
    made, closing = event("S1", order="WO-1"), event(("made", "PUMP", "1"), act="close", order="WO-1")
    other = event(("made", "PUMP2", "1"), act="close", order="WO-2")
    await bench.log.append([made, closing, other])
    stub = Stub()
    stub.answer = lambda record: (
        Rejected(reason="no") if key_of(made).encode() in record.data else Accepted(receipt="ok")
    )
    async with bench.running(stub.make) as courier:
        await until(lambda: courier.status().delivered == 1)
        assert stub.effects == [key_of(other)]
        stub.answer = lambda record: Accepted(receipt="ok")
        await courier.retry(key_of(made))
        await until(settled(courier))
    assert stub.effects == keys_of_all([other, made, closing])


async def test_gathered_events_block_nothing_and_are_settled_with_their_document(bench: Bench) -> None:
    first = [event("L", f"S{n}", order="WO-1") for n in range(5)]
    closing = event(("made", "P", "5"), act="close", order="WO-1")
    later = event("L", order="WO-2")
    await bench.log.append([*first, later])
    stub = Stub()

    def answer(record: object) -> Gathered | Accepted:
        body = json.loads(record.data)  # type: ignore[attr-defined]
        order = body["lotline:workOrder"]["id"]
        if body["lotline:act"] == "close":
            return Accepted(receipt="production/7", document=order)
        return Gathered(document=order)

    stub.answer = answer  # type: ignore[assignment]
    async with bench.running(stub.make) as courier:
        await until(lambda: courier.status().gathered == 6)
        assert courier.status().waiting == 0
        assert courier.status().say.en == "nothing waiting · 6 collected for order close"
        assert stub.shelf is not None
        records = await asyncio.to_thread(stub.shelf.gathered, "WO-1")
        assert [record.data for record in records] == [entry.data for entry in first]
        await bench.log.append([closing])
        await until(lambda: courier.status().gathered == 1)
        assert courier.status().delivered == 6
    receipts = bench.receipts()
    assert len(receipts) == 1
    assert receipts[0]["document"] == "WO-1"
    assert receipts[0]["receipt"] == "production/7"
    assert receipts[0]["records"] == keys_of_all([*first, closing])


async def test_an_order_gathered_and_closed_in_one_batch_has_one_receipt(bench: Bench) -> None:
    made, closing = event("S1", order="WO-1"), event(("made", "P", "1"), act="close", order="WO-1")
    await bench.log.append([made, closing])
    stub = Stub(keeps_order=True)
    stub.answer = lambda record: (
        Accepted(receipt="production/1", document="WO-1") if b'"close"' in record.data else Gathered(document="WO-1")
    )
    async with bench.running(stub.make) as courier:
        await until(lambda: courier.status().delivered == 2)
        assert courier.status().gathered == 0
    assert [receipt["records"] for receipt in bench.receipts()] == [keys_of_all([made, closing])]


async def test_no_verdict_means_offered_again_while_others_pass(bench: Bench) -> None:
    slow, fast = event("A"), [event(f"B{n}") for n in range(3)]
    await bench.log.append([slow, *fast])
    stub = Stub()
    stub.answer = lambda record: (
        None if key_of(slow).encode() in record.data and stub.offered[key_of(slow)] < 4 else Accepted(receipt="ok")
    )
    async with bench.running(stub.make) as courier:
        await until(settled(courier))
    assert stub.offered[key_of(slow)] == 4
    assert stub.effects == keys_of_all([*fast, slow])


async def test_an_event_that_only_fails_is_set_aside_and_parked_while_the_others_pass(bench: Bench) -> None:
    before, poison, after = event("A"), event("POISON"), [event(f"B{n}") for n in range(20)]
    await bench.log.append([before, poison, *after])
    stub = Stub()
    stub.answer = lambda record: (
        SinkUnavailable("HTTP 500 division by zero")
        if key_of(poison).encode() in record.data
        else Accepted(receipt="ok")
    )
    async with bench.running(stub.make) as courier:
        await until(lambda: courier.status().delivered == 21)
        for n in range(40):  # it is only blamed while others pass
            if courier.status().parked:
                break
            await bench.log.append([event(f"C{n}")])
            await until(lambda: courier.status().waiting <= 1)
            await asyncio.sleep(0.02)
        assert [parked.reason for parked in courier.parked()] == ["HTTP 500 division by zero"]


async def test_a_destination_that_is_down_sets_nothing_but_one_event_aside(bench: Bench) -> None:
    events = [event(f"L{n}") for n in range(50)]
    await bench.log.append(events)
    stub = Stub()
    stub.answer = lambda record: SinkUnavailable("down")
    async with bench.running(stub.make) as courier:
        await until(lambda: len(stub.batches) > 60)
        assert courier._file.tally.waiting == 1
        assert courier.status().waiting == 50
        stub.answer = lambda record: Accepted(receipt="ok")
        await until(settled(courier))
        assert courier.status().parked == 0
    assert sorted(stub.effects) == sorted(keys_of_all(events))


async def test_a_fault_waits_for_a_person_and_is_shown(bench: Bench) -> None:
    await bench.log.append([event("A")])
    stub = Stub()
    stub.answer = lambda record: SinkFault("The key is not accepted.", "Set the right key.")
    async with bench.running(stub.make, replace(HURRY, fault_s=3600)) as courier:
        await until(lambda: courier.status().state is DeviceState.FAULT)
        await asyncio.sleep(0.05)
        assert len(stub.batches) == 1
        assert courier.status().say.en.startswith("erp needs a person: The key is not accepted. Set the right key. · ")
        stub.answer = lambda record: Accepted(receipt="ok")
        courier.try_now()
        await until(settled(courier))
        assert courier.status().state is DeviceState.ONLINE


async def test_failing_and_recovering_is_logged_once_each(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sync.courier")
    await bench.log.append([event("A")])
    stub = Stub()
    answers = iter([SinkUnavailable("down")] * 4)
    stub.answer = lambda record: next(answers, Accepted(receipt="ok"))
    async with bench.running(stub.make) as courier:
        await until(settled(courier))
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert lines[0].startswith("erp: down (waiting, next try in ")
    assert lines[1] == "erp goes on after 4 failures"


async def test_a_destination_that_breaks_the_order_is_no_longer_trusted(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = event("L"), event("L")
    await bench.log.append([first, second])
    stub = Stub(keeps_order=True)
    answers = iter([None, Accepted(receipt="ok")])

    async def wrong(batch: object) -> list[object]:
        return [next(answers, Accepted(receipt="ok")) for _ in batch]  # type: ignore[attr-defined]

    stub.deliver = wrong  # type: ignore[assignment,method-assign]
    async with bench.running(stub.make) as courier:
        await until(settled(courier))
        assert courier._trusted is False
    assert "earlier one about the same item was not taken" in caplog.text


async def test_without_the_promise_no_batch_holds_two_events_about_one_item(bench: Bench) -> None:
    events = [event("L", f"S{n}") for n in range(12)]
    await bench.log.append(events)
    stub = Stub()
    async with bench.running(stub.make) as courier:
        await until(settled(courier))
    assert [len(batch) for batch in stub.batches] == [1] * 12


async def test_a_crash_between_receipt_and_cursor_offers_nothing_twice(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [event(f"L{n}") for n in range(40)]
    await bench.log.append(events)
    stub = Stub()
    stub.answer = lambda record: None if key_of(events[1]).encode() in record.data else Accepted(receipt="ok")
    courier = bench.courier(stub.make)

    class Killed(BaseException):
        pass

    def die(*args: object, **kwargs: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(courier._file, "settle", die)
        with pytest.raises(Killed):
            await courier.run()
    courier.close()
    assert sum(bench.covered().values()) == 39

    more = [event(f"M{n}") for n in range(5)]
    await bench.log.append(more)
    again = Stub()
    async with bench.running(again.make, replace(HURRY, first=3)) as courier:  # batches smaller than what lies ahead
        await until(settled(courier))
        assert courier.status().delivered == 45
    assert again.effects == keys_of_all([events[1], *more])
    assert bench.covered() == dict.fromkeys(keys_of_all([*events, *more]), 1)


async def test_a_bug_in_a_sink_ends_run_and_the_next_run_goes_on(bench: Bench) -> None:
    await bench.log.append([event("A")])
    stub = Stub()
    stub.answer = lambda record: KeyError("a bug")
    courier = bench.courier(stub.make)
    with pytest.raises(KeyError, match="a bug"):
        await courier.run()
    assert courier.status().state is DeviceState.STOPPED
    stub.answer = lambda record: Accepted(receipt="ok")
    task = asyncio.create_task(courier.run())
    await until(settled(courier))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    courier.close()


async def test_unknown_ids_are_answered_with_what_to_do(bench: Bench) -> None:
    courier = bench.courier(Stub().make)
    with pytest.raises(TechnicianError) as told:
        await courier.retry("0199")
    assert str(told.value) == "No parked record has the id '0199'. `lotline sync parked` lists them."
    with pytest.raises(TechnicianError):
        courier.export("0199")
    courier.close()


async def test_a_file_of_another_log_delivers_nothing_and_says_so(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from edge.log import Log

    await bench.log.append([event("A")])
    async with bench.running(Stub().make) as courier:
        await until(settled(courier))
    elsewhere: Path = tmp_path_factory.mktemp("other")
    (elsewhere / "sync").mkdir()
    (elsewhere / "sync" / "erp.db").write_bytes((bench.directory / "sync" / "erp.db").read_bytes())
    other = Log.open(elsewhere, clock=bench.clock, reserve_bytes=1, ballast_bytes=4096)
    try:
        await other.append([event("B")])
        stub = Stub()
        async with Bench(elsewhere, other, bench.clock).running(stub.make) as courier:
            await until(lambda: courier.status().state is DeviceState.FAULT)
            said = courier.status().say.en
        assert said.startswith(
            f"delivery to erp rests: erp.db belongs to log {bench.log.origin}, not to {other.origin}. Move"
        )
        assert stub.batches == []
    finally:
        await other.close()


async def test_the_floor_follows_the_oldest_event_that_is_still_needed(bench: Bench) -> None:
    gathered, rest = event("A", order="WO-1"), [event(f"B{n}") for n in range(5)]
    await bench.log.append([event("Z")])
    ((first,), _) = await bench.log.append([gathered]), await bench.log.append(rest)
    stub = Stub()
    stub.answer = lambda record: Gathered(document="WO-1") if b"WO-1" in record.data else Accepted(receipt="ok")
    async with bench.running(stub.make) as courier:
        await until(settled(courier))
        await until(lambda: courier._file.floor == first - 1)
        stub.answer = lambda record: Accepted(receipt="done", document="WO-1")
        await bench.log.append([event("C", act="close", order="WO-1")])
        await until(lambda: courier.status().gathered == 0)
        await until(lambda: courier._file.floor == bench.log.head)


async def test_status_tells_age_by_the_monotonic_clock(bench: Bench) -> None:
    await bench.log.append([event("A")])
    stub = Stub()
    stub.answer = lambda record: SinkUnavailable("down")
    async with bench.running(stub.make) as courier:
        await until(lambda: courier.status().state is DeviceState.WAITING)
        bench.clock.at_s = 432.0
        assert courier.status().oldest_s == 432.0
        assert courier.status().say.en == "erp does not take records: down · 1 waiting, oldest 7 min"


async def test_what_got_no_verdict_at_the_end_of_a_batch_stays_beyond_the_cursor(bench: Bench) -> None:
    events = [event(f"L{n}") for n in range(20)]
    await bench.log.append(events)
    stub = Stub()
    stub.answer = lambda record: Accepted(receipt="ok") if len(stub.batches) > 1 or record.seq <= 5 else None
    kept: list[int] = []
    async with bench.running(stub.make) as courier:
        stub.before = lambda batch: kept.append(courier._file.tally.waiting)
        await until(settled(courier))
    assert kept == [0, 0]
    assert stub.effects == keys_of_all(events)


async def test_a_full_disk_holds_the_settlement_until_there_is_room(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [event(f"L{n}") for n in range(10)]
    await bench.log.append(events)
    stub = Stub()
    async with bench.running(stub.make) as courier:
        really_append, really_settle = bench.log.append, courier._file.settle
        refusals = iter(["cursor"] * 3)

        def append(*args: object, **kwargs: object) -> asyncio.Future[tuple[int, ...]]:
            if next(left, "") != "receipt":
                return really_append(*args, **kwargs)  # type: ignore[arg-type]
            future: asyncio.Future[tuple[int, ...]] = asyncio.get_running_loop().create_future()
            future.set_exception(StorageStop("The disk is full.", "Make room."))
            return future

        def settle(*args: object, **kwargs: object) -> None:
            if next(refusals, ""):
                raise StorageStop("The disk is full.", "Make room.")
            really_settle(*args, **kwargs)  # type: ignore[arg-type]

        left = iter(["receipt", "receipt", "receipt"])
        monkeypatch.setattr(bench.log, "append", append)
        monkeypatch.setattr(courier._file, "settle", settle)
        said: set[str] = set()
        await until(lambda: said.add(courier.status().say.en) or courier.status().waiting == 0)
        await until(lambda: courier.status().state is DeviceState.ONLINE)
    assert "delivery to erp rests: The disk is full. Make room. · 10 waiting, oldest 0 s" in said
    assert len(stub.batches) == 1
    assert bench.covered() == dict.fromkeys(keys_of_all(events), 1)


async def test_a_parked_event_outlives_its_segment(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    poison = event("A", note="poison")
    await bench.log.append([poison])
    stub = Stub()
    stub.answer = lambda record: Rejected(reason="no")
    async with bench.running(stub.make) as courier:
        await until(lambda: courier.status().parked == 1)
        monkeypatch.setattr(courier._file._reader, "get", lambda seq: None)
        assert courier.export(key_of(poison)) == poison.data
        assert courier._file.floor == 1
        stub.answer = lambda record: Gathered(document="WO-1") if record.data == poison.data else Accepted(receipt="ok")
        await courier.retry(key_of(poison))
        await until(lambda: courier.status().gathered == 1)
        assert stub.shelf is not None
        records = await asyncio.to_thread(stub.shelf.gathered, "WO-1")
        assert [record.data for record in records] == [poison.data]


async def test_a_destination_that_comes_late_does_not_count_what_was_deleted_before(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [event(f"L{n}") for n in range(6)]
    await bench.log.append(events)
    stub = Stub()
    courier = bench.courier(stub.make)
    really = courier._file._reader.read
    monkeypatch.setattr(courier._file._reader, "read", lambda after, limit, kind: really(max(after, 4), limit, kind))
    task = asyncio.create_task(courier.run())
    await until(settled(courier))
    status = courier.status()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    courier.close()
    assert stub.effects == keys_of_all(events[4:])
    assert (status.delivered, status.waiting) == (2, 0)


async def test_stopping_releases_everything_within_a_second(bench: Bench) -> None:
    await bench.log.append([event("A")])

    class Silent(Stub):
        async def deliver(self, batch: object) -> list[None]:
            await asyncio.sleep(3600)
            return []

    sink = Silent()
    courier = bench.courier(sink.make)
    task = asyncio.create_task(courier.run())
    await asyncio.sleep(0.05)
    task.cancel()
    async with asyncio.timeout(1):
        await asyncio.gather(task, return_exceptions=True)
    assert sink.closed == 1
    assert courier.status().state is DeviceState.STOPPED
    courier.close()


async def test_a_full_file_of_its_own_loses_nothing(bench: Bench) -> None:
    events = [event(f"L{n}", note="x" * 3000) for n in range(100)]
    await bench.log.append(events)
    stub = Stub()
    stub.answer = lambda record: Rejected(reason="no")
    async with bench.running(stub.make) as courier:
        courier._ask(lambda: courier._file._db.execute("PRAGMA max_page_count = 30").fetchall())
        await until(lambda: courier.status().state is DeviceState.WAITING)
        assert courier.status().say.en == (
            "delivery to erp rests: erp.db: database or disk is full. Make room on the disk. · 100 waiting, oldest 0 s"
        )
        courier._ask(lambda: courier._file._db.execute("PRAGMA max_page_count = 1000000").fetchall())
        await until(lambda: courier.status().parked == 100)
        assert [courier.export(key_of(entry)) for entry in events] == [entry.data for entry in events]
    assert len(stub.batches) == 1


async def test_a_damaged_file_says_what_to_do(bench: Bench) -> None:
    path = bench.directory / "sync" / "erp.db"
    path.parent.mkdir()
    path.write_bytes(b"this was a database once " * 400)
    with pytest.raises(TechnicianError, match=r"erp\.db is damaged \(.*\)\. Move it away and start again"):
        bench.courier(Stub().make)
