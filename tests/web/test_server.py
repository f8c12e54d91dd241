"""The pages over HTTP: who may ask, what a stream sends, how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from edge.errors import TechnicianError
from edge.web import create_app, serve
from edge.web.stream import paced
from tests.web.conftest import Site, eventually, running
from tests.web.fake_line import STOP, WARN, FakeLine, document


@contextlib.asynccontextmanager
async def client(site: Site) -> AsyncIterator[aiohttp.ClientSession]:
    jar = aiohttp.CookieJar(unsafe=True)  # an address, not a name
    async with aiohttp.ClientSession(site.base, timeout=aiohttp.ClientTimeout(total=20), cookie_jar=jar) as session:
        yield session


async def messages(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    async for line in response.content:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


async def token(session: aiohttp.ClientSession) -> str:
    async with session.get("/s/ST10") as response:
        found = re.search(r'name="token" content="([0-9a-f]+)"', await response.text())
    assert found
    return found[1]


def ours(site: Site, held: str) -> dict[str, str]:
    return {"X-Lotline-Token": held, "Origin": site.base, "Sec-Fetch-Site": "same-origin"}


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:{port}", "127.0.0.1:1", "localhost", "[::1]", "192.168.1.5:{port}"]
)
async def test_foreign_host_name_is_refused(site, host):
    async with client(site) as session:
        for path in ("/", "/s/ST10", "/s/ST10/stream", "/healthz"):
            async with session.get(
                path, headers={"Host": host.format(port=site.port)}, allow_redirects=False
            ) as response:
                assert response.status == 421
                assert await response.text() == "This page answers only to 127.0.0.1 and localhost.\n"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
async def test_own_names_are_answered(site, host):
    async with client(site) as session, session.get("/s/ST10", headers={"Host": f"{host}:{site.port}"}) as response:
        assert response.status == 200


async def test_every_answer_carries_the_security_headers(site):
    async with client(site) as session:
        for path in ("/s/ST10", "/s/NONE", "/healthz", "/nowhere"):
            async with session.get(path) as response:
                policy = response.headers["Content-Security-Policy"]
                assert "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'" in policy
                assert "require-trusted-types-for 'script'" in policy
                assert "unsafe" not in policy
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert response.headers["Cache-Control"] == "no-store"
                assert "Server" not in response.headers


async def test_act_with_the_page_s_token_reaches_the_line(site):
    async with client(site) as session:
        held = await token(session)
        async with session.post(
            "/s/ST10/act/type_in", json={"text": "(10)L77\x1d"}, headers=ours(site, held)
        ) as response:
            assert response.status == 200
            assert await response.json() == {"ok": True, "say": {"en": "Done: type_in", "zh": "已完成：type_in"}}
    assert site.line.acts == [("ST10", "type_in", {"text": "(10)L77\x1d"})]


@pytest.mark.parametrize(
    "spoiled",
    [
        {"X-Lotline-Token": ""},
        {"X-Lotline-Token": "0" * 64},
        {"X-Lotline-Token": "é"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": None, "Sec-Fetch-Site": None},
    ],
)
async def test_act_that_did_not_come_from_our_page_is_refused(site, spoiled):
    async with client(site) as session:
        headers = {**ours(site, await token(session)), **spoiled}
        headers = {name: value for name, value in headers.items() if value is not None}
        async with session.post("/s/ST10/act/type_in", json={"text": "x"}, headers=headers) as response:
            assert response.status == 403
            assert (await response.json())["say"]["en"] == (
                "This request did not come from the station's page. Reload the page and try again."
            )
    assert site.line.acts == []


async def test_token_of_one_station_does_not_open_another():
    async with running("ST10", "ST20") as site, client(site) as session:
        headers = ours(site, await token(session))
        async with session.post("/s/ST20/act/type_in", json={"text": "x"}, headers=headers) as response:
            assert response.status == 403


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("type_in", b'{"text": "\xff"}', 400, "The page sent something unreadable. Reload the page."),
        ("confirm_close", b"[1]", 400, "The page sent something unreadable. Reload the page."),
        ("confirm_close", b'{"text": 1}', 400, "The page sent something unreadable. Reload the page."),
        ("confirm_close", b"x" * 40_000, 400, "The page sent something unreadable. Reload the page."),
        (
            "type_in",
            json.dumps({"text": "9" * 4097}).encode(),
            413,
            "That is longer than any label: at most 4096 characters.",
        ),
        ("delete_everything", b"{}", 409, "That is not possible now. Look at the page."),
    ],
)
async def test_act_that_makes_no_sense_is_refused(site, path, body, status, says):
    async with client(site) as session:
        headers = ours(site, await token(session))
        async with session.post(f"/s/ST10/act/{path}", data=body, headers=headers) as response:
            assert (response.status, (await response.json())["say"]["en"]) == (status, says)
    assert site.line.acts == []


async def test_act_cannot_be_asked_for_by_a_link(site):
    async with client(site) as session, session.get("/s/ST10/act/confirm_close") as response:
        assert response.status == 405


async def test_one_station_is_the_start_page_and_several_are_listed(site):
    async with client(site) as session, session.get("/", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "/s/ST10")
    async with running("ST10", "ST 20 ä") as several, client(several) as session:
        await several.line.show("ST10", state="storage_stop")
        async with session.get("/") as response:
            text = await response.text()
        assert 'href="/s/ST10"' in text
        assert "STOP – cannot save" in text
        assert 'href="/s/ST%2020%20%C3%A4"' in text


async def test_unknown_station_is_named_and_escaped(site):
    async with client(site) as session, session.get("/s/%3Cb%3E%E2%80%AE") as response:
        assert response.status == 404
        assert "There is no station &lt;b&gt;⟨U+202E⟩ on this PC." in await response.text()
    async with client(site) as session, session.get("/s/NONE/stream") as response:
        assert response.status == 404


@pytest.mark.parametrize("path", ["/static/{build}/../app.py", "/static/0/page.css", "/static/{build}/none.js"])
async def test_only_the_static_files_of_this_build_are_served(site, path):
    async with client(site) as session:
        async with session.get("/s/ST10") as response:
            found = re.search(r"/static/([0-9a-f]+)/page\.css", await response.text())
        assert found
        async with session.get(f"/static/{found[1]}/page.css") as response:
            assert (response.status, response.content_type) == (200, "text/css")
            assert "immutable" in response.headers["Cache-Control"]
        async with session.get(path.format(build=found[1])) as response:
            assert response.status == 404


async def test_health_tells_a_storage_stop(site):
    async with client(site) as session:
        async with session.get("/healthz") as response:
            assert (response.status, await response.json()) == (200, {"ok": True, "stations": {"ST10": "collecting"}})
        await site.line.show(state="storage_stop", storage={"ok": False, "say": {"en": "full", "zh": "满"}})
        async with session.get("/healthz") as response:
            assert (response.status, await response.json()) == (
                503,
                {"ok": False, "stations": {"ST10": "storage_stop"}},
            )


async def test_language_is_remembered(site):
    async with client(site) as session:
        async with session.get("/s/ST10?lang=zh") as response:
            assert '<html lang="zh-CN">' in await response.text()
        async with session.get("/s/ST10") as response:
            assert '<html lang="zh-CN">' in await response.text()
        async with session.get("/s/ST10?lang=xx", headers={"Accept-Language": "en"}) as response:
            assert '<html lang="zh-CN">' in await response.text()


async def test_stream_sends_the_whole_screen_at_once_and_after_each_change(site):
    async with client(site) as session, session.get("/s/ST10/stream?lang=zh") as response:
        assert response.content_type == "text/event-stream"
        received = messages(response)
        first = await anext(received)
        assert first["screen"]["verdict"]["title"]["first"] == "通过 – 轴承已上料"
        assert first["token"] == await token(session)
        await site.line.show(verdict=STOP)
        async for message in received:
            if message["screen"]["face"] == "stop":
                break


async def test_silent_line_still_beats(site):
    async with client(site) as session, session.get("/s/ST10/stream") as response:
        received = messages(response)
        for _ in range(3):
            assert (await anext(received))["screen"]["station"] == "ST10"


async def test_live_values_never_hold_up_a_verdict():
    line = FakeLine()
    documents = paced(line, "ST10")
    await anext(documents)
    await line.show(live=[])
    await line.show(verdict=WARN)
    async for shown in documents:
        if shown["verdict"] == WARN:
            break
    await documents.aclose()
    await eventually(lambda: line.open_streams == 0)


async def test_stream_ends_when_its_station_goes():
    line = FakeLine("ST10", "ST20")
    documents = paced(line, "ST20")
    await anext(documents)
    del line.documents["ST20"]
    assert [shown async for shown in documents] == []


async def test_browser_that_goes_away_leaves_nothing_behind(site):
    async with client(site) as session:
        for _ in range(5):
            async with session.get("/s/ST10/stream") as response:
                await anext(messages(response))
    await eventually(lambda: site.line.open_streams == 0)


async def test_server_stops_with_open_streams(site):
    async with client(site) as session, contextlib.AsyncExitStack() as stack:
        for _ in range(10):
            response = await stack.enter_async_context(session.get("/s/ST10/stream"))
            await anext(messages(response))
        await site.stop()
        assert site.line.open_streams == 0


async def test_taken_port_is_said_and_nothing_exits(site):
    with pytest.raises(TechnicianError) as caught:
        await serve(create_app(FakeLine()), "127.0.0.1", site.port, lambda _: None)
    assert str(caught.value) == (
        f"The pages cannot be served at 127.0.0.1:{site.port}: Address already in use. "
        "Stop the program that uses this port, or give the pages another one."
    )


async def test_hostile_document_is_text_in_the_html(site):
    await site.line.show(verdict={**WARN, "value": "</script><img src=x onerror=alert(1)>\"'\x1d\ud800"})
    async with client(site) as session, session.get("/s/ST10?lang=en") as response:
        text = await response.text()
    assert "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&#34;&#39;␝⟨U+D800⟩" in text
    assert "<img" not in text


async def test_many_streams_are_served_at_once(site):
    async def one(session: aiohttp.ClientSession) -> None:
        async with session.get("/s/ST10/stream") as response:
            received = messages(response)
            await anext(received)
            async for message in received:
                if message["screen"]["face"] == "stop":
                    return

    async with client(site) as session, asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(one(session))
        await eventually(lambda: site.line.open_streams == 20)
        await site.line.show(**document(verdict=STOP))
