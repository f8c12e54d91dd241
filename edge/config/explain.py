"""pydantic's errors in our sentences, at their places in the file.

The table is by error type (pydantic 2.14, "Validation Errors"). Where a value may be of several kinds, pydantic tells
the complaint of each; they become one sentence. A key that is missing because it stands there misspelt is told once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from msgspec import Struct
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from edge.config import fields, widechars
from edge.config.base import ID_PATTERN
from edge.config.masters import GTIN_PATTERN
from edge.config.near import NOTHING, either, mean, near, nearest
from edge.config.nodes import Map, Node, Seq, Text, data, hide, walk
from edge.config.problem import Place, Problem, problem
from edge.config.procedure import KINDS, TAG_PATTERN
from edge.config.secrets import Mark
from edge.config.site import IDENTITY_PATTERN
from edge.config.units import near_units
from edge.wording import Words
from edge.wording.config import SAY, say

Path = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)

#: error type -> what was expected; these can be put together with "or"
_KINDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("string_type", "string_sub_type", "string_unicode"), "is_text"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "is_whole"),
    **dict.fromkeys(("float_type", "float_parsing", "decimal_type", "decimal_parsing"), "is_number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "is_bool"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type", "mapping_type"), "is_map"),
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type", "iterable_type"), "is_list"),
}
#: error type -> (sentence, name of its limit in pydantic's context)
_BOUNDS: Final[Mapping[str, tuple[str, str]]] = {
    "greater_than_equal": ("at_least", "ge"),
    "less_than_equal": ("at_most", "le"),
    "greater_than": ("more_than", "gt"),
    "less_than": ("less_than", "lt"),
    "multiple_of": ("multiple", "multiple_of"),
    "string_too_long": ("text_long", "max_length"),
}
_PATTERNS: Final[Mapping[str, str]] = {
    ID_PATTERN: "pattern_id",
    GTIN_PATTERN: "pattern_gtin",
    IDENTITY_PATTERN: "pattern_identity",
    TAG_PATTERN: "pattern_tag",
}
_LONG: Final = 40


class Spot(Struct, frozen=True):
    """Where an error belongs: the path as far as the file has it, the key and the node there."""

    path: Path
    key: Text | None
    node: Node

    @property
    def place(self) -> Place:
        """Where the value begins; of a mapping or an empty value, its key."""
        if self.key is not None and (not isinstance(self.node, Text) or not self.node.text):
            return self.key.place
        return self.node.place


class _Fault(Struct, frozen=True):
    """One pydantic error at its spot. ``name`` is the key it is about, where it is about a key."""

    spot: Spot
    kind: str
    name: str
    error: ErrorDetails


def check(model: type[M], node: Node, prefix: Path = (), *, key: Text | None = None) -> M | list[Problem]:
    """``node`` as ``model``, or every mistake in it. Numbers become text where text is expected."""
    problems: dict[Path, Problem] = {}
    for path, leaf, kind in fields.leaves(model, node):
        if (found := _converted(leaf, kind, prefix + path)) is not None:
            problems[path] = found
    try:
        made = model.model_validate(data(node, Mark))
    except ValidationError as exc:
        faults = [_fault(error, node, key) for error in exc.errors(include_url=False)]
        for fault, words, rule in _explained(faults, model):
            path = (*fault.spot.path, fault.name) if fault.name else fault.spot.path
            if path not in problems:
                problems[path] = problem(rule, _place(fault), path_text(prefix + path), words)
                _hide(rule, fault.spot.node)
        return list(problems.values())
    return list(problems.values()) or made


def path_text(path: Iterable[str | int]) -> str:
    """``masters.lots[2].expiry``; lists count from 1, as people do."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return _short(text, 200)


def got(node: Node) -> Words:
    """What stands there, as written."""
    match node:
        case Map():
            return SAY["is_map"]
        case Seq():
            return SAY["is_list"]
        case Text(tag=tag) if tag:
            return SAY["is_secret"]
        case Text(bare=True, text=text) if not text:
            return SAY["is_nothing"]
        case Text(text=text):
            return Words(f"'{_short(text)}'", f"'{_short(text)}'")


def locate(root: Node, loc: Iterable[str | int], key: Text | None = None) -> Spot:
    """Follow ``loc`` through ``root``; parts that are no keys (pydantic names its branches there) are passed over."""
    node = root
    path: list[str | int] = []
    for part in loc:
        if isinstance(node, Map) and (pair := node.pairs.get(str(part))) is not None:
            key, node = pair
            path.append(str(part))
        elif isinstance(node, Seq) and isinstance(part, int) and part < len(node.items):
            key, node = None, node.items[part]
            path.append(part)
    return Spot(tuple(path), key, node)


