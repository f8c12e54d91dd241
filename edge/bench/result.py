"""What a row of the bench says: figures against their targets, and the table they are printed as."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from edge.wording import Words


class Size(StrEnum):
    """How long a row may take."""

    FULL = "full"  #: the figures of the table
    QUICK = "quick"  #: seconds; whether it runs, not how fast it is


class Bound(StrEnum):
    """On which side of its target a figure should be."""

    EXACTLY = "="
    AT_MOST = "≤"
    AT_LEAST = "≥"


class Target(Struct, frozen=True):
    """A promise of the speed table."""

    bound: Bound
    value: float

    def holds(self, value: float) -> bool:
        """Whether ``value`` keeps it."""
        match self.bound:
            case Bound.EXACTLY:
                return value == self.value
            case Bound.AT_MOST:
                return value <= self.value
            case Bound.AT_LEAST:
                return value >= self.value


def at_most(value: float) -> Target:
    return Target(Bound.AT_MOST, value)


def at_least(value: float) -> Target:
    return Target(Bound.AT_LEAST, value)


def exactly(value: float) -> Target:
    return Target(Bound.EXACTLY, value)


class Figure(Struct, frozen=True, kw_only=True):
    """One measured value: the median of ``samples``, one sample a repetition; none where it could not be measured."""

    what: Words
    unit: str  #: "F", "×", "%", "B", "s", "MB", ""
    samples: tuple[float, ...]
    target: Target | None = None  #: None: said for comparison, promised nowhere
    note: Words = Words("", "")

    @property
    def value(self) -> float | None:
        return statistics.median(self.samples) if self.samples else None

    @property
    def verdict(self) -> str:
        """ "pass", "MISS", or "–" where nothing is promised or nothing could be measured."""
        if self.target is None or self.value is None:
            return "–"
        return "pass" if self.target.holds(self.value) else "MISS"


_HEAD: Final = Words(
    "| row | what | measured | target | | repetitions | in figures |",
    "| 行 | 内容 | 实测 | 目标 | | 各次 | 数值 |",
)
_NOT_MEASURED: Final = Words("not measured here", "此处未测")


def head(language: str) -> list[str]:
    """The first lines of the markdown table."""
    return [_HEAD.to(language), "|---|---|---|---|---|---|---|"]


def lines(row: str, figures: Iterable[Figure], language: str) -> list[str]:
    """The lines of one row."""
    return [
        f"| {row} | {figure.what.to(language)} | {_measured(figure, language)} | {_target(figure)} | {figure.verdict} "
        f"| {_spread(figure.samples)} | {figure.note.to(language)} |"
        for figure in figures
    ]


def number(value: float) -> str:
    """Three digits that matter, thousands apart."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _measured(figure: Figure, language: str) -> str:
    if figure.value is None:
        return _NOT_MEASURED.to(language)
    return f"**{number(figure.value)}** {figure.unit}".rstrip()


def _target(figure: Figure) -> str:
    if figure.target is None:
        return "–"
    return f"{figure.target.bound} {number(figure.target.value)} {figure.unit}".rstrip()


def _spread(samples: Sequence[float]) -> str:
    if len(samples) < 2:
        return str(len(samples))
    return f"{len(samples)}: {number(min(samples))} … {number(max(samples))}"
