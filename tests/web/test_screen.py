"""What a document looks like: pure, so said in tables."""

from __future__ import annotations

import string

import pytest

from edge.web.gauge import gauge
from edge.web.literal import visible
from edge.web.screen import age, grouped, screen
from edge.wording.page import PAGE, STATES
from tests.web.fake_line import CANNOT_KNOW, OK, STOP, VERDICTS, both, document, live


@pytest.mark.parametrize(
    ("seconds", "en", "zh"),
    [
        (0, "now", "刚刚"),
        (1.9, "now", "刚刚"),
        (8.7, "8 s ago", "8 秒前"),
        (119, "119 s ago", "119 秒前"),
        (120, "2 min ago", "2 分钟前"),
        (7200, "2 h ago", "2 小时前"),
        (172800, "2 d ago", "2 天前"),
    ],
)
def test_age_is_said_in_words(seconds, en, zh):
    assert (age(seconds, "en"), age(seconds, "zh")) == (en, zh)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("10412", "10\u2009412"),
        ("9500", "9500"),
        ("-1234567.5", "-1\u2009234\u2009567.5"),
        ("L77", "L77"),
        ("00412", "412"),
        ("", ""),
    ],
)
def test_long_numbers_are_grouped_and_nothing_else_is_touched(number, shown):
    assert grouped(number) == shown


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("(01)095\x1d10L77", "(01)095␝10L77"),
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("a\u200bb\ufeff", "a⟨U+200B⟩b⟨U+FEFF⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("\x7f\x85", "␡⟨U+0085⟩"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ("轴承 ＬＯＴ é", "轴承 ＬＯＴ é"),
    ],
)
def test_characters_without_a_shape_are_shown_as_signs(hostile, shown):
    assert visible(hostile) == shown


def test_what_cannot_be_known_is_never_green():
    shown = screen(document(verdict={**CANNOT_KNOW, "level": "ok"}), "en")["verdict"]
    assert (shown["level"], shown["hatched"], shown["mark"]) == ("neutral", True, "#question")


@pytest.mark.parametrize("name", VERDICTS)
def test_every_level_has_a_shape_of_its_own(name):
    shown = screen(document(verdict=VERDICTS[name]), "en")["verdict"]
    shapes = {"ok": "#circle", "warn": "#triangle", "stop": "#octagon", "neutral": "#square"}
    assert shown["shape"] == shapes[shown["level"]]


@pytest.mark.parametrize(
    ("changes", "face"),
    [
        ({}, "work"),
        ({"verdict": None}, "work"),
        ({"verdict": STOP}, "stop"),
        ({"state": "blocked"}, "stop"),
        ({"state": "storage_stop"}, "storage"),
        ({"storage": {"ok": False, "say": both("full", "满")}}, "storage"),
        ({"storage": {"ok": False, "say": both("full", "满")}, "verdict": OK}, "storage"),
    ],
)
def test_face_of_the_page(changes, face):
    assert screen(document(**changes), "en")["face"] == face


def test_nothing_can_be_done_where_nothing_can_be_recorded():
    shown = screen(document(state="storage_stop"), "en")
    assert (shown["acts"], shown["typing"]) == ([], False)


def test_blocked_station_says_what_to_do_once():
    shown = screen(document(state="blocked", next=both("Call the line leader.", "请呼叫班长。")), "zh")
    assert shown["verdict"]["title"] == {"first": "停！本工位已锁定。", "second": "STOP – this station is blocked."}
    assert shown["verdict"]["say"] == {"first": "请呼叫班长。", "second": "Call the line leader."}
    assert shown["next"]["first"] == ""


@pytest.mark.parametrize(
    ("value", "level", "note"),
    [
        (live("t", "T", "温", "22", "°C", 18, 26, 22.0), "fine", ""),
        (live("t", "T", "温", "31", "°C", 18, 26, 31.0, ok=False), "warn", "above 26"),
        (live("t", "T", "温", "3", "°C", 18, 26, 3.0, ok=False), "warn", "below 18"),
        (live("t", "T", "温", "22", "°C", 18, 26, 22.0, ok=False), "warn", "outside its limits"),
        (live("t", "T", "温", "22", "°C", 18, 26, 22.0, stale=True), "stale", "out of date"),
        (live("t", "T", "温", "–", "°C", 18, 26, None, ok=None), "stale", "out of date"),
    ],
)
def test_live_value_says_what_is_wrong_with_it(value, level, note):
    [shown] = screen(document(live=[value]), "en")["live"]
    assert (shown["level"], shown["note"]) == (level, note)


@pytest.mark.parametrize(
    ("number", "low", "high", "marker"),
    [
        (22.0, 18, 26, "48.80"),
        (1e9, 18, 26, "97.60"),
        (-1e9, 18, 26, "0.00"),
        (60.0, None, 60, "78.80"),
        (10.0, 10, None, "18.80"),
        (5.0, 5, 5, "48.80"),
    ],
)
def test_marker_of_a_gauge_stays_inside(number, low, high, marker):
    assert gauge(number, low, high)["marker_x"] == marker


def test_gauge_without_limits_or_value_shows_none():
    assert gauge(1.0, None, None)["shown"] is False
    assert gauge(None, 1, 2)["marked"] is False


def test_recent_events_are_told_in_the_time_of_the_site():
    times = [event["at"] for event in screen(document(), "en")["recent"]]
    assert times == ["11:42:07", "11:41:51", "11:41:12", "11:40:58", "11:39:02"]


def test_order_without_numbers_shows_no_progress():
    order = {**document()["order"], "quantity": "0"}
    assert screen(document(order=order), "en")["order"]["share"] == 0


@pytest.mark.parametrize("words", [*PAGE.values(), *STATES.values()])
def test_both_languages_have_the_same_places(words):
    def places(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    assert words.en and words.zh
    assert places(words.en) == places(words.zh)
