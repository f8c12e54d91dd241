"""What should be here: look-ups, the merge with an ERP, and days without network."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import yaml

from edge.config.masters import MastersFile
from edge.masters import MastersCache, compile_masters
from edge.masters.snapshot import merged
from tests.station.bench import BRG, MASTERS

OWN = MastersFile.model_validate(yaml.load(MASTERS, yaml.BaseLoader))
ERP = MastersFile.model_validate(
    {
        "version": "erp",
        "materials": {
            "BRG-6204": {"name": "Bearing of the ERP", "gtin": BRG},
            "NEW-1": {"name": "Only the ERP knows", "gtin": "96385074"},
        },
        "work_orders": {"WO-9": {"material": "PUMP-100", "quantity": "3"}},
        "lots": [{"material": "BRG-6204", "lot": "L78", "status": "held"}],
        "people": {"op-1": {"badge": "1", "name": "Nobody Here"}},
    }
)
AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def test_a_shorter_gtin_and_any_other_code_mean_their_material() -> None:
    masters = compile_masters(merged(OWN, ERP))
    for code, material in ((BRG, "BRG-6204"), ("00000096385074", "NEW-1"), ("PIN-1", "PIN-1"), ("SHAFT-9", "SHAFT-9")):
        found = masters.material_of(code)
        assert found is not None
        assert found.id == material
    assert masters.material_of("00000000000000", None, "") is None


def test_two_contents_never_share_a_version() -> None:
    other = OWN.model_copy(update={"work_orders": {}})
    assert compile_masters(OWN).version != compile_masters(other).version
    assert compile_masters(OWN).version == compile_masters(OWN).version


def test_the_erp_knows_orders_and_lots_better_and_the_line_knows_its_people() -> None:
    masters = compile_masters(merged(OWN, ERP))
    assert set(masters.orders) == {"WO-1", "WO-2", "WO-3", "WO-9"}
    assert masters.lots["BRG-6204", "L78"].status == "held"
    assert masters.lots["BRG-6204", "L77"].status == "released"
    assert masters.materials["BRG-6204"].name.zh == "轴承"
    assert set(masters.people) == {"op-17", "op-18", "op-19"}


def test_what_the_erp_gave_last_is_there_after_a_restart_without_network(tmp_path: Path) -> None:
    cache = MastersCache(OWN, tmp_path / "masters.json")
    assert "WO-9" not in cache.current.orders
    cache.take(ERP, AT)
    again = MastersCache(OWN, tmp_path / "masters.json")
    assert again.current.version == cache.current.version
    assert again.current.taken_at == AT
    assert "WO-9" in again.current.orders


def test_names_of_people_are_not_cached(tmp_path: Path) -> None:
    MastersCache(OWN, tmp_path / "masters.json").take(ERP, AT)
    text = (tmp_path / "masters.json").read_text()
    assert "Nobody Here" not in text
    assert "Li Wei" not in text


def test_a_torn_write_leaves_the_old_masters(tmp_path: Path) -> None:
    cache = MastersCache(OWN, tmp_path / "masters.json")
    cache.take(ERP, AT)
    (tmp_path / "masters.part").write_text('{"version": "hal')
    assert "WO-9" in MastersCache(OWN, tmp_path / "masters.json").current.orders


def test_a_cache_of_another_version_does_not_keep_the_line_from_starting(tmp_path: Path) -> None:
    for text in ('{"version": "9", "unheard": 1}', "not json", ""):
        (tmp_path / "masters.json").write_text(text)
        assert "WO-1" in MastersCache(OWN, tmp_path / "masters.json").current.orders
