"""Scanned text is hostile: whatever it holds is shown, nothing of it acts.

Markup is harmless by escaping (templates) and ``textContent`` (browser). What remains are characters that have no shape
of their own but change how others look: controls, bidirectional overrides, zero-width joins, lone surrogates. Each is
shown as a sign: GS as ␝, U+202E as ⟨U+202E⟩. A person comparing the screen with the label sees that there is one.
"""

from __future__ import annotations

import re
from typing import Any, Final

_SHAPELESS: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    """``text`` with every shapeless character replaced by a sign for it."""
    return _SHAPELESS.sub(_sign, text)


def visible_document(value: Any) -> Any:
    """A document with ``visible`` applied to every string in it, keys excepted."""
    match value:
        case str():
            return visible(value)
        case dict():
            return {key: visible_document(part) for key, part in value.items()}
        case list() | tuple():
            return [visible_document(part) for part in value]
        case _:
            return value


def _sign(found: re.Match[str]) -> str:
    point = ord(found[0])
    if point < 0x20:
        return chr(0x2400 + point)  # Unicode's Control Pictures stand in the order of the controls
    if point == 0x7F:
        return "␡"
    return f"⟨U+{point:04X}⟩"
