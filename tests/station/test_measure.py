"""Process parameters: they belong to the unit, were fresh, and were inside their limits, or the unit is not completed."""

from __future__ import annotations

from array import array
from datetime import timedelta

import pytest

from edge.config.procedure import MeasureStep
from edge.model import Layout, Quality, Readings, Tag
from edge.station.windows import Windows
from edge.wording import Words
from tests.station.bench import PUMP, START, START_NS, Bench, serial

PROCEDURE = """
procedure: press
revision: 4
makes: {material: PUMP-100}
steps:
  shaft: {consume: SHAFT-9, identify: serial}
  press:
    while: press-2.cycle
    measure:
      force: {tag: press-2.force, keep: [max, mean], within: {low: 100, high: 200}, fresh_s: 5}
  air:
    measure:
      room: {tag: climate-1.temperature, keep: [mean], fresh_s: 30}
  unit: {scan: serial}
  done: {event: assembling}
"""


def pressed(bench: Bench, *, high: float = 150.0, room: float = 22.5, **more: object) -> None:
    bench.window("press", "force", "press-2.force", low=120, high=high, mean=130, **more)
    bench.window(
        "air", "room", "climate-1.temperature", low=22, high=23, mean=room, unit="CEL", limit_low=18, limit_high=26,
        closed_ns=0,
    )  # fmt: skip


def finish(bench: Bench) -> str:
    return bench.scan(serial("SN1", gtin=PUMP)).code


def test_a_unit_carries_what_was_measured_for_it() -> None:
    bench = Bench(PROCEDURE)
    bench.scan(serial("S1"))
    pressed(bench)
    done = bench.scan(serial("SN1", gtin=PUMP))
    assert done.code == "unit_done"
    force, room = done.drafts[0].sensors
    assert (force.values, force.low, force.high, force.type) == (
        {"maxValue": 150.0, "meanValue": 130.0},
        100,
        200,
        "Force",
    )
    assert (room.values, room.low, room.high, room.type) == ({"meanValue": 22.5}, 18, 26, "Temperature")


def test_without_a_cycle_the_step_is_missing() -> None:
    bench = Bench(PROCEDURE)
    bench.scan(serial("S1"))
    assert finish(bench) == "step_missing"
    assert bench.desk.unit == "", "nothing of the refused scan was applied"


def test_the_cycle_of_the_unit_before_does_not_count() -> None:
    bench = Bench(PROCEDURE)
    bench.scan(serial("S1"))
    pressed(bench)
    assert finish(bench) == "unit_done"
    bench.scan(serial("S2"))
    assert bench.scan(serial("SN2", gtin=PUMP)).code == "step_missing"


@pytest.mark.parametrize("high", [99.9, 200.1])
def test_a_value_outside_its_limits_stops_the_unit(high: float) -> None:
    bench = Bench(PROCEDURE)
    bench.scan(serial("S1"))
    pressed(bench, high=high)
    refused = bench.scan(serial("SN1", gtin=PUMP))
    assert refused.code == "parameter_out_of_limits"
    assert refused.fields == {
        "name": Words("force", "force"),
        "value": f"{high:g}",
        "unit": "N",
        "low": "100",
        "high": "200",
    }


def test_a_parameter_that_stopped_coming_is_stale() -> None:
    bench = Bench(PROCEDURE)
    bench.scan(serial("S1"))
    pressed(bench)
    bench.seconds += 40
    refused = bench.scan(serial("SN1", gtin=PUMP))
    assert (refused.code, refused.fields["name"], refused.fields["age"]) == (
        "parameter_stale",
        Words("room", "room"),
        "43",
    )


def test_a_parameter_nobody_saw_is_not_known_rather_than_missing() -> None:
    bench = Bench(PROCEDURE)
    bench.scan(serial("S1"))
    bench.watching_since_ns = bench.now().monotonic_ns + 1  # the PC was restarted meanwhile
    refused = bench.scan(serial("SN1", gtin=PUMP))
    assert (refused.code, refused.verdict) == ("parameter_unknown", "cannot_know")


def test_a_reading_of_bad_quality_is_not_known() -> None:
    bench = Bench(PROCEDURE)
    bench.scan(serial("S1"))
    pressed(bench, all_good=False)
    refused = bench.scan(serial("SN1", gtin=PUMP))
    assert (refused.code, refused.verdict) == ("parameter_unknown", "cannot_know")


# --- windows -------------------------------------------------------------------------------------------------------------

