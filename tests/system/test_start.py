"""What a start does: one daemon per state directory; a file with errors starts what ran last."""

from __future__ import annotations

from pathlib import Path

from edge.config.applied import FILE
from edge.model import Kind
from tests.system.rig import (
    BADGE,
    Daemon,
    Person,
    document,
    records,
    running,
    scans,
    write,
)


async def test_second_daemon_on_a_state_directory_leaves_with_a_sentence(tmp_path: Path, person: Person) -> None:
    file, state = write(tmp_path, document(tmp_path)), tmp_path / "state"
    async with running(file, state) as first:
        assert first.process is not None
        await person.good(BADGE)
        second = first.verb("run", str(file))
        assert second.returncode == 1
        assert second.stderr == (
            f"lotline run: The state directory {state} is in use by the Lotline with process id {first.process.pid}. "
            "Stop that one first, or name another directory with --state.\n"
        )
        await person.good("WO-1001")
        assert (await first.view())["order"]["id"] == "WO-1001"
        assert await first.stop() == 0
    assert [record["code"] for record in scans(state)] == ["badge_ok", "order_ok"]


async def test_bad_file_starts_the_last_applied_configuration_and_the_page_says_so(
    tmp_path: Path, person: Person
) -> None:
    line, state = document(tmp_path), tmp_path / "state"
    async with running(write(tmp_path, line), state) as daemon:
        await person.good(BADGE)
        assert await daemon.stop() == 0
    bad = write(tmp_path, {**line, "stations": {"ST10": {**line["stations"]["ST10"], "scanners": ["hnad-1"]}}})
    async with running(bad, state) as daemon:
        note = (await daemon.view())["config_note"]
        assert note == {
            "en": "THE FILE HAS ERRORS AND WAS NOT APPLIED. The line runs with the last configuration that was good.",
            "zh": "配置文件有错误，未被采用！产线正使用上一次正确的配置运行。",
        }
        assert "no device 'hnad-1'; did you mean 'hand-1'?" in daemon.words()
        assert daemon.verb("status").stdout.startswith(note["en"])
        await person.good("WO-1001")
        assert await daemon.stop() == 0
    mended = write(tmp_path, line)
    async with running(mended, state) as daemon:
        assert (await daemon.view())["config_note"] is None
        assert await daemon.stop() == 0
    assert len(records(state, Kind.CONFIG)) == 1  # the same configuration all the time


async def test_bad_file_where_nothing_ran_is_refused(tmp_path: Path) -> None:
    line = document(tmp_path)
    bad = write(tmp_path, {**line, "timezone": "Asia/Shangai"})
    daemon = Daemon(bad, tmp_path / "state")
    daemon.start()
    assert await daemon.ended() == 78
    assert "did you mean 'Asia/Shanghai'?" in daemon.words()
    assert not (tmp_path / "state" / FILE).exists()
