"""A document becomes a screen: every text chosen, every number written, every shape named. Pure.

The template on the server and ``fill.js`` in the browser put the same screen into the same markup; neither decides
anything. ``face`` says what fills the page: ``work``, ``stop`` or ``storage``. What is not known is never green: a
verdict that could not be reached and a stale value are hatched, a device that is away has a shape of its own.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal, DivisionByZero, InvalidOperation
from typing import Any, Final
from unicodedata import east_asian_width

from edge.web.gauge import gauge
from edge.web.literal import visible_document
from edge.web.view import Document
from edge.wording import Words
from edge.wording.page import PAGE, STATES

Screen = dict[str, Any]

LONG_TITLE: Final = 30  #: letters that fit beside the sign of the verdict at 1024 × 768; longer ones are set smaller
RECENT: Final = 5  #: rows of the strip; older ones are in the log
_MARKS: Final = {"repeated": "equals", "incomplete": "dots", "cannot_know": "question"}
_LEVEL_MARKS: Final = {"ok": "tick", "warn": "bang", "stop": "cross", "neutral": "bang"}
_SHAPES: Final = {"ok": "circle", "warn": "triangle", "stop": "octagon", "neutral": "square"}
_DEVICE_SHAPES: Final = {"online": "circle", "connecting": "ring", "waiting": "triangle", "fault": "octagon"}
_LONG_NUMBER: Final = re.compile(r"(-?)([0-9]{5,})(\.[0-9]+)?")
_THIN: Final = "\u2009"  # thin space: groups digits without looking like a separator of another language


def screen(document: Document, language: str) -> Screen:
    """What the page of ``document`` shows in ``language`` ("en" or "zh"); the verdict comes in both."""
    document = visible_document(document)
    face = _face(document)
    storage = document["storage"]
    return {
        "face": face,
        "state": STATES[document["state"]].to(language) if document["state"] in STATES else document["state"],
        "station": document["station"],
        "name": document["name"],
        "site": document["site"],
        "simulated": document["simulated"],
        "offset": document["clock"]["offset"],
        "clock_doubtful": not document["clock"]["synchronised"],
        "config_note": _to(document["config_note"], language),
        "operator": document["operator"],
        "next": _both({"en": "", "zh": ""} if _blocked(document) else document["next"], language),
        "storage": _both(storage["say"], language),
        "verdict": _verdict(document, language),
        "unit": _unit(document["unit"], language),
        "order": _order(document["order"], language),
        "steps": [_step(step, language) for step in document["steps"]],
        "loaded": [_lot(lot, language) for lot in document["loaded"]],
        "live": [_live(value, language) for value in document["live"]],
        "devices": [_device(device, language) for device in document["devices"]],
        "sync": [_destination(destination, language) for destination in document["sync"]],
        "recent": [_event(event, document["clock"]["offset"], language) for event in document["recent"][:RECENT]],
        "acts": [] if face == "storage" else [_act(act, language) for act in document["acts"]],
        "typing": face != "storage",
    }


def age(seconds: float, language: str) -> str:
    """How long ago, in words; the browser counts on with the same ones."""
    for name, unit_s in (("age_d", 86400), ("age_h", 3600), ("age_min", 60)):
        if seconds >= 2 * unit_s:
            return PAGE[name].fill({"n": int(seconds // unit_s)}).to(language)
    return PAGE["age_s" if seconds >= 2 else "age_now"].fill({"n": int(seconds)}).to(language)


def _face(document: Document) -> str:
    if document["state"] == "storage_stop" or not document["storage"]["ok"]:
        return "storage"
    verdict = document["verdict"]
    return "stop" if _blocked(document) or (verdict and verdict["level"] == "stop") else "work"


def _blocked(document: Document) -> bool:
    """Whether the station is blocked by something else than the last scan: then what to do is the whole message."""
    verdict = document["verdict"]
    return document["state"] == "blocked" and not (verdict and verdict["level"] == "stop")


def _to(text: Any, language: str) -> str:
    """A text of the document in ``language``; "" for null."""
    return str(text[language]) if text else ""


def _both(text: Any, language: str) -> dict[str, str]:
    """The page's language first, the other second. A text that is the same in both is said once."""
    first, second = (text["zh"], text["en"]) if language == "zh" else (text["en"], text["zh"])
    return {"first": first, "second": "" if second == first else second}


def _verdict(document: Document, language: str) -> Screen:
    verdict = document["verdict"]
    if _blocked(document):
        return _notice("stop", "#cross", _pair(PAGE["stopped"]), document["next"], language)
    if not verdict:
        return _notice("neutral", "#dots", _pair(PAGE["no_verdict"]), _pair(PAGE["no_verdict_say"]), language)
    unknown = verdict["kind"] == "cannot_know"
    level = "neutral" if unknown and verdict["level"] == "ok" else verdict["level"]
    mark = _MARKS.get(verdict["kind"]) or _LEVEL_MARKS[level]
    return {
        **_notice(level, f"#{mark}", verdict["title"], verdict["say"], language),
        "hatched": unknown,
        "value": verdict["value"],
        "code": verdict["code"],
        "age_s": verdict["age_s"],
        "timed": True,
        "seq": verdict["seq"],
    }


