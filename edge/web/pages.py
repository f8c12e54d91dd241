"""The markup: templates, and the few helpers that say a thing once for the server and the browser.

``text(at, "unit.id")`` writes an element with the value of that place in the screen *and* names the place in
``data-text``; ``fill.js`` later puts new values into the same elements. So the page is readable without scripts, and
there is one description of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from edge.web.screen import Screen, age
from edge.wording.page import PAGE

_HERE: Final = Path(__file__).resolve().parent
_TYPES: Final = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


class Pages:
    """Templates and static files, read once. ``build`` changes when any of them does."""

    def __init__(self) -> None:
        files = sorted((_HERE / "static").iterdir())
        self.static: dict[str, tuple[bytes, str]] = {
            file.name: (file.read_bytes(), _TYPES[file.suffix]) for file in files if file.suffix in _TYPES
        }
        templates = sorted((_HERE / "templates").glob("*.html"))
        sources = [content for content, _ in self.static.values()] + [file.read_bytes() for file in templates]
        self.build = hashlib.sha256(b"\0".join(sources)).hexdigest()[:12]
        self._environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(text=text, bind=bind, each=each, at=at, ages=_ages)

    def render(self, template: str, language: str, **fields: Any) -> str:
        """``template`` in ``language``; ``say`` in it is the table of the page's own words."""
        say = {name: words.to(language) for name, words in PAGE.items()}
        return self._environment.get_template(template).render(
            say=say, words=PAGE, language=language, other="en" if language == "zh" else "zh", build=self.build, **fields
        )


def at(scope: Screen, path: str) -> Any:
    """The value at ``path`` ("unit.id") of ``scope``; "" where there is none, as in the pattern of a list's item."""
    value: Any = scope
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return ""
        value = value[name]
    return value


def text(scope: Screen, path: str, tag: str = "span", style: str = "", /, **attributes: str) -> Markup:
    """An element whose text is the value at ``path``."""
    fixed = Markup("").join(
        Markup(' {}="{}"').format(name.replace("_", "-"), value) for name, value in attributes.items()
    )
    named = Markup(' class="{}"').format(style) if style else Markup("")
    return Markup('<{tag}{named}{fixed} data-text="{path}">{value}</{tag}>').format(
        tag=Markup(tag), named=named, fixed=fixed, path=path, value=at(scope, path)
    )


def bind(scope: Screen, /, show: str = "", hide: str = "", **attributes: str) -> Markup:
    """Attributes that follow the screen: shown with or without a value, or ``name="path"`` (``_`` is ``-``)."""
    written = []
    if show:
        written.append(Markup('data-show="{}"{}').format(show, Markup("" if at(scope, show) else " hidden")))
    if hide:
        written.append(Markup('data-hide="{}"{}').format(hide, Markup(" hidden" if at(scope, hide) else "")))
    if attributes:
        named = {name.replace("_", "-"): path for name, path in attributes.items()}
        written.append(Markup('data-bind="{}"').format(" ".join(f"{name}:{path}" for name, path in named.items())))
        written.extend(Markup('{}="{}"').format(name, _attribute(at(scope, path))) for name, path in named.items())
    return Markup(" ").join(written)


def _attribute(value: Any) -> str:
    """A value as the browser writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def each(scope: Screen, path: str, item: Callable[[Screen], Markup], tag: str = "ul", style: str = "") -> Markup:
    """A list whose items are drawn by the macro ``item``; its pattern travels along for the browser."""
    values: Sequence[Screen] = at(scope, path)
    return Markup('<{tag} class="{style}" data-each="{path}"><template>{pattern}</template>{items}</{tag}>').format(
        tag=Markup(tag),
        style=style,
        path=path,
        pattern=item({}),
        items=Markup("").join(item(value) for value in values),
    )


def _ages(scope: Screen, path: str, language: str, style: str = "") -> Markup:
    """An age that the browser counts up."""
    seconds = at(scope, path)
    shown = age(seconds, language) if seconds != "" else ""
    return Markup('<span class="{}" data-age="{}">{}</span>').format(style, path, shown)
