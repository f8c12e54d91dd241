"""Arithmetic on a whole column gives what a loop over its values gives."""

from __future__ import annotations

import sys
from array import array

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.log.lanes import are_whole, differences

EDGES = [sign * (1 << bits) + step for bits in (7, 8, 15, 16, 31, 32, 62) for sign in (-1, 1) for step in (-1, 0, 1)]
INT64 = st.one_of(
    st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-300, 300), st.sampled_from([*EDGES, -(1 << 63), (1 << 63) - 1])
)


@settings(max_examples=500, deadline=None)
@given(st.lists(INT64, min_size=1, max_size=60))
def test_differences_are_those_of_a_loop_in_the_narrowest_width(values: list[int]) -> None:
    steps = [later - earlier for earlier, later in zip(values, values[1:], strict=False)]
    found = differences(array("q", values).tobytes())
    if any(not -(1 << 63) <= step < 1 << 63 for step in steps):
        assert found is None
        return
    if not any(steps):
        assert found == (0, b"")
        return
    width = next(w for w in (1, 2, 4, 8) if all(-(1 << 8 * w - 1) <= step < 1 << 8 * w - 1 for step in steps))
    plain = b"".join(step.to_bytes(width, sys.byteorder, signed=True) for step in steps)
    assert found == (width, b"".join(plain[rank::width] for rank in range(width)))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.floats(), max_size=20))
def test_only_doubles_that_count_single_units_are_whole(values: list[float]) -> None:
    assert are_whole(array("d", values).tobytes()) == all(2.0**52 <= value < 2.0**53 for value in values)


def test_the_edges_of_what_counts_single_units() -> None:
    below, first, last, beyond = 2.0**52 - 0.5, 2.0**52, 2.0**53 - 1, 2.0**53
    assert are_whole(array("d", [first, last]).tobytes())
    assert not any(are_whole(array("d", [first, other]).tobytes()) for other in (below, beyond, -first))