def _notice(level: str, mark: str, title: Any, say: Any, language: str) -> Screen:
    """A band that answers no scan."""
    return {
        "level": level,
        "shape": f"#{_SHAPES[level]}",
        "mark": mark,
        "hatched": False,
        "title": _both(title, language),
        "long": max(_width(title["en"]), _width(title["zh"])) > LONG_TITLE,
        "say": _both(say, language),
        "value": "",
        "code": "",
        "age_s": 0,
        "timed": False,
        "seq": 0,
    }


def _width(text: str) -> int:
    """How wide ``text`` is, in Latin letters: a Chinese character takes two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _pair(words: Words) -> dict[str, str]:
    return {"en": words.en, "zh": words.zh}


def _unit(unit: Any, language: str) -> Screen:
    if not unit:
        return {"known": False, "id": PAGE["no_unit"].to(language), "material": "", "name": ""}
    return {
        "known": True,
        "id": unit["id"],
        "material": unit["material"],
        "name": _to(unit["material_name"], language),
    }


def _order(order: Any, language: str) -> Screen:
    if not order:
        return {"known": False, "id": PAGE["no_order"].to(language), "material": "", "name": "", "made": "", "share": 0}
    made, quantity = grouped(order["made"]), grouped(order["quantity"])
    return {
        "known": True,
        "id": order["id"],
        "material": order["material"],
        "name": _to(order["material_name"], language),
        "made": PAGE["made_of"].fill({"made": made, "quantity": quantity}).to(language),
        "share": _share(order["made"], order["quantity"]),
    }


def _share(made: str, quantity: str) -> int:
    """Per cent of the order, 0 to 100; 0 where the quantities are no numbers."""
    try:
        return max(0, min(100, int(Decimal(made) * 100 / Decimal(quantity))))
    except (InvalidOperation, DivisionByZero):
        return 0


def _step(step: Any, language: str) -> Screen:
    done, now = step["done"], step["now"]
    return {
        "state": "done" if done else "now" if now else "open",
        "shape": "#done" if done else "#now" if now else "#ring",
        "say": _to(step["say"], language),
        "detail": _to(step["detail"], language),
    }


def _lot(lot: Any, language: str) -> Screen:
    left = {"left": grouped(lot["left"]), "unit": _to(lot["unit"], language)}
    return {
        "position": lot["position"],
        "material": lot["material"],
        "lot": PAGE["lot"].fill({"lot": lot["lot"]}).to(language),
        "left": PAGE["left"].fill(left).to(language),
        "expiry": PAGE["expires"].fill({"date": lot["expiry"]}).to(language) if lot["expiry"] else "",
    }


def _live(live: Any, language: str) -> Screen:
    low, high, number = live["low"], live["high"], live["number"]
    doubtful = live["stale"] or number is None
    if doubtful:
        level, note = "stale", PAGE["stale"].to(language)
    elif live["ok"] is False:
        level, note = "warn", _outside(number, low, high, language)
    else:
        level, note = "fine", ""
    return {
        "label": _to(live["label"], language),
        "value": grouped(live["value"]),
        "unit": live["unit"],
        "level": level,
        "note": note,
        "age_s": live["age_s"],
        "gauge": {
            **gauge(None if doubtful else number, low, high),
            "low": "" if low is None else _number(low),
            "high": "" if high is None else _number(high),
        },
    }


def _outside(number: float, low: float | None, high: float | None, language: str) -> str:
    if high is not None and number > high:
        return PAGE["above"].fill({"limit": _number(high)}).to(language)
    if low is not None and number < low:
        return PAGE["below"].fill({"limit": _number(low)}).to(language)
    return PAGE["not_ok"].to(language)


def _device(device: Any, language: str) -> Screen:
    state = device["state"]
    return {
        "id": device["id"],
        "state": state,
        "shape": f"#{_DEVICE_SHAPES.get(state, 'ring')}",
        "say": "" if state == "online" else _to(device["say"], language),
    }


def _destination(destination: Any, language: str) -> Screen:
    level = "warn" if destination["parked"] or destination["state"] == "fault" else "fine"
    return {
        "destination": destination["destination"],
        "level": level,
        "shape": "#triangle" if level == "warn" else "#circle",
        "say": _to(destination["say"], language),
    }


def _event(event: Any, offset: str, language: str) -> Screen:
    return {
        "at": _time(event["at"], offset),
        "level": event["level"],
        "shape": f"#{_SHAPES.get(event['level'], 'square')}",
        "text": _to(event["text"], language),
    }


def _act(act: Any, language: str) -> Screen:
    return {"act": act["act"], "say": _both(act["say"], language), "hold": act["hold"]}


def _time(instant: str, offset: str) -> str:
    """The time of day of an ISO 8601 ``instant`` at the site's ``offset`` ("+08:00"); as it stands where it is none."""
    try:
        at = datetime.fromisoformat(instant)
        hours, minutes = int(offset[1:3]), int(offset[4:6])
    except ValueError:
        return instant
    if at.tzinfo is None:
        return instant
    ahead = timedelta(hours=hours, minutes=minutes)
    return at.astimezone(timezone(-ahead if offset.startswith("-") else ahead)).strftime("%H:%M:%S")


def _number(value: float) -> str:
    """A limit as a person writes it: 9 500 becomes "9500", 18.5 stays."""
    return grouped(f"{value:g}" if abs(value) < 1e5 else f"{value:.0f}")


def grouped(number: str) -> str:
    """A decimal of five or more digits in groups of three; any other text as it stands."""
    found = _LONG_NUMBER.fullmatch(number)
    return f"{found[1]}{int(found[2]):,}".replace(",", _THIN) + (found[3] or "") if found else number
