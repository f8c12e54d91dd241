"""Process parameters and climate over the time they belong to.

A station watches the tags its procedure measures. A step with ``while`` keeps the last window in which the machine's signal was on,
from rising to falling; any other step keeps everything since the unit began. Windows hold sums, not readings: the readings
themselves are in the reading store, and a window names the range that proves it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct

from edge.config.procedure import Measure, MeasureStep
from edge.model import Layout, Quality, Readings, Tag

_LAYOUTS_MAX: Final = 256  # a device makes a new layout at each reconnect; old ones need not be remembered


class Window(Struct, frozen=True, kw_only=True):
    """What one tag did over one window, in the tag's unit. Fields in ``_ns`` are monotonic; ``closed_ns`` 0 means still open."""

    tag: Tag
    device: str
    start: datetime
    start_ns: int
    end: datetime
    last_ns: int
    count: int
    low: float
    high: float
    mean: float
    last: float
    all_good: bool
    closed_ns: int = 0
    gap_ns: int = 0  #: longest silence between two of its readings
    carried: bool = False  #: no reading fell inside; this is the last one before


class Live(Struct, kw_only=True):
    """The last value of one tag."""

    tag: Tag
    device: str
    value: float
    at: datetime
    monotonic_ns: int
    quality: Quality


class _Sum:
    """A window being filled."""

    __slots__ = (
        "all_good",
        "count",
        "device",
        "end",
        "gap_ns",
        "high",
        "last",
        "last_ns",
        "low",
        "start",
        "start_ns",
        "tag",
        "total",
    )

    def __init__(self, tag: Tag, device: str, at: datetime, monotonic_ns: int) -> None:
        self.tag, self.device = tag, device
        self.start, self.start_ns = at, monotonic_ns
        self.end, self.last_ns = at, monotonic_ns
        self.count, self.total = 0, 0.0
        self.low, self.high, self.last = math.inf, -math.inf, math.nan
        self.all_good = True
        self.gap_ns = 0

    def add(self, value: float, at: datetime, monotonic_ns: int, quality: Quality) -> None:
        if self.count:
            self.gap_ns = max(self.gap_ns, monotonic_ns - self.last_ns)
        self.count += 1
        self.total += value
        self.low, self.high, self.last = min(self.low, value), max(self.high, value), value
        self.end, self.last_ns = at, monotonic_ns
        self.all_good = self.all_good and quality is Quality.GOOD

    def window(self, closed_ns: int = 0, *, carried: bool = False) -> Window:
        digits = self.tag.digits
        return Window(
            tag=self.tag,
            device=self.device,
            start=self.start,
            start_ns=self.start_ns,
            end=self.end,
            last_ns=self.last_ns,
            count=self.count,
            low=round(self.low, digits),
            high=round(self.high, digits),
            mean=round(self.total / self.count, digits),
            last=round(self.last, digits),
            all_good=self.all_good,
            closed_ns=closed_ns,
            gap_ns=self.gap_ns,
            carried=carried,
        )


