"""A disk that takes nothing more: the line says so and beeps nothing good; what was beeped is there; it goes on by itself."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.model import Kind
from tests.system.rig import (
    BAD,
    BADGE,
    GOOD,
    Daemon,
    Person,
    bearing,
    document,
    eventually,
    pump,
    records,
    running,
    scans,
    shaft,
    write,
)

pytestmark = [pytest.mark.alone, pytest.mark.root]
DISK_MB = 64  # 16 of ballast, 16 of pre-grown write-ahead log, and room


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{' '.join(map(str, command))}: {done.stderr.strip() or 'refused'}")


@contextmanager
def _mounted(place: Path, *options: str) -> Iterator[Path]:
    """A disk of its own at ``place``; the test says why it skips where that is not allowed."""
    place.mkdir(exist_ok=True)
    _run("mount", *options, place)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def _tmpfs(place: Path) -> contextmanager[Path]:
    return _mounted(place, "-t", "tmpfs", "-o", f"size={DISK_MB}m", "lotline-test")


def _fill(disk: Path) -> Path:
    """Every last byte of ``disk`` is taken."""
    filler = disk / "filler"
    with filler.open("wb") as file:
        block = bytes(1 << 20)
        while True:
            try:
                file.write(block)
                file.flush()
            except OSError:
                return filler


def _accepted(state: Path) -> list[str]:
    return [
        base64.b64decode(scan["raw"]).decode()
        for scan in scans(state)
        if scan["verdict"] == "accepted" and "raw" in scan
    ]


def _small_line(folder: Path) -> dict:
    return document(folder, storage={"reserve_mb": 1})


async def _is_stopped(daemon: Daemon) -> dict | None:
    status = await daemon.ask("status")
    return status if not status["log"]["ok"] else None


async def test_full_disk_stops_with_its_reason_and_recovers_without_restart(tmp_path: Path, person: Person) -> None:
    with _tmpfs(tmp_path / "disk") as disk:
        async with running(write(tmp_path, _small_line(tmp_path)), disk / "state") as daemon:
            state, beeped = daemon.state, [bearing("L77")]
            await person.good(BADGE, "WO-1001", bearing("L77"))
            for number in range(5):
                beeped += [shaft(f"S{number}"), pump(f"SN{number}")]
                await person.good(*beeped[-2:])
            filler = _fill(disk)
            number = 100
            while await person.scan(shaft(f"S{number}")) == GOOD and number < 300:  # until the daemon has noticed
                beeped += [shaft(f"S{number}"), pump(f"SN{number}")]
                if await person.scan(beeped[-1]) != GOOD:
                    beeped.pop()
                    break
                number += 1
            status = await eventually(lambda: _is_stopped(daemon), "the line stops")
            view = status["stations"][0]
            assert view["state"] == "storage_stop"
            assert view["storage"]["ok"] is False
            assert view["storage"]["say"]["en"].endswith(
                f"Free space on the disk of {state / 'log'}; recording goes on by itself."
            )
            assert "记录" in view["storage"]["say"]["zh"]
            for lost in ("S900", "S901", "S902"):
                assert await person.scan(shaft(lost)) == BAD
            view = await daemon.view()
            assert (view["verdict"]["code"], view["verdict"]["level"]) == ("storage_stop", "stop")
            assert daemon.verb("status").stdout.splitlines()[0].startswith("ST10  STOP: the PC cannot save")
            filler.unlink()
            await eventually(lambda: _is_well(daemon), "the line goes on")
            view = await daemon.view()
            assert view["storage"]["ok"] is True
            (shown,) = (step["detail"]["en"] for step in view["steps"] if step["name"] == "shaft")
            assert shown == (
                beeped[-1][-4:] if beeped[-1].startswith(shaft("")) else ""
            )  # nothing of what was not taken
            beeped += [code for code in (shaft("S950"),) if not shown] + [pump("SN950")]
            await person.good(*(code for code in (shaft("S950"),) if not shown), pump("SN950"))
            assert (await daemon.view())["state"] == "done"
            assert await daemon.stop() == 0
        everything = records(state)
        assert [seq for seq, _ in everything] == list(range(1, len(everything) + 1))
        assert [code for code in _accepted(state) if code != "WO-1001"] == beeped
        acts = [record["act"] for _, record in records(state, Kind.AUDIT)]
        assert acts == ["storage_stop", "storage_resume"]


async def _is_well(daemon: Daemon) -> bool:
    return bool((await daemon.ask("status"))["log"]["ok"])


async def test_start_on_a_full_disk_is_a_sentence_and_works_once_there_is_space(tmp_path: Path, person: Person) -> None:
    file = write(tmp_path, _small_line(tmp_path))
    with _tmpfs(tmp_path / "disk") as disk:
        async with running(file, disk / "state") as daemon:
            await person.good(BADGE, "WO-1001", bearing("L77"), shaft("S1"))
            assert await daemon.stop() == 0
        filler = _fill(disk)
        refused = daemon.verb("run", str(file))
        assert refused.returncode == 1
        assert re.fullmatch(
            f"lotline run: The line cannot start: the disk of {disk / 'state'} takes nothing \\(.+\\). Everything "
            "acknowledged is safe. Free space there or mend the disk, then start again.\n",
            refused.stderr,
        )
        filler.unlink()
        async with running(file, disk / "state") as daemon:
            await person.good(pump("SN1"))
            assert await daemon.stop() == 0
        assert _accepted(disk / "state") == ["WO-1001", bearing("L77"), shaft("S1"), pump("SN1")]


async def test_disk_that_turns_read_only_stops_the_line_and_keeps_what_was_beeped(
    tmp_path: Path, person: Person
) -> None:
    """As ext4 does after an error (errors=remount-ro): a plain remount is refused by the kernel while files are open."""
    image, place = tmp_path / "image", tmp_path / "disk"
    image.touch()
    with image.open("r+b") as file:
        file.truncate(128 << 20)
    _run("mkfs.ext4", "-q", "-F", image)
    file = write(tmp_path, _small_line(tmp_path))
    beeped = ["WO-1001", bearing("L77"), shaft("S1"), pump("SN1"), shaft("S2")]
    with _mounted(place, "-o", "loop,errors=remount-ro", str(image)) as disk:
        async with running(file, disk / "state") as daemon:
            await person.good(BADGE, *beeped)
            _break(disk)
            assert await person.scan(pump("SN2")) == BAD
            status = await eventually(lambda: _is_stopped(daemon), "the line stops")
            view = status["stations"][0]
            assert view["state"] == "storage_stop"
            assert view["storage"]["say"]["en"].startswith(f"The disk of {daemon.state / 'log'} ")
            assert "Everything acknowledged is safe. Call a technician" in view["storage"]["say"]["en"]
            assert await person.scan(pump("SN2")) == BAD
            assert (await daemon.view())["verdict"]["code"] == "storage_stop"
            assert await daemon.stop() == 0, daemon.words()
    with _mounted(place, "-o", "loop", str(image)) as disk:  # the technician has mended it
        async with running(file, disk / "state") as daemon:
            await person.good(pump("SN2"))
            assert await daemon.stop() == 0
        accepted = _accepted(disk / "state")
        assert [*beeped, pump("SN2")] == list(dict.fromkeys(accepted))
        assert len(accepted) == len(set(accepted))


def _break(disk: Path) -> None:
    """An error of the file system, as the kernel lets one be tried."""
    device = subprocess.run(
        ["findmnt", "-n", "-o", "SOURCE", disk], capture_output=True, text=True, check=True
    ).stdout.strip()
    trigger = Path("/sys/fs/ext4") / Path(device).name / "trigger_fs_error"
    if not trigger.exists():
        pytest.skip(f"{trigger} is not there: this kernel cannot be told to fail")
    trigger.write_text("1")
