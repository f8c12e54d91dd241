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
from edge.config.near import near, near_or_known
from edge.config.nodes import Map, Node, Text, hide, walk
from edge.config.parts import Part, Parts, quoted
from edge.config.problem import Problem, problem
from edge.config.procedure import (
    BadgeStep,
    ConsumeStep,
    DoneStep,
    LoadStep,
    MeasureStep,
    ProcedureFile,
    UnitStep,
)
from edge.config.site import StationFile
from edge.wording.config import SAY, say

#: the groups a house format may name (edge.identify fills a Code from them)
GROUPS: Final = ("badge", "order", "material", "lot", "serial", "quantity", "expiry", "position", "command")
#: what devices on one serial line have to agree in (MODBUS over Serial Line V1.02 §2.5.1)
_LINE: Final = ("baudrate", "parity", "stopbits", "bytesize")
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
    for name, one in parts.procedures.items():
        yield from _procedure(parts, name, one)
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
        for path, node in walk(
            parts.spot(section).node if parts.names(section) else Map(place=parts.root.place, pairs={})
        ):
            if isinstance(node, Text) and _URL_PASSWORD.search(node.text):
                hide(node)
                yield parts.wrong("secret_url", (section, *path))


def _ports(parts: Parts) -> Iterator[Problem]:
    users: dict[str, list[str]] = {}
    for name, part in parts.devices.items():
        if (key := _port(part)) is not None:
            users.setdefault(key, []).append(name)
    for key, names in users.items():
        for index, name in enumerate(names[1:], 1):
            yield from _shared(parts, key, names[0], name)
            yield from _same_unit(parts, names[:index], name)


def _port(part: Part) -> str | None:
    if part.options is None:
        return None
    if (asked := getattr(part.module, "port_key", None)) is not None:
        key: str | None = asked(part.options)
        return key
    port = getattr(part.options, "port", None)
    return port if isinstance(port, str) else None


def _shared(parts: Parts, key: str, first: str, name: str) -> Iterator[Problem]:
    one, other = parts.devices[name], parts.devices[first]
    where = parts.place("devices", first, "port")
    if one.name != other.name or not hasattr(one.module, "build_bus"):
        at = parts.place("devices", name, "port")
        shown = parts.spot("devices", name, "port").node
        port = shown.text if isinstance(shown, Text) else key
        yield parts.wrong("port_taken", ("devices", name, "port"), at, where, port=port, other=first)
        return
    for setting in _LINE:
        ours, theirs = getattr(one.options, setting, None), getattr(other.options, setting, None)
        if ours != theirs:
            yield parts.wrong(
                "line_settings",
                ("devices", name, setting),
                None,
                parts.place("devices", first, setting),
                other=first,
                setting=setting,
                ours=ours,
                theirs=theirs,
            )


def _same_unit(parts: Parts, before: list[str], name: str) -> Iterator[Problem]:
    unit = getattr(parts.devices[name].options, "unit_id", None)
    for other in before:
        if unit is not None and getattr(parts.devices[other].options, "unit_id", None) == unit:
            second = parts.place("devices", other, "unit_id")
            yield parts.wrong("unit_id_taken", ("devices", name, "unit_id"), None, second, other=other, ours=unit)
            return


def _listeners(parts: Parts) -> Iterator[Problem]:
    for name, part in parts.devices.items():
        options = part.options
        if (
            getattr(options, "mode", None) == "listen"
            and parts.web.port
            and getattr(options, "port", 0) == parts.web.port
        ):
            second = parts.place("devices", name, "port")
            yield parts.wrong("web_port", ("web", "port"), None, second, other=name, port=parts.web.port)


def _formats(parts: Parts) -> Iterator[Problem]:
    for name, one in parts.formats.items():
        path = ("formats", name, "pattern")
        try:
            groups = re.compile(one.pattern).groupindex
        except (re.error, RecursionError, OverflowError) as exc:
            yield parts.wrong("regex", path, why=str(exc))
            continue
        if not groups:
            yield parts.wrong("regex_groups", path)
        for group in groups:
            if group not in GROUPS:
                yield parts.wrong(
                    "regex_group", path, got=quoted(group), near=near(group, GROUPS), choices=", ".join(GROUPS)
                )


