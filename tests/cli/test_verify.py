"""``lotline verify``: beside the running line, without it, and on a log that somebody has touched."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

import apsw
import pytest

from edge.log import LogReader, verify
from edge.model import Kind
from tests.cli.line import BADGE, GOODS, LOTLINE, REPOSITORY, Line, environment_of, lotline, running, until

ALL = 5  # records of one start, a badge and a delivery: configuration, two scans, the event, its receipt


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Line:
    """The state of a line that has taken a delivery in and was killed: SQLite's write-ahead log still holds every record."""
    line = Line(tmp_path_factory.mktemp("written"))
    with running(line) as daemon:
        daemon.until_answering()
        line.scan(BADGE, GOODS)
        line.until_recorded("receipt", 1)
        for _ in until("the index at the end of the log"):
            index = apsw.Connection(str(line.state / "log/index.db"), flags=apsw.SQLITE_OPEN_READONLY)
            seen = index.execute("SELECT max(seq) FROM cursor").get
            index.close()
            if seen == ALL:
                break
        daemon.process.kill()
        daemon.process.wait()
    return line


@pytest.fixture(params=["in the write-ahead log", "in the file"])
def copied(request: pytest.FixtureRequest, written: Line, tmp_path: Path) -> Path:
    """A copy of it, to be harmed, with the records in either place."""
    state = Path(shutil.copytree(written.state, tmp_path / "copy", ignore=shutil.ignore_patterns("*.sock")))
    if request.param == "in the file":
        connection = apsw.Connection(str(state / "log" / NAME))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.close()
    return state


NAME = "records-00000000000000000001.db"


def file_of(state: Path) -> Path:
    """Where SQLite keeps the records now."""
    wal = state / "log" / f"{NAME}-wal"
    return wal if wal.exists() and wal.stat().st_size else state / "log" / NAME


def flip(path: Path, place: int) -> None:
    """One bit of one byte. Twice is as if it never was."""
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1]))


def harm(state: Path) -> tuple[int, str]:
    """Flip one bit of the event, and tell which record and which file that is."""
    reader = LogReader(state / "log")
    try:
        event = next(record for record in reader.read(0, 100) if record.kind is Kind.EVENT)
    finally:
        reader.close()
    path = file_of(state)
    data = path.read_bytes()
    for at in range(0, len(event.data), 40):  # SQLite may cut a record into pages, and logs a page whenever it changes
        if (place := data.rfind(event.data[at : at + 40])) >= 0:
            flip(path, place + 20)
            return event.seq, path.name
    raise AssertionError("the event is not in its file")


def test_a_sound_log_is_said_to_be_sound_in_both_languages(written: Line) -> None:
    ran = lotline("verify", "--state", str(written.state))
    said = f"The log is what was written: records 1 to {ALL} ({ALL}), files 1, blocks of readings 0.\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, said, "")
    ran = lotline("verify", "--state", str(written.state), "--lang", "zh")
    assert ran.stdout == f"日志与写入时一致：记录 1 至 {ALL}（{ALL} 条），文件 1 个，读数块 0 个。\n"


def test_programs_read_json(written: Line) -> None:
    ran = lotline("verify", "--state", str(written.state), "--json")
    found = json.loads(ran.stdout)
    assert len(found.pop("origin")) == 36
    assert found == {
        "state": str(written.state),
        "ok": True,
        "records": ALL,
        "first": 1,
        "head": ALL,
        "retired": 0,
        "segments": 1,
        "blocks": 0,
        "fault": None,
    }


def test_one_flipped_bit_is_named_with_its_record_its_file_and_what_to_do(copied: Path) -> None:
    seq, file = harm(copied)
    ran = lotline("verify", "--state", str(copied))
    assert (ran.returncode, ran.stderr) == (1, "")
    first, before, *what_to_do = ran.stdout.splitlines()
    found = re.fullmatch(rf"THE LOG IS DAMAGED at record (\d+), file {file}: .+\.", first)
    assert found is not None, first
    # a damaged frame takes with it what SQLite would have read behind it, which begins at the event or right after
    assert int(found[1]) in ((seq,) if file == NAME else (seq, seq + 1))
    seq = int(found[1])
    assert before == f"{seq - 1} records before it and 0 blocks of readings are right."
    assert what_to_do == [
        f"Change nothing in {copied}. Copy the whole directory to another disk, then look at what is delivered about that record "
        "in the",
        "ERP, and check the disk (smartctl -a): who or what changed a stored byte has to be found before the log is relied on "
        "again.",
    ]
    ran = lotline("verify", "--state", str(copied), "--lang", "zh")
    assert ran.returncode == 1
    assert ran.stdout.startswith(f"日志已损坏：记录 {seq}，文件 {file}：")
    said = json.loads(lotline("verify", "--state", str(copied), "--json").stdout)
    assert (said["ok"], said["records"], said["fault"]["seq"], said["fault"]["file"]) == (False, seq - 1, seq, file)


def test_no_flipped_byte_of_a_record_stays_hidden(copied: Path) -> None:
    """Wherever a stored record lies, in the file or in SQLite's write-ahead log, which hides damage as if it were its end."""
    reader = LogReader(copied / "log")
    records = reader.read(0, 100)
    reader.close()
    assert [record.seq for record in records] == list(range(1, ALL + 1))
    tried = 0
    path = file_of(copied)
    data = path.read_bytes()
    for record in records:
        for at in range(0, len(record.data) - 40, 160):
            piece = record.data[at : at + 40]
            if (place := data.rfind(piece)) >= 0:
                flip(path, place)
                found = verify(copied, lambda done, of: None)
                assert found.fault is not None, f"{path.name} at {place}, record {record.seq}"
                assert found.fault.seq > 0
                flip(path, place)
                tried += 1
    assert tried >= ALL
    assert verify(copied, lambda done, of: None).fault is None


def test_a_missing_file_is_named_without_a_record(copied: Path) -> None:
    (copied / "log" / "records-00000000000000000001.db").rename(copied / "log" / "records-00000000000000000009.db")
    ran = lotline("verify", "--state", str(copied))
    assert ran.returncode == 1
    assert ran.stdout.startswith("THE LOG IS DAMAGED")


def test_it_works_while_the_line_runs(tmp_path: Path) -> None:
    line = Line(tmp_path)
    with running(line) as daemon:
        daemon.until_answering()
        line.scan(BADGE, GOODS)
        line.until_recorded("receipt", 1)
        assert lotline("verify", "--state", str(line.state)).returncode == 0
        line.scan(GOODS.replace(b"L77", b"L78"))  # and it has not disturbed the writer
        line.until_recorded("receipt", 2)
        assert daemon.stop() == 0


def test_a_person_sees_how_far_it_is_and_the_last_line_is_the_answer(written: Line) -> None:
    master, terminal = pty.openpty()
    command = [*LOTLINE, "verify", "--state", str(written.state)]
    ran = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=terminal, cwd=REPOSITORY, env=environment_of({}), check=False
    )
    os.close(terminal)
    shown = os.read(master, 65536).decode()
    os.close(master)
    assert ran.returncode == 0
    assert f"100 %  re-hashing {ALL} of {ALL}" in shown
    assert shown.endswith("\r\x1b[K")


def test_what_may_not_be_read_is_told(written: Line, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (tmp_path / "log").mkdir(mode=0)
    ran = lotline("verify", "--state", str(tmp_path))
    assert ran.returncode == 1
    assert ran.stderr.endswith("Permission denied. Run this as the user of the line.\n")
