"""The JSON Schema of the file (draft 2020-12), generated from the models that check it, so that the two cannot differ.

An editor with a YAML language server completes and explains by it. Where a text is expected a number may stand (it is
taken as written), and the model of a device is told by its ``driver``, of a destination by its ``sink``.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Final

from edge.config.base import ID_PATTERN
from edge.config.site import Site

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema(*, drivers: Mapping[str, str], sinks: Mapping[str, str]) -> dict[str, Any]:
    """The schema. Imports the module of every driver and sink. Raises ModuleNotFoundError where a package is missing."""
    whole = Site.model_json_schema()
    definitions = whole["$defs"]
    properties = whole["properties"]
    properties["devices"]["patternProperties"] = {ID_PATTERN: _choice("driver", drivers, definitions)}
    properties["destinations"]["patternProperties"] = {ID_PATTERN: _choice("sink", sinks, definitions)}
    properties["include"] = {
        "description": "files to read as well, relative to this one",
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    }
    # under ``procedures:`` the key is the name; a procedure in a file of its own says it
    definitions["ProcedureFile"]["required"].remove("procedure")
    loosened: dict[str, Any] = _as_read(whole)
    return {"$schema": _DIALECT, "title": "Lotline: one line PC", **{k: v for k, v in loosened.items() if k != "title"}}


def _choice(word: str, table: Mapping[str, str], definitions: dict[str, Any]) -> dict[str, Any]:
    """One of the option models; which one is told by ``word``."""
    for name, module in table.items():
        options = importlib.import_module(module).Options
        part = options.model_json_schema(ref_template=f"#/$defs/{word}.{name}.{{model}}")
        for model, definition in part.pop("$defs", {}).items():
            definitions[f"{word}.{name}.{model}"] = definition
        part["properties"] = {word: {"const": name}, **part.get("properties", {})}
        part["required"] = [word, *part.get("required", [])]
        definitions[f"{word}.{name}"] = part
    return {
        "type": "object",
        "required": [word],
        "properties": {word: {"enum": list(table)}},
        "oneOf": [{"$ref": f"#/$defs/{word}.{name}"} for name in table],
    }


def _as_read(part: Any) -> Any:
    if isinstance(part, list):
        return [_as_read(one) for one in part]
    if not isinstance(part, dict):
        return part
    loose = {key: _as_read(value) for key, value in part.items()}
    if loose.get("type") == "string" and not loose.keys() & {"enum", "const", "format"}:
        loose["type"] = ["string", "number"]
    if "patternProperties" in loose:  # what is no id is refused, not overlooked
        loose["additionalProperties"] = False
    return loose
