"""Whatever is cut off, and wherever: one effect in Tryton. Whatever Tryton answers: the right person is told."""

from __future__ import annotations

import asyncio
import socket

import pytest

from edge.contracts import Accepted
from edge.epcis import Role
from edge.errors import SinkFault, SinkUnavailable
from edge.simulate.tryton import TrytonSite
from sync.tryton.rest import Rest
from tests.sync.tryton.conftest import login, sink
from tests.sync.tryton.proxy import Cut, canned, proxy
from tests.sync.tryton.story import Kept, Line, lot
from tests.sync.tryton.test_tryton_order import moves, three_pumps

pytestmark = [pytest.mark.tryton, pytest.mark.timeout(300)]


async def was_cut(site: TrytonSite, line: Line, at: int, cut: Cut, **more: object) -> bool:
    """Offers ``line``, cut at request ``at``; then again as a new process would. False when it had fewer requests."""
    async with proxy(site.url) as between:
        between.at, between.cut = at, cut
        async with sink(site, Kept(), url=between.url, **more) as erp:
            try:
                await erp.deliver(line.records)
            except SinkUnavailable:
                pass
        reached = between.seen >= at
    async with sink(site, Kept(), **more) as erp:
        verdicts = await erp.deliver(line.records)
    assert isinstance(verdicts[-1], Accepted), verdicts[-1]
    return reached


@pytest.mark.parametrize("cut", Cut)
async def test_order_close_cut_at_any_request_has_one_effect(site: TrytonSite, rest: Rest, cut: Cut) -> None:
    first_order = {Cut.BEFORE: 1001, Cut.AFTER: 1041, Cut.ONCE: 1081}[cut]
    first_shaft = 1 + 3 * (first_order - 1001)
    at = 0
    going = True
    while going:
        at += 1
        order, shaft = f"WO-{first_order + at - 1}", first_shaft + 3 * (at - 1)
        line = Line()
        three_pumps(line, order, shaft)
        line.close(order, 3)
        going = await was_cut(site, line, at, cut)
        assert sum((await moves(rest, order, "inputs")).values()) == 5
        assert set(await moves(rest, order, "outputs")) == {("PUMP-100", f"SN{shaft + n}", 1.0) for n in range(3)}
        [production] = await rest.search("production", [["number", "=", order]], ["state"])
        assert production["state"] == "done"
        files = await rest.search("ir.attachment", [["resource", "=", f"production,{production['id']}"]], ["name"])
        assert len(files) == 1
        for number in range(shaft, shaft + 3):
            assert len(await rest.search("stock.lot", [["number", "=", f"SN{number}"]], ["number"])) == 1
    assert at > (20 if cut is Cut.BEFORE else 8)


@pytest.mark.parametrize("cut", [Cut.AFTER, Cut.ONCE])
async def test_receipt_cut_at_any_request_has_one_effect(site: TrytonSite, rest: Rest, cut: Cut) -> None:
    at = 0
    going = True
    while going:
        at += 1
        number = f"R-{cut.value}-{at}"
        line = Line()
        line.receive(lot(Role.RECEIVED, "BRG-6204", number, "5"), purchase="PO-1")
        going = await was_cut(site, line, at, cut)
        stored = await rest.search(
            "stock.move",
            [["lot.number", "=", number], ["state", "=", "done"], ["to_location.type", "=", "storage"]],
            ["quantity", "from_location.type"],
        )
        assert [row["quantity"] for row in stored if row["from_location"]["type"] == "supplier"] == [5.0]
        assert len(await rest.search("stock.lot", [["number", "=", number]], ["number"])) == 1
    assert at > 5


@pytest.mark.parametrize("cut", [Cut.AFTER, Cut.ONCE])
async def test_unplanned_receipt_cut_at_any_request_has_one_effect(site: TrytonSite, rest: Rest, cut: Cut) -> None:
    at = 0
    going = True
    while going:
        at += 1
        number = f"U-{cut.value}-{at}"
        line = Line()
        line.receive(lot(Role.RECEIVED, "PUMP-100", number, "1", supplier="SUP-1"))
        going = await was_cut(site, line, at, cut, **login())
        stored = await rest.search(
            "stock.move", [["lot.number", "=", number], ["from_location.type", "=", "supplier"]], ["quantity", "state"]
        )
        assert [(row["quantity"], row["state"]) for row in stored] == [(1.0, "done")]
    assert at > 5


def receipt() -> Line:
    line = Line()
    line.receive(lot(Role.RECEIVED, "BRG-6204", "F-1", "1"), purchase="PO-1")
    return line


