"""What goes into a block comes out bit by bit."""

from __future__ import annotations

import math
import random
import struct
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.log.codec import decode, encode

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)


def same(values: array) -> bool:
    back = decode(encode(values))
    return back.typecode == values.typecode and back.tobytes() == values.tobytes()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(INT64, st.integers(-300, 300)), max_size=200))
def test_integers_are_lossless(values: list[int]) -> None:
    assert same(array("q", values))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.floats(),
            st.floats(width=32),
            st.decimals(-10_000, 10_000, places=2).map(float),
            st.sampled_from([0.0, -0.0, math.inf, -math.inf, math.nan, 1e308, 5e-324]),
        ),
        max_size=200,
    )
)
def test_doubles_are_lossless_to_the_last_bit(values: list[float]) -> None:
    assert same(array("d", values))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.decimals(-10_000, 10_000, places=3).map(float), min_size=1, max_size=100))
def test_decimal_doubles_are_lossless(values: list[float]) -> None:
    assert same(array("d", values))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(width=32), max_size=100))
def test_single_precision_is_lossless(values: list[float]) -> None:
    assert same(array("d", values))


def test_a_nan_keeps_its_payload() -> None:
    values = array("d")
    values.frombytes(struct.pack("<3Q", 0x7FF0_0000_0000_0001, 0x7FF8_0000_DEAD_BEEF, 0xFFF8_0000_0000_0000))
    assert same(values)


def test_typical_readings_are_small() -> None:
    chance = random.Random(7)
    walk = array("q", (int(1000 * math.sin(step / 50)) + chance.randrange(-5, 6) for step in range(1500)))
    tenths = array("d", (round(22 + math.sin(step / 200) + chance.choice((0, 0.1)), 1) for step in range(1500)))
    singles = array("d", array("f", (20 + math.sin(step / 200) for step in range(1500))))
    switch = array("q", (step // 700 % 2 for step in range(1500)))
    assert len(encode(walk)) <= 1500 * 1.5
    assert len(encode(tenths)) <= 1500
    assert len(encode(singles)) <= 1500 * 3
    assert len(encode(switch)) < 60


def test_other_arrays_are_refused() -> None:
    with pytest.raises(ValueError, match="readings are arrays of 'q' or 'd', not of 'i'"):
        encode(array("i", [1]))
