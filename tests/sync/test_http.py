"""The HTTP destination against the ERP simulator, each misbehaviour by itself."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Sequence

import pytest
import zstandard
from aiohttp import web
from pydantic import ValidationError

from edge.config.secrets import Mark
from edge.contracts import Accepted, Rejected, Shelf, Sink
from edge.errors import SecretMissing, SinkFault, SinkUnavailable
from edge.log import leaf_hash
from edge.model import DeviceState, Entry, Kind, Record
from edge.simulate.erp import ErpSimulator, Fault
from sync.http import Options, build, signature
from tests.sync.conftest import HURRY, Bench, settled, until
from tests.sync.events import event, key_of, keys_of_all

CANARY = "canary-7f3a9c"


class NoShelf:
    def gathered(self, document: str) -> Sequence[Record]:
        return ()


def no_secret(name: str) -> str:
    raise SecretMissing(f"no {name}")


def sink_for(url: str, secret: Callable[[str], str] = no_secret, **options: object) -> Sink:
    return build("erp", Options.model_validate({"url": url, **options}), NoShelf(), secret)


def records(entries: Sequence[Entry]) -> list[Record]:
    return [
        Record(origin="o" * 36, seq=n, kind=Kind.EVENT, leaf=leaf_hash(entry.data), data=entry.data)
        for n, entry in enumerate(entries, 1)
    ]


class Server:
    """Answers every POST with what the test says, and remembers the requests."""

    def __init__(self, answer: Callable[[web.Request, bytes], Awaitable[web.Response]]) -> None:
        self._answer = answer
        self.requests: list[tuple[dict[str, str], bytes]] = []

    async def __aenter__(self) -> str:
        app = web.Application(client_max_size=64 << 20)
        app.add_routes([web.post("/", self._take)])
        self._runner = web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/"

    async def __aexit__(self, *args: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests.append((dict(request.headers), body))
        return await self._answer(request, body)


def always(status: int, text: str = "", **headers: str) -> Server:
    async def answer(request: web.Request, body: bytes) -> web.Response:
        return web.Response(status=status, text=text, headers=headers)

    return Server(answer)


def line_by_line(judge: Callable[[str], bool], status: int = 422) -> Server:
    """A server that refuses a whole request when one of its lines is bad."""

    async def answer(request: web.Request, body: bytes) -> web.Response:
        lines = body.splitlines()
        if any(not judge(line.decode()) for line in lines):
            return web.json_response({"message": "lot BAD is not known"}, status=status)
        return web.json_response(
            {"results": [{"id": json.loads(line)["eventID"], "status": "accepted", "receipt": "ok"} for line in lines]}
        )

    return Server(answer)


@pytest.mark.parametrize(
    ("compress", "plain"),
    [
        ("zstd", lambda body: zstandard.ZstdDecompressor().decompress(body, max_output_size=1 << 20)),
        ("gzip", gzip.decompress),
        ("identity", lambda body: body),
    ],
)
async def test_a_batch_is_the_stored_bytes_line_by_line(compress: str, plain: Callable[[bytes], bytes]) -> None:
    entries = [event("A"), event("B")]
    server = always(200, json.dumps({"results": [{"id": key, "status": "accepted"} for key in keys_of_all(entries)]}))
    async with server as url:
        sink = sink_for(url, compress=compress)
        await sink.deliver(records(entries))
        await sink.aclose()
    headers, body = server.requests[0]
    assert plain(body) == b"".join(entry.data + b"\n" for entry in entries)
    assert headers["Content-Type"] == "application/x-ndjson"
    assert headers.get("Content-Encoding", "identity") == compress
    wanted = hashlib.sha256("".join(f"{key}\n" for key in keys_of_all(entries)).encode()).hexdigest()
    assert headers["Idempotency-Key"] == wanted


async def test_every_status_becomes_its_verdict_in_any_order() -> None:
    from edge.contracts import Gathered

    entries = [event(name) for name in "ABCD"]
    a, b, c, d = keys_of_all(entries)
    results = [
        {"id": d, "status": "pending"},
        {"id": b, "status": "gathered", "document": "WO-1"},
        {"id": a, "status": "accepted", "receipt": "IN/1", "document": "WO-0"},
        {"id": c, "status": "rejected", "reason": "unknown lot"},
    ]
    async with always(200, json.dumps({"results": results})) as url:
        sink = sink_for(url)
        verdicts = await sink.deliver(records(entries))
        await sink.aclose()
    assert verdicts == [
        Accepted(receipt="IN/1", document="WO-0"),
        Gathered(document="WO-1"),
        Rejected(reason="unknown lot"),
        None,
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"error": "UserError: period closed"}', "UserError: period closed"),
        ("<html><h1>Please  log in</h1></html>", "Please log in"),
        ('{"results": []}', '{"results": []}'),
        ('{"results": [{"id": "urn:uuid:other", "status": "accepted"}]}', '"urn:uuid:other"'),
        ("", ""),
        ("[1, 2]", "[1, 2]"),
    ],
)
async def test_200_that_does_not_name_every_record_means_nothing_is_known(body: str, words: str) -> None:
    async with always(200, body) as url:
        sink = sink_for(url)
        with pytest.raises(SinkUnavailable) as told:
            await sink.deliver(records([event("A")]))
        await sink.aclose()
    assert "answered 200, but did not say what became of the records: " in told.value.what
    assert words in told.value.what


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_is_not_accepted_is_a_fault(status: int) -> None:
    async with always(status, '{"message": "who are you?"}') as url:
        sink = sink_for(url)
        with pytest.raises(
            SinkFault, match=rf"does not accept the key \(HTTP {status}\): who are you\? Set the right key"
        ):
            await sink.deliver(records([event("A")]))
        await sink.aclose()


@pytest.mark.parametrize("status", [301, 302, 404, 405, 410, 415])
async def test_a_wrong_address_is_a_fault(status: int) -> None:
    async with always(status, "nothing here", Location="http://127.0.0.1:9/") as url:
        sink = sink_for(url)
        with pytest.raises(SinkFault, match=rf"at this address \(HTTP {status}\): nothing here Check url in the file"):
            await sink.deliver(records([event("A")]))
        await sink.aclose()


@pytest.mark.parametrize(
    ("after", "wait_s"), [("7", 7.0), ("Sun, 22 Nov 2020 03:42:07 GMT", 0.0), ("soon", None), ("", None)]
)
@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_passed_on(status: int, after: str, wait_s: float | None) -> None:
    async with always(status, "busy", **({"Retry-After": after} if after else {})) as url:
        sink = sink_for(url)
        with pytest.raises(SinkUnavailable) as told:
            await sink.deliver(records([event("A")]))
        await sink.aclose()
    assert told.value.wait_s == wait_s
    assert told.value.what.endswith(f"answered {status}: busy")


async def test_nobody_listening_means_try_again() -> None:
    async with always(200) as url:
        pass
    sink = sink_for(url)
    with pytest.raises(SinkUnavailable, match="cannot be reached"):
        await sink.deliver(records([event("A")]))
    await sink.aclose()


async def test_an_answer_that_takes_too_long_means_try_again() -> None:
    async def never(request: web.Request, body: bytes) -> web.Response:
        await asyncio.sleep(3600)
        return web.Response()

    async with Server(never) as url:
        sink = sink_for(url, timeout_s=0.05)
        with pytest.raises(SinkUnavailable, match=r"No answer within 0.05 s\."):
            await sink.deliver(records([event("A")]))
        await sink.aclose()


async def test_the_culprit_of_a_refused_batch_is_found() -> None:
    entries = [event(f"L{n}") for n in range(7)]
    entries.insert(3, event("BAD"))
    async with line_by_line(lambda line: "BAD" not in line) as url:
        sink = sink_for(url, compress="identity")
        verdicts = await sink.deliver(records(entries))
        await sink.aclose()
    assert verdicts[3] == Rejected(reason="lot BAD is not known")
    assert [verdict for n, verdict in enumerate(verdicts) if n != 3] == [Accepted(receipt="ok")] * 7


async def test_while_the_culprit_is_looked_for_what_shares_its_items_is_held_back() -> None:
    entries = [event("X"), event("BAD"), event("BAD2", "BAD"), event("BAD2"), event("Y")]
    server = line_by_line(lambda line: '"lot":"BAD"' not in line)
    async with server as url:
        sink = sink_for(url, compress="identity")
        verdicts = await sink.deliver(records(entries))
        await sink.aclose()
    assert verdicts == [
        Accepted(receipt="ok"),
        Rejected(reason="lot BAD is not known"),
        None,
        None,
        Accepted(receipt="ok"),
    ]
    alone = [body.decode() for _, body in server.requests if body.count(b"\n") == 1]
    assert not any('"lot":"BAD2"' in body for body in alone)


async def test_a_server_that_refuses_everything_is_a_fault_and_parks_nothing() -> None:
    async with always(400, "malformed") as url:
        sink = sink_for(url)
        with pytest.raises(SinkFault) as told:
            await sink.deliver(records([event(f"L{n}") for n in range(12)]))
        await sink.aclose()
    assert "refuses every record, 12 in a row, the last with: malformed Nothing more is parked." in str(told.value)


async def test_409_means_it_is_there_already() -> None:
    async with always(409, "key exists") as url:
        sink = sink_for(url)
        verdicts = await sink.deliver(records([event("A"), event("B")]))
        await sink.aclose()
    assert verdicts == [Accepted(receipt="key exists")] * 2


async def test_413_makes_requests_smaller_for_good() -> None:
    sizes: list[int] = []

    async def small(request: web.Request, body: bytes) -> web.Response:
        lines = body.splitlines()
        sizes.append(len(lines))
        if len(lines) > 3:
            return web.Response(status=413)
        return web.json_response(
            {"results": [{"id": json.loads(line)["eventID"], "status": "accepted"} for line in lines]}
        )

    entries = [event(f"L{n}") for n in range(10)]
    async with Server(small) as url:
        sink = sink_for(url, compress="identity")
        assert await sink.deliver(records(entries)) == [Accepted(receipt="")] * 10
        sizes.clear()
        await sink.deliver(records(entries))
        assert max(sizes) == 3
        await sink.aclose()


async def test_one_event_that_is_too_large_is_rejected() -> None:
    async with always(413) as url:
        sink = sink_for(url)
        assert await sink.deliver(records([event("A")])) == [Rejected(reason="too large (HTTP 413)")]
        await sink.aclose()


async def test_the_signature_is_what_the_docstring_says() -> None:
    import hmac

    message = b"1790000000.abc." + b"body"
    mac = hmac.new(b"secret", message, hashlib.sha256).hexdigest()
    assert signature("secret", 1_790_000_000, "abc", b"body") == f"t=1790000000,v1={mac}"
    async with ErpSimulator(hmac_key=CANARY) as erp:
        sink = sink_for(erp.url, lambda name: CANARY, key=Mark("erp-key"), auth="hmac")
        assert (await sink.deliver(records([event("A")])))[0] == Accepted(receipt="make/00001")
        await sink.aclose()


async def test_the_key_is_never_logged_or_shown(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await bench.log.append([event("A")])
    options = Options.model_validate({"url": "http://127.0.0.1:9/", "key": Mark("erp-key")})
    async with ErpSimulator(key="another") as erp:
        erp.fail(Fault.REFUSE_KEY)  # an ERP that repeats the key it was given
        options = Options.model_validate({"url": erp.url, "key": Mark("erp-key")})
        assert CANARY not in repr(options)

        def make(shelf: Shelf) -> Sink:
            return build("erp", options, shelf, lambda name: CANARY)

        async with bench.running(make) as courier:
            await until(lambda: courier.status().state is DeviceState.FAULT)
            said = courier.status().say
    assert "unknown key Bearer •••" in said.en
    assert CANARY not in said.en + said.zh + caplog.text
    assert not any(CANARY.encode() in path.read_bytes() for path in bench.directory.rglob("*") if path.is_file())


def test_a_bearer_key_in_clear_text_is_refused() -> None:
    with pytest.raises(ValidationError, match="would travel in clear text; use https, or auth: hmac"):
        Options.model_validate({"url": "http://erp.example.com/", "key": Mark("k")})
    Options.model_validate({"url": "https://erp.example.com/", "key": Mark("k")})
    Options.model_validate({"url": "http://erp.example.com/", "key": Mark("k"), "auth": "hmac"})


# ---- a whole courier


def make_for(erp: ErpSimulator, **options: object) -> Callable[[Shelf], Sink]:
    chosen = Options.model_validate({"url": erp.url, "timeout_s": 0.3, **options})
    return lambda shelf: build("erp", chosen, shelf, no_secret)


@pytest.mark.parametrize(
    "fault",
    [
        Fault.ERROR_500,
        Fault.TOO_MANY,
        Fault.LOST_ANSWER,
        Fault.ERROR_IN_200,
        Fault.MISSING_IDS,
        Fault.NO_JSON,
        Fault.SLOW,
        Fault.DOWN,
        Fault.TOO_LARGE,
    ],
)
async def test_each_fault_leaves_exactly_one_effect_and_one_receipt(bench: Bench, fault: Fault) -> None:
    entries = [event(("received", f"L{n % 7}", "2"), act="receive") for n in range(150)]
    await bench.log.append(entries)
    erp = ErpSimulator()
    erp.retry_after = "0"
    async with erp:
        erp.fail(fault, 3)
        async with bench.running(make_for(erp)) as courier:
            await until(settled(courier))
            assert courier.status().delivered == 150
    effects = erp.effects()
    assert erp.effect_count == dict.fromkeys(keys_of_all(entries), 1)
    assert effects.disorder == 0
    assert sum(effects.stock.values()) == 300
    assert bench.covered() == dict.fromkeys(keys_of_all(entries), 1)


async def test_an_erp_that_is_down_at_boot_gets_everything_later(bench: Bench) -> None:
    entries = [event(f"L{n}") for n in range(120)]
    await bench.log.append(entries)
    erp = ErpSimulator()
    async with erp:
        pass  # its port is known and nobody listens
    async with bench.running(make_for(erp)) as courier:
        await until(lambda: courier.status().state is DeviceState.WAITING)
        assert courier.status().waiting == 120
        async with erp:
            await until(settled(courier))
    assert erp.effect_count == dict.fromkeys(keys_of_all(entries), 1)


async def test_a_poison_event_is_parked_mended_and_delivered(bench: Bench) -> None:
    entries = [event("L", f"S{n}", order="WO-1") for n in range(3)]
    poison, behind = event("BAD", note="poison"), event("BAD")
    await bench.log.append([*entries, poison, behind])
    async with ErpSimulator() as erp:
        erp.refuse("poison", "lot BAD is blocked in the ERP")
        async with bench.running(make_for(erp)) as courier:
            await until(lambda: courier.status().parked == 1 and courier.status().delivered == 3)
            assert courier.status().waiting == 1
            erp.allow("poison")
            await courier.retry(key_of(poison))
            await until(settled(courier))
    assert erp.effect_count == dict.fromkeys(keys_of_all([*entries, poison, behind]), 1)
    assert erp.effects().disorder == 0


async def test_order_at_the_courier_sends_one_event_per_item(bench: Bench) -> None:
    await bench.log.append([event("L", f"S{n}") for n in range(5)])
    async with ErpSimulator() as erp:
        async with bench.running(make_for(erp, order="courier"), HURRY) as courier:
            await until(settled(courier))
        assert erp.effects().requests == 5
