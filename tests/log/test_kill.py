"""kill -9 at any instant: what was acknowledged is there, byte by byte, and nothing else is half there."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from edge.log import LogReader, verify
from edge.log.segment import first_seqs

ROOT = Path(__file__).resolve().parents[2]


def run_child(
    *arguments: object, before: tuple[str, ...] = (), timeout_s: float = 100
) -> subprocess.CompletedProcess[str]:
    command = [*before, sys.executable, "-m", "tests.log.child", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False)


@pytest.mark.parametrize(
    ("segment_bytes", "rounds"), [(1 << 30, 60), (24_000, 60)], ids=["one segment", "always rolling"]
)
def test_every_acknowledged_record_survives_kill_at_any_instant(
    tmp_path: Path, segment_bytes: int, rounds: int
) -> None:
    seed = int.from_bytes(os.urandom(4))
    done = run_child(tmp_path, "kill", segment_bytes, rounds, seed)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 1, (seed, lines[:5], done.stderr[-2000:])
    acked = msgspec.json.decode(lines[0].removeprefix("acked "), type=dict[int, str])
    assert len(acked) > rounds, f"seed {seed}: hardly anything was acknowledged"

    found = verify(tmp_path, lambda done, of: None)
    assert found.fault is None, (seed, found)
    assert found.first == 1
    reader = LogReader(tmp_path / "log")
    records = {record.seq: record for record in reader.read(0, 1_000_000)}
    reader.close()
    assert sorted(records) == list(range(1, found.head + 1))
    for seq, digest in acked.items():
        assert hashlib.sha256(records[seq].data).hexdigest() == digest, (seed, seq)
    if segment_bytes < 1 << 20:
        assert len(first_seqs(tmp_path / "log")) > 3
