"""What no single part of the file shows: names that nothing bears, ports used twice, limits upside down.

Every check yields problems; where two places are involved both are shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from edge.config import widechars
from edge.config.explain import Path
from edge.config.mastercheck import masters
from edge.config.masters import PersonFile
from edge.config.near import near, near_or_known
from edge.config.nodes import Map, Node, Text, hide, walk
from edge.config.parts import Part, Parts, quoted
from edge.config.problem import Problem, problem
from edge.config.site import Web
from edge.wording.config import SAY, say

#: the groups a house format may name (edge.identify fills a Code from them)
GROUPS: Final = ("badge", "order", "material", "lot", "serial", "quantity", "expiry", "position", "command")
#: what devices on one serial line have to agree in (MODBUS over Serial Line V1.02 §2.5.1)
_LINE: Final = ("baudrate", "parity", "stopbits", "bytesize")
#: first words of steps that belong to a unit, and so stand before the step that completes it
_OF_A_UNIT: Final = frozenset(("scan", "load", "consume", "measure"))
_URL_PASSWORD: Final = re.compile(r"://[^/@\s:]*:[^/@\s]+@")


def crosscheck(parts: Parts) -> Iterator[Problem]:
    """Everything that only the whole file shows."""
    yield from _site(parts)
    yield from _limits(parts)
    yield from _passwords(parts)
    yield from _ports(parts)
    yield from _listeners(parts)
    yield from _formats(parts)
    yield from _stations(parts)
    for name in parts.names("procedures"):
        yield from _procedure(parts, name)
    yield from masters(parts)


def unknown(parts: Parts, rule: str, path: Path, name: str, known: list[str]) -> Iterator[Problem]:
    """A problem unless ``name`` is known."""
    if name in known:
        return
    spot = parts.spot(*path)
    node = spot.node
    if isinstance(node, Text) and node.bare and (code := widechars.of(node.text)):
        yield problem(code, node.place, "", SAY[code])
    else:
        yield parts.wrong(rule, path, got=quoted(name), near=near_or_known(name, known))


def _site(parts: Parts) -> Iterator[Problem]:
    spot = parts.spot("timezone")
    if spot.path and isinstance(spot.node, Text) and spot.node.text:
        try:
            ZoneInfo(spot.node.text)
        except (KeyError, ValueError, OSError):  # not there; a path that leads out; a folder of zones
            names = available_timezones()
            tail = {name.rpartition("/")[2]: name for name in names}
            hint = near(spot.node.text, [tail[spot.node.text]] if spot.node.text in tail else names)
            if spot.node.text in tail:
                hint = say("did_you_mean", words=quoted(tail[spot.node.text]))
            yield parts.wrong("timezone", ("timezone",), got=quoted(spot.node.text), near=hint)


def _limits(parts: Parts) -> Iterator[Problem]:
    for path, node in walk(parts.root):
        if isinstance(node, Map) and {"low", "high"} <= node.pairs.keys():
            low, high = _number(node.pairs["low"][1]), _number(node.pairs["high"][1])
            if low is not None and high is not None and low > high:
                yield parts.wrong("limits_inverted", (*path, "low"), low=low, high=high)


def _number(node: Node) -> int | float | None:
    value = node.value if isinstance(node, Text) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _passwords(parts: Parts) -> Iterator[Problem]:
    for section in ("devices", "destinations"):
        for path, node in walk(parts.spot(section).node) if parts.has(section) else ():
            if isinstance(node, Text) and _URL_PASSWORD.search(node.text):
                hide(node)
                yield parts.wrong("secret_url", (section, *path))


def _ports(parts: Parts) -> Iterator[Problem]:
    ports: dict[str, dict[object, list[str]]] = {}
    for name, part in parts.devices.items():
        if (key := _port(part)) is not None:
            bus = part.name if hasattr(part.module, "build_bus") else (part.name, name)
            ports.setdefault(key, {}).setdefault(bus, []).append(name)
    for buses in ports.values():
        heads = [names[0] for names in buses.values()]
        for head in heads[1:]:
            second = parts.place("devices", heads[0], "port")
            port = parts.text("devices", head, "port") or ""
            yield parts.wrong("port_taken", ("devices", head, "port"), None, second, port=port, other=heads[0])
        for names in buses.values():
            for index, name in enumerate(names[1:], 1):
                yield from _same_line(parts, names[0], name)
                yield from _same_unit(parts, names[:index], name)


def _port(part: Part) -> str | None:
    """What two devices cannot both open; None for a device that shares nothing."""
    if part.options is None:
        return None
    port = getattr(part.options, "port", None)
    if isinstance(port, str):  # a serial port is one port, whichever drivers want it
        return port
    asked = getattr(part.module, "port_key", None)
    key: str | None = asked(part.options) if asked is not None else None
    return key


def _same_line(parts: Parts, first: str, name: str) -> Iterator[Problem]:
    one, other = parts.devices[name].options, parts.devices[first].options
    for setting in _LINE:
        ours, theirs = getattr(one, setting, None), getattr(other, setting, None)
        if ours != theirs:
            second = parts.place("devices", first, setting)
            path = ("devices", name, setting)
            fields = {"other": first, "setting": setting, "ours": ours, "theirs": theirs}
            yield parts.wrong("line_settings", path, None, second, **fields)


def _same_unit(parts: Parts, before: list[str], name: str) -> Iterator[Problem]:
    unit = getattr(parts.devices[name].options, "unit_id", None)
    for other in before:
        if unit is not None and getattr(parts.devices[other].options, "unit_id", None) == unit:
            second = parts.place("devices", other, "unit_id")
            yield parts.wrong("unit_id_taken", ("devices", name, "unit_id"), None, second, other=other, ours=unit)
            return


def _listeners(parts: Parts) -> Iterator[Problem]:
    port = int(text) if (text := parts.text("web", "port") or str(Web().port)).isdecimal() else 0
    for name, part in parts.devices.items():
        options = part.options
        if port and getattr(options, "mode", None) == "listen" and getattr(options, "port", 0) == port:
            at = parts.place("devices", name, "port")
            if parts.has("web", "port"):
                second = parts.place("web", "port")
                yield parts.wrong("web_port", ("devices", name, "port"), at, second, port=port)
            else:
                yield parts.wrong("web_port_default", ("devices", name, "port"), at, port=port)


def _formats(parts: Parts) -> Iterator[Problem]:
    for name in parts.names("formats"):
        path = ("formats", name, "pattern")
        try:
            groups = re.compile(parts.text(*path) or "(?P<lot>)").groupindex
        except (re.error, RecursionError, OverflowError) as exc:
            yield parts.wrong("regex", path, why=str(exc))
            continue
        if not groups:
            yield parts.wrong("regex_groups", path)
        for group in groups:
            if group not in GROUPS:
                hint, choices = near(group, GROUPS), ", ".join(GROUPS)
                yield parts.wrong("regex_group", path, got=quoted(group), near=hint, choices=choices)


def _stations(parts: Parts) -> Iterator[Problem]:
    devices, procedures = parts.names("devices"), parts.names("procedures")
    owners: dict[str, Path] = {}
    for name in parts.names("stations"):
        path: Path = ("stations", name, "procedure")
        if (procedure := parts.text(*path)) is not None:
            yield from unknown(parts, "no_procedure", path, procedure, procedures)
        for at, scanner in parts.texts("stations", name, "scanners"):
            yield from unknown(parts, "no_device", at, scanner, devices)
            part = parts.devices.get(scanner)
            if part is not None and part.options is not None and tags_of(scanner, part) is not None:
                yield parts.wrong("not_a_scanner", at, got=quoted(scanner), driver=part.name)
            first = owners.setdefault(scanner, at)
            if first != at:
                rule = "scanner_taken" if first[1] != name else "scanner_repeated"
                yield parts.wrong(rule, at, None, parts.place(*first), got=quoted(scanner), station=first[1])


def tags_of(device: str, part: Part) -> Mapping[str, object] | None:
    """The tags of a device by their short name; None for one that has none by nature."""
    if (asked := getattr(part.module, "tags", None)) is not None:
        return {tag.name.removeprefix(f"{device}."): tag for tag in asked(device, part.options)}
    tags = getattr(part.options, "tags", None)
    return tags if isinstance(tags, Mapping) else None


def _procedure(parts: Parts, name: str) -> Iterator[Problem]:
    base: Path = ("procedures", name)
    called = parts.text(*base, "procedure")
    if called is not None and called != name:
        yield parts.wrong("procedure_name", (*base, "procedure"), got=quoted(called), key=name)
    steps = parts.names(*base, "steps")
    for at, listed in parts.texts(*base, "order", "any"):
        yield from unknown(parts, "no_step", at, listed, steps)
    done: Path = ()
    for step in steps:
        path = (*base, "steps", step)
        words = parts.names(*path)
        yield from _person(parts, path)
        yield from _measure(parts, path)
        here, second = parts.key_place(*path), parts.key_place(*done)
        if done and "event" in words:
            yield parts.wrong("done_twice", path, here, second, done=done[-1])
        elif done and _OF_A_UNIT & set(words):
            yield parts.wrong("after_done", path, here, second, step=step, done=done[-1])
        elif "event" in words:
            done = path


def _person(parts: Parts, path: Path) -> Iterator[Problem]:
    """Somebody has to have what a badge step asks for, where people are listed at all."""
    people = parts.names("masters", "people")
    if not people:
        return
    for word, rule, many in (("role", "no_role", "roles"), ("training", "no_training", "training")):
        if (asked := parts.text(*path, word)) is not None:
            known = {one for person in people for _, one in parts.texts("masters", "people", person, many)}
            if many == "roles" and any(not parts.has("masters", "people", person, many) for person in people):
                known.update(PersonFile.model_fields["roles"].default)
            yield from unknown(parts, rule, (*path, word), asked, sorted(known))


def _measure(parts: Parts, path: Path) -> Iterator[Problem]:
    if (signal := parts.text(*path, "while")) is not None:
        yield from _tag(parts, (*path, "while"), signal)
    for name in parts.names(*path, "measure"):
        at = (*path, "measure", name)
        tag = parts.text(*at, "tag")
        if tag is None or "." not in tag:
            continue  # its form is told already
        wrong = list(_tag(parts, (*at, "tag"), tag))
        yield from wrong
        if not wrong and (not parts.has(*at, "within") or parts.text(*at, "within") == "limits"):
            yield from _has_limits(parts, at, tag)


def _tag(parts: Parts, path: Path, tag: str) -> Iterator[Problem]:
    device, dot, short = tag.partition(".")
    if not dot:
        return
    if device not in parts.names("devices"):
        yield from unknown(parts, "no_device", path, device, parts.names("devices"))
        return
    part = parts.devices.get(device)
    tags = tags_of(device, part) or {} if part is not None and part.options is not None else None
    if tags is not None and short not in tags:
        yield parts.wrong("no_tag", path, device=device, got=quoted(short), near=near_or_known(short, tags))


def _has_limits(parts: Parts, path: Path, tag: str) -> Iterator[Problem]:
    device, _, short = tag.partition(".")
    part = parts.devices.get(device)
    if part is None or part.options is None:
        return
    one = (tags_of(device, part) or {}).get(short)
    limits = getattr(one, "limits", one)
    if getattr(limits, "low", None) is None and getattr(limits, "high", None) is None:
        at = parts.place(*path, "within") if parts.has(*path, "within") else parts.key_place(*path)
        second = parts.key_place("devices", device, "tags", short)
        yield parts.wrong("limits_none", (*path, "within"), at, second, tag=tag)