async def test_wrong_key_needs_a_technician(site: TrytonSite) -> None:
    async with sink(site, Kept()) as erp:
        erp._secret = {"key": "0" * 128}.__getitem__
        with pytest.raises(SinkFault) as caught:
            await erp.deliver(receipt().records)
    assert str(caught.value) == (
        "Tryton does not accept the key. Make a REST application key for the edge's user in Tryton, validate it, "
        "set it as secret 'key', and press Try now."
    )


async def test_wrong_password_needs_a_technician(site: TrytonSite) -> None:
    line = Line()
    line.receive(lot(Role.RECEIVED, "PUMP-100", "F-2", "1", supplier="SUP-1"))
    async with sink(site, Kept(), **login()) as erp:
        erp._secret = {"key": site.access.key, "password": "guess"}.__getitem__
        with pytest.raises(SinkFault, match="Tryton does not accept user 'edge' with this password"):
            await erp.deliver(line.records)


async def test_wrong_database_needs_a_technician(site: TrytonSite) -> None:
    async with sink(site, Kept(), database="nowhere") as erp:
        with pytest.raises(SinkFault) as caught:
            await erp.deliver(receipt().records)
    assert caught.value.what == f"There is no REST interface for database 'nowhere' at {site.url[7:]}."


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"company": "Nobody"}, "Tryton shows the edge's user these companies: Lotline demo works."),
        ({"warehouse": "W9"}, "Tryton has these warehouses: WH."),
    ],
)
async def test_unknown_company_or_warehouse_is_told_with_the_names(
    site: TrytonSite, option: dict[str, str], words: str
) -> None:
    async with sink(site, Kept(), **option) as erp:
        with pytest.raises(SinkFault) as caught:
            await erp.deliver(receipt().records)
    assert caught.value.what == words


async def test_tryton_away_is_tried_again(site: TrytonSite) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        async with sink(site, Kept(), url=url) as erp:
            with pytest.raises(SinkUnavailable, match="cannot be reached"):
                await erp.deliver(receipt().records)


@pytest.mark.parametrize(
    ("answer", "words", "wait_s"),
    [
        (canned("500 Internal Server Error", "<h1>oops</h1>"), "Tryton answered 500: oops", None),
        (canned("503 Service Unavailable", "", "Retry-After: 7"), "Tryton answered 503:", 7.0),
        (canned("429 Too Many Requests", "slow down", "Retry-After: 30"), "Tryton answered 429: slow down", 30.0),
        (canned("200 OK", "<html><title>t</title>please log in</html>"), "but not as Tryton does: please log in", None),
        (b"\x16\x03\x01 not http\r\n\r\n", "cannot be reached", None),
    ],
)
async def test_a_server_in_trouble_is_tried_again(
    site: TrytonSite, answer: bytes, words: str, wait_s: float | None
) -> None:
    async with proxy(site.url) as between:
        between.canned = answer
        async with sink(site, Kept(), url=between.url) as erp:
            with pytest.raises(SinkUnavailable) as caught:
                await erp.deliver(receipt().records)
    assert words in str(caught.value)
    assert caught.value.wait_s == wait_s


async def test_silence_is_tried_again(site: TrytonSite) -> None:
    async with proxy(site.url) as between:
        between.silent = True
        async with sink(site, Kept(), url=between.url, timeout_s=0.3) as erp:
            with pytest.raises(SinkUnavailable) as caught:
                await erp.deliver(receipt().records)
    assert caught.value.what == "Tryton gave no answer within 0.3 s."


async def test_what_is_known_of_the_first_is_kept_when_tryton_goes_away(site: TrytonSite, rest: Rest) -> None:
    line = Line()
    for number in ("K-1", "K-2", "K-3"):
        line.receive(lot(Role.RECEIVED, "BRG-6204", number, "1"), purchase="PO-1")
    async with proxy(site.url) as between, sink(site, Kept(), url=between.url) as erp:
        await erp.deliver(receipt().records)
        between.at = between.seen + 15
        verdicts = await erp.deliver(line.records)
        assert isinstance(verdicts[0], Accepted)
        assert verdicts[-1] is None
        between.at = 0
        verdicts = await erp.deliver(line.records)
    assert all(isinstance(verdict, Accepted) for verdict in verdicts)


async def test_cancelling_a_delivery_releases_within_a_second(site: TrytonSite) -> None:
    async with proxy(site.url) as between:
        between.silent = True
        async with sink(site, Kept(), url=between.url) as erp:
            task = asyncio.create_task(erp.deliver(receipt().records))
            await asyncio.sleep(0.2)
            task.cancel()
            async with asyncio.timeout(1):
                await asyncio.gather(task, return_exceptions=True)
                await erp.aclose()