class _StepWindows:
    """The windows of one measure step."""

    def __init__(self, step: MeasureStep, live: Mapping[str, Live]) -> None:
        self.live = live
        self.tags = {name: measure.tag for name, measure in step.measure.items()}
        self.signal = step.while_
        self.on = False
        self.spoiled = False
        self.open: dict[str, _Sum] = {}  # by tag
        self.closed: dict[str, Window] = {}

    def take(self, tag: Tag, device: str, value: float, readings: Readings) -> None:
        if tag.name == self.signal:
            self._switch(value != 0, readings.monotonic_ns)
        if tag.name in self.tags.values() and (self.signal is None or self.on):
            total = self.open.get(tag.name)
            if total is None:
                total = self.open[tag.name] = _Sum(tag, device, readings.captured_at, readings.monotonic_ns)
            total.add(value, readings.captured_at, readings.monotonic_ns, readings.quality)

    def begin(self) -> None:
        """The unit's first scan came: what has no signal of its own is measured from here."""
        if self.signal is None:
            self.open = {}

    def finish(self, until_ns: int) -> None:
        """The unit ended at ``until_ns``: its windows are used up. A stroke that ended since is the next unit's."""
        self.closed = {tag: window for tag, window in self.closed.items() if window.closed_ns > until_ns}
        self.begin()

    def give_up(self) -> None:
        """The unit was cleared: what the machine is still doing was for it and counts for nobody."""
        self.closed, self.open = {}, {}
        self.spoiled = self.on

    def windows(self) -> Mapping[str, Window]:
        source = self._sums(0) if self.signal is None else self.closed
        return {name: source[tag] for name, tag in self.tags.items() if tag in source}

    def _sums(self, closed_ns: int) -> dict[str, Window]:
        """Every tag over its window; one too slow to have a reading inside it stands with its last one before."""
        sums = {tag: total.window(closed_ns) for tag, total in self.open.items()}
        for tag in self.tags.values():
            if tag not in sums and (live := self.live.get(tag)) is not None:
                single = _Sum(live.tag, live.device, live.at, live.monotonic_ns)
                single.add(live.value, live.at, live.monotonic_ns, live.quality)
                sums[tag] = single.window(closed_ns, carried=True)
        return sums

    def _switch(self, on: bool, at_ns: int) -> None:
        if self.on and not on:
            self.closed = {} if self.spoiled else self._sums(at_ns)
            self.spoiled = False
        if on and not self.on:
            self.open = {}
        self.on = on


class Windows:
    """Every window of one station, and the last value of every tag it shows."""

    def __init__(self, steps: Mapping[str, MeasureStep], shown: Iterable[str] = ()) -> None:
        self.live: dict[str, Live] = {}
        self._steps = {name: _StepWindows(step, self.live) for name, step in steps.items()}
        measures: list[Measure] = [measure for step in steps.values() for measure in step.measure.values()]
        signals = [step.while_ for step in steps.values() if step.while_ is not None]
        self._watched = frozenset((*signals, *shown, *(measure.tag for measure in measures)))
        self._places: dict[int, tuple[tuple[int, Tag], ...]] = {}  # id(layout) -> which of its values matter here
        self._layouts: list[Layout] = []  # keeps the ids above from being given away again

    def take(self, readings: Readings) -> bool:
        """Whether anything this station watches was in the frame."""
        places = self._places.get(id(readings.layout))
        if places is None:
            places = self._learn(readings.layout)
        for place, tag in places:
            value = tag.value(readings.values[place])
            self.live[tag.name] = Live(
                tag=tag,
                device=readings.layout.device,
                value=value,
                at=readings.captured_at,
                monotonic_ns=readings.monotonic_ns,
                quality=readings.quality,
            )
            for step in self._steps.values():
                step.take(tag, readings.layout.device, value, readings)
        return bool(places)

    def begin(self) -> None:
        """A new unit's time begins."""
        for step in self._steps.values():
            step.begin()

    def finish(self, until_ns: int) -> None:
        """The unit in progress ended at ``until_ns`` (monotonic)."""
        for step in self._steps.values():
            step.finish(until_ns)

    def give_up(self) -> None:
        """The unit in progress was cleared."""
        for step in self._steps.values():
            step.give_up()

    def windows(self) -> Mapping[str, Mapping[str, Window]]:
        """step -> measure -> window"""
        return {name: step.windows() for name, step in self._steps.items()}

    def _learn(self, layout: Layout) -> tuple[tuple[int, Tag], ...]:
        if len(self._layouts) >= _LAYOUTS_MAX:
            self._places.clear()
            self._layouts.clear()
        places = tuple((place, tag) for place, tag in enumerate(layout.tags) if tag.name in self._watched)
        self._places[id(layout)] = places
        self._layouts.append(layout)
        return places
