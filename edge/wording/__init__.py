"""What people read, in both languages, by a stable code.

A table of sentences stands in the file of its subject (``station``, ``config``, ``cli``, …). Sentences are whole, with named
places; they are never glued together. A test holds both languages to the same places.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Words(Struct, frozen=True):
    """One text in both languages."""

    en: str
    zh: str

    def fill(self, fields: Mapping[str, object]) -> Words:
        """With every ``{name}`` filled in; a field may itself be Words."""
        return Words(
            self.en.format_map(
                {name: value.en if isinstance(value, Words) else value for name, value in fields.items()}
            ),
            self.zh.format_map(
                {name: value.zh if isinstance(value, Words) else value for name, value in fields.items()}
            ),
        )

    def to(self, language: str) -> str:
        """In ``language`` ("en" or "zh…"); English for any other."""
        return self.zh if language.startswith("zh") else self.en
