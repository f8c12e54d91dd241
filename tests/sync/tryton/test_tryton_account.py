"""What an order used and made, summed from its events; and what the options refuse. Without a server."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from edge.config.secrets import Mark
from edge.epcis import Role
from sync.tryton import Options
from sync.tryton.account import Key, account
from sync.tryton.event import event_of
from sync.tryton.rest import exact
from tests.sync.tryton.story import Line, lot, serial


def test_units_that_are_joined_count_once() -> None:
    line = Line()
    line.pump("WO-1", "SN1", [("L77", "2")], "S1")
    line.pump("WO-1", "SN2", [("L77", "1"), ("L78", "1")], "S2")
    sums = account(map(event_of, line.records))
    assert sums.used == {
        Key("BRG-6204", "L77", "C62"): Decimal(3),
        Key("BRG-6204", "L78", "C62"): Decimal(1),
        Key("SHAFT-9", "S1", "C62"): Decimal(1),
        Key("SHAFT-9", "S2", "C62"): Decimal(1),
    }
    assert sums.made == {Key("PUMP-100", "SN1", "C62"): Decimal(1), Key("PUMP-100", "SN2", "C62"): Decimal(1)}
    assert sums.total_made == 2


def test_an_event_that_comes_twice_counts_once_and_a_load_not_at_all() -> None:
    line = Line()
    line.load("WO-1", lot(Role.LOADED, "BRG-6204", "L77", "500"))
    line.pump("WO-1", "SN1", [("L77", "2")], "S1")
    sums = account(map(event_of, [*line.records, *line.records]))
    assert sums.used[Key("BRG-6204", "L77", "C62")] == 2


def test_a_unit_that_is_only_joined_was_made_all_the_same() -> None:
    line = Line()
    line.join("WO-1", "SN1", [serial(Role.COMPONENT, "SHAFT-9", "S1")])
    assert account(map(event_of, line.records)).total_made == 1


def test_decimals_stay_exact() -> None:
    line = Line()
    for number in range(10):
        line.make("WO-1", f"SN{number}", [lot(Role.INPUT, "GREASE-1", "G1", "0.1")])
    assert account(map(event_of, line.records)).used[Key("GREASE-1", "G1", "C62")] == Decimal("1.0")
    assert exact(0.1) == Decimal("0.1")
    assert exact(1e-07) == Decimal("0.0000001")


def test_the_day_is_the_day_at_the_line() -> None:
    line = Line()
    line.at = line.at.replace(year=2026, month=11, day=22, hour=17, minute=30)
    line.close("WO-1", 1)
    assert event_of(line.records[0]).day == date(2026, 11, 23)  # 01:30 in Shenzhen


GIVEN = {"url": "https://erp.example.com", "database": "prod", "key": Mark("erp-key")}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"url": "http://erp.example.com"}, "the key would travel in clear text; use https"),
        ({"user": "edge"}, "user and password go together"),
        ({"key": "s3cret"}, "a secret is given as !secret and a name"),
        ({"database": "a/b"}, "String should match pattern"),
    ],
)
def test_options_that_cannot_work_are_refused(more: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Options.model_validate({**GIVEN, **more})
