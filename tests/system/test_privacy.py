"""Names of people live in the masters and nowhere else."""

from __future__ import annotations

import base64
from pathlib import Path

from tests.system.rig import (
    BAD,
    BADGE,
    OTHER_BADGE,
    PEOPLE,
    Person,
    bearing,
    document,
    pump,
    running,
    scans,
    shaft,
    write,
)


async def test_no_name_and_no_badge_stands_in_what_is_recorded(tmp_path: Path, person: Person) -> None:
    state = tmp_path / "state"
    (tmp_path / "outbox").mkdir()
    line = document(tmp_path, destinations={"archive": {"sink": "spool", "directory": str(tmp_path / "outbox")}})
    async with running(write(tmp_path, line), state) as daemon:
        assert await person.scan("BDG:Q7ZX9999") == BAD
        assert await person.scan(OTHER_BADGE) == BAD
        await person.good(BADGE, "WO-1001", bearing("L77"), shaft("S1"), pump("SN1"))
        assert (await daemon.view())["operator"]["name"] == "Li Wei 李伟"
        await daemon.delivered()
        secret = [*(person["badge"] for person in PEOPLE.values()), "Q7ZX9999", "Li Wei", "李伟", "Anna", "Berg"]
        secret += [base64.b64encode(code.encode()).decode() for code in (BADGE, OTHER_BADGE, "BDG:Q7ZX9999")]
        found = _found(state, secret)
        assert await daemon.stop() == 0
    found += _found(state, secret)
    found += [text for text in secret if text in daemon.words()]
    found += [text for text in secret for file in (tmp_path / "outbox").iterdir() if text.encode() in file.read_bytes()]
    assert found == []
    assert "op-17" in {scan["operator"] for scan in scans(state)}


def _found(state: Path, secret: list[str]) -> list[str]:
    files = [file for name in ("log", "readings", "sync") for file in (state / name).rglob("*") if file.is_file()]
    assert any(file.suffix == ".db" for file in files)
    return [f"{text} in {file.name}" for file in files for text in secret if text.encode() in file.read_bytes()]