FORCE = Tag(name="press-2.force", unit="NEW", digits=1)
CYCLE = Tag(name="press-2.cycle", unit="")
ROOM = Tag(name="climate-1.temperature", unit="CEL", scale=0.1, digits=1)
LAYOUTS = {
    "force": Layout(device="press-2", tags=(FORCE,), typecode="d"),
    "cycle": Layout(device="press-2", tags=(CYCLE,), typecode="q"),
    "room": Layout(device="climate-1", tags=(ROOM,), typecode="q"),
}


class Floor:
    def __init__(self) -> None:
        step = MeasureStep.model_validate(
            {"while": "press-2.cycle", "measure": {"force": {"tag": FORCE.name}, "room": {"tag": ROOM.name}}}
        )
        self.windows = Windows({"press": step})
        self.seconds = 0.0

    def read(self, name: str, value: float, quality: Quality = Quality.GOOD) -> None:
        self.seconds += 0.1
        layout = LAYOUTS[name]
        values = array(layout.typecode, [value if layout.typecode == "d" else int(value)])
        at, ns = START + timedelta(seconds=self.seconds), START_NS + int(self.seconds * 1e9)
        self.windows.take(Readings(layout=layout, values=values, captured_at=at, monotonic_ns=ns, quality=quality))


def test_a_window_runs_from_rising_to_falling() -> None:
    floor = Floor()
    for name, value in [
        ("force", 1), ("cycle", 1), ("force", 100), ("force", 300), ("force", 200), ("cycle", 0), ("force", 999),
    ]:  # fmt: skip
        floor.read(name, value)
    window = floor.windows.windows()["press"]["force"]
    assert (window.low, window.high, window.mean, window.last, window.count) == (100, 300, 200, 200, 3)
    assert window.closed_ns > window.last_ns
    floor.windows.finish(START_NS + 10_000_000_000)
    assert floor.windows.windows() == {"press": {}}


def test_a_stroke_that_ended_during_the_commit_belongs_to_the_next_unit() -> None:
    floor = Floor()
    for name, value in [("cycle", 1), ("force", 100), ("cycle", 0)]:
        floor.read(name, value)
    floor.windows.finish(START_NS)  # the unit's moment was before that stroke
    assert floor.windows.windows()["press"]["force"].last == 100


def test_a_stroke_that_runs_while_the_unit_is_cleared_counts_for_nobody() -> None:
    floor = Floor()
    for name, value in [("cycle", 1), ("force", 999)]:
        floor.read(name, value)
    floor.windows.give_up()
    for name, value in [("force", 999), ("cycle", 0)]:
        floor.read(name, value)
    assert floor.windows.windows() == {"press": {}}
    for name, value in [("cycle", 1), ("force", 100), ("cycle", 0)]:
        floor.read(name, value)
    assert floor.windows.windows()["press"]["force"].high == 100


def test_a_silence_inside_a_window_makes_it_unknown() -> None:
    bench = Bench(PROCEDURE)
    bench.scan(serial("S1"))
    pressed(bench, gap_ns=60_000_000_000)
    refused = bench.scan(serial("SN1", gtin=PUMP))
    assert (refused.code, refused.verdict) == ("parameter_unknown", "cannot_know")


def test_a_slow_tag_stands_in_a_short_window_with_its_last_value() -> None:
    floor = Floor()
    for name, value in [("room", 224), ("cycle", 1), ("force", 100), ("cycle", 0)]:
        floor.read(name, value)
    window = floor.windows.windows()["press"]["room"]
    assert (window.last, window.count, window.closed_ns - window.last_ns) == (22.4, 1, 300_000_000)


def test_one_bad_reading_spoils_the_window() -> None:
    floor = Floor()
    floor.read("cycle", 1)
    floor.read("force", 100, Quality.BAD)
    floor.read("force", 100)
    floor.read("cycle", 0)
    assert not floor.windows.windows()["press"]["force"].all_good


def test_a_tag_of_another_device_is_nobodys_business() -> None:
    floor = Floor()
    other = Layout(device="x", tags=(Tag(name="x.y", unit=""),), typecode="d")
    assert not floor.windows.take(Readings(layout=other, values=array("d", [1]), captured_at=START, monotonic_ns=1))


def test_a_fast_tag_without_a_reading_in_the_stroke_is_stale_however_young() -> None:
    bench = Bench(PROCEDURE)
    bench.scan(serial("S1"))
    pressed(bench, carried=True, last_ns=bench.now().monotonic_ns - 4_000_000_000)  # polled each second, fresh for five
    refused = bench.scan(serial("SN1", gtin=PUMP))
    assert (refused.code, refused.fields["tag"]) == ("parameter_stale", "press-2.force")