def _converted(leaf: Text, kind: type, path: Path) -> Problem | None:
    """What pydantic would convert and should not."""
    value = leaf.value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is str and number:
        leaf.bare = False  # 09506000134352 is a GTIN, not a number: the text as it was written
        return None
    if kind is bool and not isinstance(value, bool):
        rule, words = "bool_word", say("bool_word", got=got(leaf))
    elif kind in (int, float) and isinstance(value, bool):
        rule = "expected"
        words = say("expected", expected=SAY["is_whole" if kind is int else "is_number"], got=got(leaf))
    else:
        return None
    return problem(rule, leaf.place, path_text(path), words)


def _fault(error: ErrorDetails, root: Node, key: Text | None) -> _Fault:
    loc = error["loc"]
    name = ""
    if error["type"] in ("missing", "extra_forbidden") or loc[-1:] == ("[key]",):
        cut = -2 if loc[-1:] == ("[key]",) else -1
        name, loc = str(loc[cut]), loc[:cut]
    return _Fault(locate(root, loc, key), error["type"], name, error)


def _place(fault: _Fault) -> Place:
    node = fault.spot.node
    if fault.name and isinstance(node, Map) and fault.name in node.pairs:
        return node.pairs[fault.name][0].place
    return fault.spot.place


def _explained(faults: list[_Fault], model: type[BaseModel]) -> list[tuple[_Fault, Words, str]]:
    groups: dict[tuple[Path, str], list[_Fault]] = {}
    for fault in faults:
        groups.setdefault((fault.spot.path, fault.name), []).append(fault)
    told = []
    for (path, name), group in groups.items():
        container = not isinstance(group[0].spot.node, Text)
        deeper = any(
            (len(other) > len(path) and other[: len(path)] == path) or (other == path and more)
            for other, more in groups
        )
        if not name and container and deeper and all(_expectation(one) for one in group):
            continue  # one branch wants a word, but a mapping stands there and another branch knows what is wrong in it
        if group[0].kind == "missing" and _misspelt(group[0], groups):
            continue
        words, rule = _sentence(group, model)
        told.append((group[0], words, rule))
    return told


def _misspelt(fault: _Fault, groups: Iterable[tuple[Path, str]]) -> bool:
    """Is the missing key there under a wrong name?"""
    node = fault.spot.node
    there = node.pairs if isinstance(node, Map) else {}
    wrong = [name for path, name in groups if path == fault.spot.path and name in there]
    return any(
        fault.name in nearest(name, [fault.name]) or (name.strip("　 ").startswith(fault.name) and widechars.of(name))
        for name in wrong
    )


def _sentence(group: list[_Fault], model: type[BaseModel]) -> tuple[Words, str]:
    """One sentence for all complaints about one place, with its code."""
    fault = group[0]
    node = fault.spot.node
    if fault.kind == "missing":
        return say("missing_key", key=fault.name), "missing_key"
    if fault.kind == "extra_forbidden":
        if code := widechars.of(fault.name):
            return SAY[code], code
        keys = fields.keys_at(model, fault.spot.path, node)
        return say("unknown_key", key=_short(fault.name), near=near(fault.name, keys)), "unknown_key"
    if isinstance(node, Text) and not fault.name and node.tag and not fault.kind.startswith("secret"):
        return SAY["secret_here"], "secret_here"
    if isinstance(node, Text) and node.bare and (code := widechars.of(node.text)):
        return SAY[code], code
    special = [one for one in group if _expectation(one) is None]
    if special:
        return _special(special[0])
    expected = [words for one in group if (words := _expectation(one)) is not None]
    if all(one.kind in ("literal_error", "enum") for one in group):
        choices = [word for one in group for word in _choices(one.error)]
        words = say("choice", choices=either(_quoted(choices)), got=got(node), near=_near(node, choices))
        return words, "choice"
    return say("expected", expected=either(list(dict.fromkeys(expected))), got=got(node)), "expected"


def _expectation(fault: _Fault) -> Words | None:
    """What kind of value was wanted, where the error is only about that."""
    if fault.kind in _KINDS:
        return SAY[_KINDS[fault.kind]]
    if fault.kind in ("literal_error", "enum"):
        return either(_quoted(_choices(fault.error)))
    return None


def _choices(error: ErrorDetails) -> list[str]:
    # pydantic gives them as one English sentence: 'a', 'b' or 'c'
    text = str(error.get("ctx", {}).get("expected", ""))
    return [part.strip().strip("'") for piece in text.split(", ") for part in piece.split(" or ")]


def _quoted(words: list[str]) -> list[Words]:
    return [Words(f"'{word}'", f"'{word}'") for word in words]


