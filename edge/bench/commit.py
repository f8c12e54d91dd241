"""One record, commit: what the writer thread does for a record that comes alone, against the disk's own price.

Three things in turns, each after a pause: F; leaf hash and ``Segment.append`` (BEGIN, record, a station's state, tally, COMMIT),
which is the commit that is promised; ``Log.append`` until its future resolves, which adds the way to the writer thread and back.
Files are warm: their write-ahead log has turned over once. Checkpoints fall between the samples, as they do between scans.

The number of fdatasync is counted by strace around a child that commits a known number of records: the difference between two
runs of different length.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from edge.bench.measure import REPETITIONS, Disk, clock, joined, micros, p50, p99, pause_s
from edge.bench.result import Figure, Size, at_most, exactly
from edge.bench.scene import record, state_value
from edge.log import Log, leaf_hash
from edge.log.segment import WAL_BYTES, Meta, Row, Segment
from edge.wording import Words

_SAMPLES: Final = {Size.FULL: 300, Size.QUICK: 10}
_COUNTED: Final = (20, 120)  # commits of the two counted children: too few for a checkpoint in between
_INLINE_FRAMES: Final = 1000


def run(place: Path, size: Size) -> tuple[Figure, ...]:
    """See the module."""
    for folder in ("state", "bare"):
        (place / folder).mkdir()
    return asyncio.run(_timed(place, size, _counted(place)))


async def _timed(place: Path, size: Size, syncs: float | None) -> tuple[Figure, ...]:
    repetitions = REPETITIONS if size is Size.FULL else 2
    commits: list[float] = []
    acknowledged: list[float] = []
    figures: list[tuple[float, float, float]] = []
    log = Log.open(place / "state", clock=clock())
    segment = Segment.create(
        place / "bare", Meta(origin="bench", first=1, created="", before={}), {}, wal_bytes=WAL_BYTES
    )
    seq = 0  # of the bare segment
    sent = 0

    def commit() -> float:
        nonlocal seq
        seq += 1
        entry = record(seq)
        began = time.perf_counter()
        segment.append([Row(seq, entry, leaf_hash(entry.data))], {"desk/ST10": state_value(seq)}, {"event": seq})
        took = time.perf_counter() - began
        if segment.frames >= _INLINE_FRAMES:
            segment.checkpoint()
            segment.turn()
        return took

    async def append() -> float:
        nonlocal sent
        sent += 1
        entry = record(sent)
        began = time.perf_counter()
        await log.append([entry], {"desk/ST10": state_value(sent)})
        return time.perf_counter() - began

    try:
        with Disk(place) as disk:
            for _ in range(2000 if size is Size.FULL else 10):
                commit()
                await append()
            for _ in range(repetitions):
                ours, theirs, loop = [], [], []
                for _ in range(_SAMPLES[size]):
                    await asyncio.sleep(pause_s())
                    theirs.append(disk.write(record(seq).data))
                    await asyncio.sleep(pause_s())
                    ours.append(commit())
                    await asyncio.sleep(pause_s())
                    loop.append(await append())
                commits.append(p50(ours) / p50(theirs))
                acknowledged.append(p50(loop) / p50(theirs))
                figures.append((p50(theirs), p50(ours), p99(ours) / p99(theirs)))
    finally:
        segment.close()
        await log.close()
    floor, ours_s, tail = (p50([each[place] for each in figures]) for place in range(3))
    return (
        Figure(
            what=Words("fdatasync per committed record", "每条记录的 fdatasync 次数"),
            unit="",
            samples=() if syncs is None else (syncs,),
            target=exactly(1),
            note=Words("", "") if syncs is not None else Words("strace is not here", "本机没有 strace"),
        ),
        Figure(
            what=Words("commit of one record, p50", "提交一条记录，p50"),
            unit="F",
            samples=tuple(commits),
            target=at_most(1.2),
            note=joined(
                micros("F", floor), micros("commit", ours_s), Words(f"p99 {tail:.2f} F99", f"p99 {tail:.2f} F99")
            ),
        ),
        Figure(
            what=Words("the same, from the loop to its acknowledgement, p50", "同上，从事件循环到确认，p50"),
            unit="F",
            samples=tuple(acknowledged),
        ),
    )


def _counted(place: Path) -> float | None:
    """fdatasync and the like per record; None where nobody can count."""
    strace = shutil.which("strace")
    if strace is None:
        return None
    counts = []
    for commits in _COUNTED:
        trace, state_dir = place / f"trace-{commits}", place / f"counted-{commits}"
        state_dir.mkdir()
        command = [
            strace,
            "-f",
            "-o",
            str(trace),
            "-e",
            "trace=fsync,fdatasync,sync_file_range,msync",
            sys.executable,
            "-m",
            __name__,
        ]
        done = subprocess.run([*command, str(state_dir), str(commits)], check=False, capture_output=True, timeout=60)
        if done.returncode != 0:
            return None
        counts.append(len(re.findall(r"\b(fsync|fdatasync|sync_file_range|msync)\(", trace.read_text())))
    return (counts[1] - counts[0]) / (_COUNTED[1] - _COUNTED[0])


async def _commit(state_dir: Path, commits: int) -> None:
    """What is counted: ``commits`` records, each after the last is on disk."""
    log = Log.open(state_dir, clock=clock())
    for number in range(commits):
        await log.append([record(number)], {"desk/ST10": state_value(number)})
    await log.close()


if __name__ == "__main__":
    asyncio.run(_commit(Path(sys.argv[1]), int(sys.argv[2])))
