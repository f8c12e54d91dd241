"""The page in Debian's Chromium: what a person sees, hears and presses."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from edge.web.literal import visible
from edge.web.pages import Pages
from tests.web.conftest import Site, eventually, running
from tests.web.fake_line import OK, STOP, VERDICTS, WARN, FakeLine, both, crowded, document, trouble

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

SIZES = [(1024, 768), (1920, 1080)]
STATES = ["no_operator", "no_order", "idle", "collecting", "done", "blocked", "storage_stop"]
LOST_MS = 15_000  # the promise is three seconds; a busy machine gets more

# Every visible element must lie inside the window, and nothing may be cut, except where the design says so.
OVERFLOW = """() => {
  const bad = [], root = document.documentElement;
  if (root.scrollWidth > innerWidth || root.scrollHeight > innerHeight) bad.push("the page scrolls");
  for (const element of document.querySelectorAll("#page *")) {
    if (!element.checkVisibility() || element.closest(".events, .clamp, svg")) continue;
    const box = element.getBoundingClientRect(), style = getComputedStyle(element);
    if (!box.width || !box.height) continue;
    const name = `${element.localName}.${element.className} "${element.textContent.trim().slice(0, 30)}"`;
    const inside = box.left >= -1 && box.top >= -1 && box.right <= innerWidth + 1 && box.bottom <= innerHeight + 1;
    if (!inside) bad.push(`outside: ${name}`);
    const glyphs = parseFloat(style.fontSize) * 0.4;  // accents and descenders reach out of a tight line
    const wide = style.display !== "inline" && element.scrollWidth > element.clientWidth + 1;
    const high = style.overflowY !== "visible" && element.scrollHeight > element.clientHeight + glyphs;
    if (wide || high) bad.push(`cut: ${name}`);
  }
  return bad;
}"""


@pytest_asyncio.fixture(loop_scope="module")
async def shown(chromium) -> AsyncIterator[tuple[Site, object]]:
    """A running site and a page on it; at the end nothing was requested elsewhere and no script had failed."""
    async with running() as site:
        context = await chromium.new_context(viewport={"width": 1024, "height": 768}, locale="en-GB")
        asked: list[str] = []
        errors: list[str] = []
        context.on("request", lambda request: asked.append(request.url))
        context.on("weberror", lambda error: errors.append(str(error.error)))
        page = await context.new_page()
        await page.goto(f"{site.base}/s/ST10")
        try:
            yield site, page
        finally:
            await context.close()
        assert [url for url in asked if not url.startswith(f"{site.base}/")] == []
        assert errors == []


async def comes_true(page, expression: str) -> None:
    """Waits until ``expression`` is true in the page. (Playwright's own wait needs eval, which the page's policy forbids.)"""
    await eventually(lambda: page.evaluate(f"Boolean({expression})"))


async def show(site: Site, page, seq: int, **changes) -> None:
    """Shows a document, numbered by the name of its site, and waits until the page does."""
    full = document(**changes)
    if full["verdict"]:
        full["verdict"] = {**full["verdict"], "seq": seq}
    await site.line.show(**{**full, "site": f"SZ{seq}"})
    await comes_true(page, f"document.querySelector('.site').textContent === 'SZ{seq}'")


@pytest.mark.parametrize("size", SIZES, ids=["1024x768", "1920x1080"])
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_every_state_and_verdict_fits_the_screen(shown, size, language):
    site, page = shown
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await page.goto(f"{site.base}/s/ST10?lang={language}")
    await page.evaluate("document.fonts.ready")
    seq = 1000
    bad: dict[str, list[str]] = {}
    for more in ({}, trouble(), crowded()):
        for state in STATES:
            for name, verdict in VERDICTS.items():
                seq += 1
                await show(site, page, seq, state=state, verdict=verdict, **more)
                if found := await page.evaluate(OVERFLOW):
                    bad[f"{state}/{name}/{sorted(more)}"] = found
    assert bad == {}


@pytest.mark.parametrize("size", SIZES, ids=["1024x768", "1920x1080"])
async def test_station_without_anything_fits_the_screen(shown, size):
    site, page = shown
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    nothing = {
        "unit": None,
        "order": None,
        "operator": None,
        "steps": [],
        "loaded": [],
        "live": [],
        "recent": [],
        "acts": [],
    }
    await show(site, page, 1, state="no_operator", verdict=None, simulated=False, devices=[], sync=[], **nothing)
    assert await page.evaluate(OVERFLOW) == []
    assert await page.locator(".simulated").is_hidden()


async def test_verdict_is_always_in_both_languages(shown):
    site, page = shown
    for language in ("en", "zh"):
        await page.goto(f"{site.base}/s/ST10?lang={language}")
        for seq, verdict in enumerate([OK, WARN, STOP], 1):
            await show(site, page, seq, verdict=verdict)
            text = await page.locator(".verdict").inner_text()
            for said in (verdict["title"], verdict["say"]):
                assert said["en"] in text
                assert said["zh"] in text


GREEN = """() => [...document.querySelectorAll("body, body *")].filter((element) => element.checkVisibility()).flatMap(
  (element) => {
    const style = getComputedStyle(element);
    const colours = [style.color, style.backgroundColor, style.fill, style.stroke, style.borderTopColor, style.backgroundImage];
    return [...colours.join(" ").matchAll(/rgba?\\((\\d+), (\\d+), (\\d+)(?:, ([\\d.]+))?/g)]
      .filter(([, red, green, blue, alpha]) => alpha !== "0" && green > 1.1 * red && green > 1.1 * blue)
      .map(([colour]) => `${element.localName}.${element.className} ${colour}`);
  })"""


async def test_nothing_is_green_while_a_stop_stands(shown):
    site, page = shown
    await show(site, page, 1, verdict=STOP)
    assert await page.evaluate(GREEN) == []
    await show(site, page, 2, verdict=OK)
    assert await page.evaluate(GREEN) != []


async def test_stop_stays_until_the_next_verdict(shown):
    site, page = shown
    await show(site, page, 1, verdict=STOP)
    await page.mouse.click(500, 400)
    await page.keyboard.press("Enter")
    await page.keyboard.press("Escape")
    await site.line.show(live=[])
    await comes_true(page, "document.querySelectorAll('.values li').length === 0")
    assert await page.get_attribute("#page", "data-face") == "stop"
    await show(site, page, 2, verdict=OK)
    assert await page.get_attribute("#page", "data-face") == "work"


async def test_storage_stop_fills_the_page_and_says_why(shown):
    site, page = shown
    await site.line.show(state="storage_stop", storage={"ok": False, "say": both("The disk is full.", "磁盘已满。")})
    await page.wait_for_selector(".storage", state="visible")
    text = await page.locator(".storage").inner_text()
    for said in (
        "STOP – this PC cannot save.",
        "停！电脑无法保存数据。",
        "The disk is full.",
        "磁盘已满。",
        "call a technician",
    ):
        assert said in text
    assert await page.locator(".verdict").is_hidden()
    assert await page.locator("#typing").is_hidden()


HOSTILE = [
    '<img src=x onerror="window.pwned=1;alert(1)">',
    "</script><script>window.pwned=1</script>",
    '"><svg/onload=window.pwned=1>',
    "{{constructor.constructor('window.pwned=1')()}} ${window.pwned=1} javascript:window.pwned=1",
    "lot \u202eTSIL\u202c \u2066x\u2069 \u200b\ufeff end",
    "שלום LOT 77 مرحبا",
    "]d201\x1d10L77\x00\x1b[31m\r\n",
    "A" * 4096,
    "e\u0301\u0316\u0317\u0318" * 800,
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_scan_is_shown_literally_and_does_nothing(shown, hostile):
    site, page = shown
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    said = both(hostile, hostile)
    everywhere = {
        "recent": [{"at": hostile, "level": hostile, "text": said}],
        "unit": {"id": hostile, "material": hostile, "material_name": said},
        "order": {"id": hostile, "material": hostile, "material_name": said, "made": hostile, "quantity": hostile},
        "operator": {"id": hostile, "name": hostile},
    }
    await show(site, page, 7, verdict={**WARN, "value": hostile}, **everywhere)
    assert await page.evaluate("document.querySelector('.verdict .value .clamp').textContent") == visible(hostile)
    assert await page.evaluate("document.querySelector('.events .what').textContent") == visible(hostile)
    overflow = (
        "[document.documentElement.scrollWidth <= innerWidth, document.documentElement.scrollHeight <= innerHeight]"
    )
    assert await page.evaluate(overflow) == [True, True]
    await page.reload()
    assert await page.evaluate("document.querySelector('.verdict .value .clamp').textContent") == visible(hostile)
    assert await page.evaluate("[window.pwned, document.images.length, document.scripts.length]") == [None, 0, 1]
    assert dialogs == []


async def test_markup_cannot_be_put_in_by_script(shown):
    _, page = shown
    assert "TrustedHTML" in await page.evaluate(
        "try { document.body.innerHTML = '<b>x</b>'; 'written' } catch (error) { error.message }"
    )


async def test_lost_program_covers_the_page_and_comes_back_without_reload(shown):
    site, page = shown
    await show(site, page, 1, verdict=OK)
    await page.evaluate("window.same = 'same'")
    await site.stop()
    await page.wait_for_selector("#lost", state="visible", timeout=LOST_MS)
    text = await page.locator("#lost").inner_text()
    assert "Display lost contact with the station program." in text
    assert "画面与工位程序断开。" in text
    box = await page.locator("#lost").bounding_box()
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 1024, 768)
    site.line.documents["ST10"] = document(verdict=STOP)
    await site.start()
    await page.wait_for_selector("#lost", state="hidden", timeout=LOST_MS)
    assert await page.get_attribute("#page", "data-face") == "stop"
    assert await page.evaluate("window.same") == "same"
    await page.click("#typing-open")
    await page.fill("#typed", "L77")
    await page.keyboard.press("Enter")
    await eventually(lambda: site.line.acts == [("ST10", "type_in", {"text": "L77"})])


async def test_page_of_an_older_program_loads_anew(shown, monkeypatch):
    site, page = shown
    await comes_true(page, "document.querySelector('.verdict .age').textContent !== ''")
    await page.evaluate("window.same = 'same'")
    await site.stop()
    monkeypatch.setattr("edge.web.app.Pages", _Updated)
    await site.start()
    await page.wait_for_selector("body[data-build='0123456789ab']", timeout=LOST_MS)
    assert await page.evaluate("window.same") is None


class _Updated(Pages):
    def __init__(self) -> None:
        super().__init__()
        self.build = "0123456789ab"


async def test_hung_program_is_a_lost_contact_too(chromium):
    """SIGSTOP: the connection stands, nothing answers. SIGCONT, and the page is right again."""
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.web.fake_line", "0", cwd=root, env=environment, stdout=asyncio.subprocess.PIPE
    )
    page = await chromium.new_page()
    try:
        port = int(await asyncio.wait_for(program.stdout.readline(), 30))
        await page.goto(f"http://127.0.0.1:{port}/s/ST10")
        await comes_true(page, "document.querySelector('.verdict .age').textContent !== ''")
        program.send_signal(signal.SIGSTOP)
        await page.wait_for_selector("#lost", state="visible", timeout=LOST_MS)
        program.send_signal(signal.SIGCONT)
        await page.wait_for_selector("#lost", state="hidden", timeout=LOST_MS)
        assert await page.locator(".verdict .title").first.inner_text() == "OK – bearing loaded"
    finally:
        await page.close()
        with contextlib.suppress(ProcessLookupError):
            program.kill()
        await program.wait()
        program._transport.close()


async def test_two_tabs_show_the_same_in_their_own_language(shown):
    site, page = shown
    other = await page.context.new_page()
    await other.goto(f"{site.base}/s/ST10?lang=zh")
    for tab, first in ((page, STOP["title"]["en"]), (other, STOP["title"]["zh"])):
        await show(site, tab, 5, verdict=STOP)
        assert await tab.locator(".verdict .title").first.inner_text() == first


async def test_language_is_switched_and_kept(shown):
    site, page = shown
    await page.click("#language")
    await page.wait_for_selector("html[lang=zh-CN]")
    await page.goto(f"{site.base}/s/ST10")
    assert await page.locator(".next h2").inner_text() == "下一步"


async def test_page_is_readable_without_scripts(shown, chromium):
    site, _ = shown
    context = await chromium.new_context(java_script_enabled=False, locale="en-GB")
    page = await context.new_page()
    await site.line.show(verdict=STOP)
    await page.goto(f"{site.base}/s/ST10")
    text = await page.locator("body").inner_text()
    assert "STOP – lot L41 has expired" in text
    assert "This page shows one moment and reloads every 5 s" in text
    await context.close()


async def test_act_wants_to_be_held(shown):
    site, page = shown
    button = page.locator("button[data-act=confirm_close]")
    await button.click()
    await button.press("Enter")
    await button.hover()
    await page.mouse.down()
    await page.mouse.move(500, 300)
    await page.wait_for_selector("button[data-holding]", state="detached")
    await page.mouse.up()
    assert site.line.acts == []
    await button.hover()
    await page.mouse.down()
    await eventually(lambda: site.line.acts == [("ST10", "confirm_close", {})])
    await page.mouse.up()
    await page.wait_for_selector("#answer", state="visible")
    assert await page.locator("#answer b").inner_text() == "Done: confirm_close"
    assert site.line.acts == [("ST10", "confirm_close", {})]


async def test_scanner_that_types_cannot_press_a_button(shown):
    """A keyboard-wedge scanner ends with Enter; the focused button must not take it for a press."""
    site, page = shown
    for selector in ("button[data-act=cancel_unit]", "#typing-open"):
        await page.focus(selector)
        await page.keyboard.type("(01)09506000134352", delay=1)
        await page.keyboard.press("Enter")
    assert site.line.acts == []
    assert await page.locator("#typing-panel").is_hidden()


async def test_damaged_label_is_typed_in_and_its_spaces_are_kept(shown):
    site, page = shown
    await page.click("#typing-open")
    await page.keyboard.type(" (10)L 77 ", delay=50)  # as a person types; a second tap within 300 ms is a slip
    await page.click("#typing-send")
    await eventually(lambda: site.line.acts == [("ST10", "type_in", {"text": " (10)L 77 "})])
    await page.wait_for_selector("#typing-panel", state="hidden")


async def test_lost_contact_lets_go_of_a_held_button(shown):
    site, page = shown
    await comes_true(page, "document.querySelector('.verdict .age').textContent !== ''")
    await site.stop()
    await page.wait_for_selector("#lost", state="visible", timeout=LOST_MS)
    assert await page.evaluate("document.getElementById('page').inert") is True


TONES = """
window.tones = [];
const Plain = OscillatorNode;
window.OscillatorNode = class extends Plain {
  constructor(context, options) { super(context, options); tones.push(options.frequency); }
};"""


async def test_each_level_has_its_own_sound_after_a_first_touch(chromium):
    async with running() as site:
        context = await chromium.new_context(locale="en-GB")
        await context.add_init_script(TONES)
        page = await context.new_page()
        await page.goto(f"{site.base}/s/ST10")
        await page.wait_for_selector("#sound:not([hidden])")
        if await page.get_attribute("#sound", "data-sound") == "blocked":
            await page.click("#sound")
        await page.wait_for_selector("#sound[data-sound=on]")
        for seq, (verdict, tones) in enumerate([(OK, [1320]), (WARN, [880, 880]), (STOP, [220])], 200):
            await page.evaluate("tones.length = 0")
            await show(site, page, seq, verdict={**verdict, "age_s": 0})
            await comes_true(page, f"String(tones) === '{','.join(map(str, tones))}'")
        await comes_true(page, "tones.length >= 2")
        await page.click("#sound")
        await page.wait_for_selector("#sound[data-sound=off]")
        await page.reload()
        await page.wait_for_selector("#sound[data-sound=off]")
        await context.close()


@pytest.mark.parametrize(("size", "twenty_mm"), [((1024, 768), 67), ((1920, 1080), 111)], ids=["15in", "15.6in"])
async def test_buttons_are_large_enough_for_gloves(shown, size, twenty_mm):
    _, page = shown
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    for button in await page.locator("button.act:visible, .small:visible").all():
        box = await button.bounding_box()
        assert min(box["width"], box["height"]) >= twenty_mm


async def test_digits_are_of_one_width(shown):
    _, page = shown
    widths = """() => ["1111111111", "8888888888"].map((digits) => {
      const place = document.querySelector(".reading b"); place.textContent = digits; return place.getBoundingClientRect().width; })"""
    one, eight = await page.evaluate(widths)
    assert one == eight


async def test_ages_count_up_by_themselves(shown):
    site, page = shown
    await show(site, page, 9, verdict={**OK, "age_s": 0})
    site.line.changes = FakeLine().changes  # no more changes; the repeat of the same document begins at the same age
    site.line.documents["ST10"]["verdict"]["age_s"] = 65
    await comes_true(page, "document.querySelector('.verdict .age').textContent === '65 s ago'")


async def test_start_page_lists_the_stations(chromium):
    async with running("ST10", "ST20") as site:
        page = await chromium.new_page(viewport={"width": 1024, "height": 768}, locale="en-GB")
        await site.line.show("ST20", verdict=STOP, state="blocked")
        await page.goto(site.base)
        assert await page.locator(".list li").count() == 2
        await page.click("text=ST20")
        await page.wait_for_url("**/s/ST20")
        await page.close()