def _near(node: Node, choices: list[str]) -> Words:
    return near(node.text, choices) if isinstance(node, Text) else NOTHING


def _special(fault: _Fault) -> tuple[Words, str]:
    kind, node = fault.kind, fault.spot.node
    context = fault.error.get("ctx", {})
    shown = Words(f"'{_short(fault.name)}'", f"'{_short(fault.name)}'") if fault.name else got(node)
    if kind in _BOUNDS:
        code, name = _BOUNDS[kind]
        limit = context[name]
        return say(code, limit=f"{limit:g}" if isinstance(limit, float) else limit, got=shown), code
    if (maker := _MAKERS.get(kind)) is not None:
        return maker(fault, context, shown)
    if kind.startswith(("date", "time")):
        return _date(fault, shown)
    message = fault.error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    message = message[:1].lower() + message[1:] if message.startswith("Input ") else message
    return _plain(Words(message, message), node, shown), kind


_Maker = Callable[[_Fault, Mapping[str, Any], Words], tuple[Words, str]]


def _pattern(fault: _Fault, context: Mapping[str, Any], shown: Words) -> tuple[Words, str]:
    pattern = str(context["pattern"])
    code = _PATTERNS.get(pattern, "pattern")
    return say(code, pattern=pattern, got=shown), code


def _text_short(fault: _Fault, context: Mapping[str, Any], shown: Words) -> tuple[Words, str]:
    code = "text_empty" if fault.error["input"] == "" else "text_short"
    return say(code, limit=context["min_length"], got=shown), code


def _few(fault: _Fault, context: Mapping[str, Any], shown: Words) -> tuple[Words, str]:
    return say("few", limit=context["min_length"], got=context["actual_length"]), "few"


def _lots(fault: _Fault, context: Mapping[str, Any], shown: Words) -> tuple[Words, str]:
    actual = context.get("actual_length")
    return say("lots", limit=context["max_length"], got=context["max_length"] + 1 if actual is None else actual), "lots"


def _date(fault: _Fault, shown: Words) -> tuple[Words, str]:
    code = "time" if fault.kind.startswith("time") else "date"
    return say(code, got=shown), code


def _unit(fault: _Fault, context: Mapping[str, Any], shown: Words) -> tuple[Words, str]:
    text = str(context["text"])
    choices = [Words(f"'{one}' ({unit.en})", f"'{one}'（{unit.zh}）") for one, unit in near_units(text)]
    return say("unit", text=_short(text), near=mean(choices)), "unit"


def _step_kind(fault: _Fault, context: Mapping[str, Any], shown: Words) -> tuple[Words, str]:
    words = [word for word in KINDS if word != "training"]
    there = fault.spot.node.pairs if isinstance(fault.spot.node, Map) else {}
    hit = next((one for key in there for one in nearest(key, words)), None)
    return say("step_kind", choices=", ".join(words), near=mean(_quoted([hit] if hit else []))), "step_kind"


def _said(fault: _Fault, context: Mapping[str, Any], shown: Words) -> tuple[Words, str]:
    return _plain(Words(str(context["en"]), str(context["zh"])), fault.spot.node, shown), "said"


def _plain(sentence: Words, node: Node, shown: Words) -> Words:
    """A sentence that is not ours, with what was written; of a whole mapping that would say nothing."""
    return say("plain" if isinstance(node, Text) else "plain_map", problem=sentence, got=shown)


def _secret(fault: _Fault, context: Mapping[str, Any], shown: Words) -> tuple[Words, str]:
    key = fault.spot.key.text if fault.spot.key is not None else "key"
    return say(fault.kind, key=key), fault.kind


def _finite(fault: _Fault, context: Mapping[str, Any], shown: Words) -> tuple[Words, str]:
    return say("finite", got=shown), "finite"


_MAKERS: Final[Mapping[str, _Maker]] = {
    "string_pattern_mismatch": _pattern,
    "string_too_short": _text_short,
    "too_short": _few,
    "too_long": _lots,
    "unit": _unit,
    "step_kind": _step_kind,
    "said": _said,
    "secret_plain": _secret,
    "secret_name": _secret,
    "finite_number": _finite,
}


def _hide(rule: str, node: Node) -> None:
    """A secret that stands in plain text is not printed, whichever mistake of its line is shown."""
    if rule == "secret_plain":
        for _, one in walk(node):
            if isinstance(one, Text):
                hide(one)


def _short(text: str, most: int = _LONG) -> str:
    shown = "".join(char if char.isprintable() else "·" for char in text[: most + 1])
    return shown if len(shown) <= most else shown[: most - 1] + "…"
