"""Coalescing and decoding: every tag is read from its own registers, whatever stands around it."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.client.mixin import ModbusClientMixin

from drivers.modbus.plan import MAX_BITS, Point, Request, Table, coalesce, decode, split, width_of
from edge.model import Tag

TYPES = ["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
RANGES = {
    "int16": (-(2**15), 2**15 - 1),
    "uint16": (0, 2**16 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**63 - 1),
}


def point(name: str, table: str = "holding", address: int = 0, type_: str = "uint16", **more: object) -> Point:
    return Point(tag=Tag(name=name, unit=""), table=Table(table), address=address, type=type_, **more)


def reads(points: list[Point], *, max_gap: int = 16, max_registers: int = 125) -> list[tuple[str, int, int]]:
    return [(r.table.value, r.address, r.count) for r in coalesce(points, max_gap=max_gap, max_registers=max_registers)]


@st.composite
def maps(draw: st.DrawFn) -> list[tuple[Point, int | float]]:
    """Points anywhere in four tables that do not overlap, each with the value that stands there."""
    placed: list[tuple[Point, int | float]] = []
    ends = dict.fromkeys(Table, 0)
    for index in range(draw(st.integers(1, 25))):
        table = draw(st.sampled_from(list(Table)))
        type_ = "bool" if table.bits else draw(st.sampled_from(TYPES))
        address = ends[table] + draw(st.one_of(st.just(0), st.integers(0, 40), st.integers(0, 400)))
        ends[table] = address + width_of(type_)
        value: int | float
        if type_ == "bool":
            value = draw(st.integers(0, 1))
        elif type_.startswith("float"):
            value = draw(st.floats(allow_nan=False, allow_infinity=False, width=32 if type_ == "float32" else 64))
        else:
            value = draw(st.integers(*RANGES[type_]))
        order = draw(st.sampled_from(["big", "little"]))
        placed.append((point(f"d.{index}", table, address, type_, word_order=order), value))
    return draw(st.permutations(placed))


def memory(placed: list[tuple[Point, int | float]]) -> dict[tuple[Table, int], int]:
    """What a device with these values holds, by pymodbus's own encoder; everything else is noise."""
    cells: dict[tuple[Table, int], int] = {}
    for p, value in placed:
        if p.table.bits:
            cells[p.table, p.address] = int(value)
            continue
        data_type = ModbusClientMixin.DATATYPE[p.type.upper()]
        words = ModbusClientMixin.convert_to_registers(value, data_type, word_order=p.word_order)
        for offset, word in enumerate(words):
            cells[p.table, p.address + offset] = word
    return cells


def asked(request: Request, cells: dict[tuple[Table, int], int]) -> list[int]:
    noise = 1 if request.table.bits else 0xBEEF
    return [cells.get((request.table, a), noise) for a in range(request.address, request.address + request.count)]


@given(placed=maps(), max_gap=st.integers(0, 124), max_registers=st.integers(4, 125))
def test_every_tag_is_decoded_from_its_own_registers(placed, max_gap, max_registers):
    cells = memory(placed)
    got: dict[str, int | float | None] = {}
    requests = coalesce([p for p, _ in placed], max_gap=max_gap, max_registers=max_registers)
    for request in requests:
        assert request.count <= (MAX_BITS if request.table.bits else max_registers)
        own = {a for p in request.points for a in range(p.address, p.end)}
        holes = [a for a in range(request.address, request.address + request.count) if a not in own]
        assert not (holes and max_gap == 0)
        got |= decode(request, asked(request, cells))
    assert got == {p.tag.name: value for p, value in placed}
    assert sum(len(request.points) for request in requests) == len(placed)


@given(placed=maps())
def test_taking_a_refused_request_apart_ends_at_single_tags_and_loses_none(placed):
    todo = list(coalesce([p for p, _ in placed], max_gap=16, max_registers=125))
    single: list[Request] = []
    for _ in range(200):
        if not todo:
            break
        parts = split(todo.pop())
        if len(parts) == 1:
            assert len(parts[0].points) == 1
            single += parts
        else:
            todo += parts
    assert not todo
    assert {r.points[0] for r in single} == {p for p, _ in placed}


def test_close_tags_share_a_request_and_far_ones_do_not():
    points = [point("a", address=0), point("b", address=10), point("c", address=40), point("d", "input", 0)]
    assert reads(points) == [("holding", 0, 11), ("holding", 40, 1), ("input", 0, 1)]
    assert reads(points, max_gap=0) == [("holding", 0, 1), ("holding", 10, 1), ("holding", 40, 1), ("input", 0, 1)]


def test_two_hundred_scattered_tags_become_few_requests():
    points = [point(str(n), address=n * 9, type_="float32") for n in range(200)]
    assert len(reads(points)) == 15  # one tag a time it would be 200


def test_no_value_is_cut_at_the_limit():
    points = [point(str(n), address=n * 2, type_="int32") for n in range(63)]
    assert reads(points) == [("holding", 0, 124), ("holding", 124, 2)]


def test_bits_of_one_register_share_it():
    points = [point("low", type_="bool", bit=0), point("high", type_="bool", bit=15), point("word")]
    (request,) = coalesce(points, max_gap=0, max_registers=125)
    assert (request.address, request.count) == (0, 1)
    assert decode(request, [0x8000]) == {"low": 0, "high": 1, "word": 0x8000}


def test_a_request_that_is_refused_loses_its_holes_first():
    (request,) = coalesce([point("a"), point("b", address=5), point("c", address=6)], max_gap=16, max_registers=125)
    assert [(r.address, r.count) for r in split(request)] == [(0, 1), (5, 2)]
    assert [(r.address, r.count) for r in split(split(request)[1])] == [(5, 1), (6, 1)]


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        ({}, [0x4622, 0xB200]),  # 10412.5 is 46 22 B2 00
        ({"word_order": "little"}, [0xB200, 0x4622]),
        ({"byte_order": "little"}, [0x2246, 0x00B2]),
        ({"word_order": "little", "byte_order": "little"}, [0x00B2, 0x2246]),
    ],
)
def test_the_four_orders_that_devices_have(orders, words):
    (request,) = coalesce([point("x", type_="float32", **orders)], max_gap=0, max_registers=125)
    assert decode(request, words) == {"x": 10412.5}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(("type_", "code"), [("float32", "f"), ("float64", "d")])
def test_what_is_no_number_is_no_value(type_, code, value):
    (request,) = coalesce([point("x", type_=type_)], max_gap=0, max_registers=125)
    raw = struct.pack(f">{code}", value)
    assert decode(request, struct.unpack(f">{len(raw) // 2}H", raw)) == {"x": None}


@pytest.mark.parametrize(("invalid", "word"), [(0x8000, 0x8000), (-32768, 0x8000), (0x7FFF, 0x7FFF), (-1, 0xFFFF)])
def test_the_error_pattern_of_a_sensor_is_no_value_however_the_manual_writes_it(invalid, word):
    (request,) = coalesce([point("x", type_="int16", invalid=frozenset({invalid}))], max_gap=0, max_registers=125)
    assert decode(request, [word]) == {"x": None}
    assert decode(request, [5]) == {"x": 5}


def test_an_integer_that_no_frame_can_hold_is_no_value():
    (request,) = coalesce([point("x", type_="uint64")], max_gap=0, max_registers=125)
    assert decode(request, [0x8000, 0, 0, 0]) == {"x": None}
    assert decode(request, [0x7FFF, 0xFFFF, 0xFFFF, 0xFFFF]) == {"x": 2**63 - 1}
