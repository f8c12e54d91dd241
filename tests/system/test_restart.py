"""What a restart finds: the operator, the order, the loaded lot and the parts of an open unit."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.system.rig import (
    BAD,
    BADGE,
    LOT_SIZE,
    Person,
    bearing,
    document,
    events,
    last_code,
    pump,
    running,
    shaft,
    write,
)


@pytest.mark.alone
@pytest.mark.parametrize("ends", ["stopped", "killed"])
async def test_open_unit_survives_a_restart_and_is_finished(tmp_path: Path, person: Person, ends: str) -> None:
    file, state = write(tmp_path, document(tmp_path)), tmp_path / "state"
    async with running(file, state) as daemon:
        await person.good(BADGE, "WO-1001", bearing("L77"), shaft("S1"), pump("SN1"), shaft("S2"))
        if ends == "stopped":
            assert await daemon.stop() == 0
    async with running(file, state) as daemon:
        view = await daemon.view()
        assert view["state"] == "collecting"
        assert view["operator"]["id"] == "op-17"
        assert view["order"]["id"] == "WO-1001"
        assert view["order"]["made"] == "1"
        assert [(lot["lot"], Decimal(lot["left"])) for lot in view["loaded"]] == [("L77", LOT_SIZE - 2)]
        assert [(step["name"], step["done"], step["detail"]["en"]) for step in view["steps"]][3] == (
            "shaft",
            True,
            "S2",
        )
        assert await person.scan(shaft("S2")) == BAD  # it is in this unit already
        await person.good(pump("SN2"))
        assert await person.scan(pump("SN1")) == BAD
        assert last_code(state) == ("refused", "step_missing")
        await person.good(shaft("S3"))
        assert await person.scan(pump("SN1")) == BAD
        assert last_code(state) == ("refused", "duplicate_serial")
        assert await daemon.stop() == 0
    joined = [event for event in events(state) if event["lotline:act"] == "join"]
    assert [[item["serial"] for item in event["lotline:items"]] for event in joined] == [["SN1", "S1"], ["SN2", "S2"]]