def _stations(parts: Parts) -> Iterator[Problem]:
    devices, procedures = parts.names("devices"), parts.names("procedures")
    owners: dict[str, tuple[str, int]] = {}
    for name, station in parts.stations.items():
        yield from unknown(parts, "no_procedure", ("stations", name, "procedure"), station.procedure, procedures)
        for index, scanner in enumerate(station.scanners):
            path = ("stations", name, "scanners", index)
            yield from unknown(parts, "no_device", path, scanner, devices)
            yield from _scanner(parts, path, scanner, station)
            owner, at = owners.setdefault(scanner, (name, index))
            if owner != name:
                second = parts.place("stations", owner, "scanners", at)
                yield parts.wrong("scanner_taken", path, None, second, got=quoted(scanner), station=owner)
            elif at != index:
                second = parts.place("stations", owner, "scanners", at)
                yield parts.wrong("scanner_repeated", path, None, second, got=quoted(scanner))


def _scanner(parts: Parts, path: Path, scanner: str, station: StationFile) -> Iterator[Problem]:
    part = parts.devices.get(scanner)
    if part is not None and part.options is not None and tags_of(part) is not None:
        yield parts.wrong("not_a_scanner", path, got=quoted(scanner), driver=part.name)


def tags_of(part: Part) -> Mapping[str, object] | None:
    """The tags of a device by their short name; None for one that has none by nature."""
    if (asked := getattr(part.module, "tags", None)) is not None:
        return {tag.name.partition(".")[2] or tag.name: tag for tag in asked(part.name, part.options)}
    tags = getattr(part.options, "tags", None)
    return tags if isinstance(tags, Mapping) else None


def _procedure(parts: Parts, name: str, one: ProcedureFile) -> Iterator[Problem]:
    base: Path = ("procedures", name)
    if one.procedure != name:
        yield parts.wrong("procedure_name", (*base, "procedure"), got=quoted(one.procedure), key=name)
    for index, listed in enumerate(one.order.any):
        yield from unknown(parts, "no_step", (*base, "order", "any", index), listed, list(one.steps))
    done = ""
    for step_name, step in one.steps.items():
        path = (*base, "steps", step_name)
        match step:
            case BadgeStep():
                yield from _person(parts, path, step)
            case MeasureStep():
                yield from _measure(parts, path, step)
            case _:
                pass
        second = parts.key_place(*base, "steps", done) if done else None
        at = parts.key_place(*path)
        if done and isinstance(step, DoneStep):
            yield parts.wrong("done_twice", path, at, second, done=done)
        elif done and isinstance(step, UnitStep | LoadStep | ConsumeStep | MeasureStep):
            yield parts.wrong("after_done", path, at, second, step=step_name, done=done)
        elif isinstance(step, DoneStep):
            done = step_name


def _person(parts: Parts, path: Path, step: BadgeStep) -> Iterator[Problem]:
    people = list(parts.people.values())
    if parts.pulled or not people or len(people) < len(parts.names("masters", "people")):
        return
    roles = list(dict.fromkeys(role for person in people for role in person.roles))
    trainings = list(dict.fromkeys(training for person in people for training in person.training))
    yield from unknown(parts, "no_role", (*path, "role"), step.role, roles)
    if step.training is not None:
        yield from unknown(parts, "no_training", (*path, "training"), step.training, trainings)


def _measure(parts: Parts, path: Path, step: MeasureStep) -> Iterator[Problem]:
    if step.while_ is not None:
        yield from _tag(parts, (*path, "while"), step.while_)
    for name, measure in step.measure.items():
        at = (*path, "measure", name)
        wrong = list(_tag(parts, (*at, "tag"), measure.tag))
        yield from wrong
        if not wrong and measure.within == "limits":
            yield from _has_limits(parts, at, measure.tag)


def _tag(parts: Parts, path: Path, tag: str) -> Iterator[Problem]:
    device, _, short = tag.partition(".")
    if device not in parts.names("devices"):
        yield from unknown(parts, "no_device", path, device, parts.names("devices"))
        return
    part = parts.devices.get(device)
    if part is None or part.options is None:
        return  # its own mistakes are told; what tags it will have is not known
    tags = tags_of(part) or {}
    if short not in tags:
        yield parts.wrong("no_tag", path, device=device, got=quoted(short), near=near_or_known(short, tags))


def _has_limits(parts: Parts, path: Path, tag: str) -> Iterator[Problem]:
    device, _, short = tag.partition(".")
    part = parts.devices.get(device)
    if part is None or part.options is None:
        return
    one = (tags_of(part) or {}).get(short)
    limits = getattr(one, "limits", one)
    if getattr(limits, "low", None) is None and getattr(limits, "high", None) is None:
        at = (
            parts.place(*path, "within")
            if parts.spot(*path, "within").path == (*path, "within")
            else parts.key_place(*path)
        )
        second = parts.key_place("devices", device, "tags", short)
        yield parts.wrong("limits_none", (*path, "within"), at, second, tag=tag)
