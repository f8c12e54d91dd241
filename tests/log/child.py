"""A small daemon for tests that end it rudely: appends numbered records and says which are acknowledged.

``python child.py STATE MODE [SEGMENT_BYTES]``; one line per event on standard output.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import sys
from pathlib import Path

import msgspec

from edge.errors import StorageStop
from edge.log import Log
from tests.log.conftest import SMALL, ManualClock, number_of, scan


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def open_log(state_dir: Path, segment_bytes: int) -> Log:
    return Log.open(state_dir, clock=ManualClock(), segment_bytes=segment_bytes, **SMALL)


async def write_until_killed(state_dir: Path, segment_bytes: int) -> None:
    """Four producers; every append changes the state with its record. First says what it found."""
    log = open_log(state_dir, segment_bytes)
    say("head", log.head)
    if log.head:
        reader = log.reader()
        last = reader.get(log.head)
        reader.close()
        assert last is not None
        number = number_of(last)
        assert log.state()["last"] == str(number).encode(), "state and records disagree"
        assert sum(log.counts.values()) == log.head, "tally and records disagree"
    else:
        number = 0

    async def produce() -> None:
        nonlocal number
        while True:
            first = number + 1
            number += random.randrange(1, 4)  # noqa: S311
            entries = [scan(each, random.randrange(50, 1500)) for each in range(first, number + 1)]  # noqa: S311
            seqs = await log.append(entries, {"last": str(number).encode()})
            for seq, item in zip(seqs, entries, strict=True):
                say("ack", seq, hashlib.sha256(item.data).hexdigest())

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(produce())


async def commit_between_marks(state_dir: Path, segment_bytes: int) -> None:
    """Twenty single commits: too few pages for a checkpoint to fall among them."""
    log = open_log(state_dir, segment_bytes)
    await log.append([scan(0)], {"ST10": b"warm"})
    for number in range(20):
        os.write(2, b"BEGIN\n")
        await log.append([scan(number)], {"ST10": b"%d" % number})
        os.write(2, b"END\n")
    await log.close()


async def live_through_errors(state_dir: Path, segment_bytes: int) -> None:
    """Append until recording has stopped and gone on, then five more."""
    log = open_log(state_dir, segment_bytes)
    log.on_storage(lambda storage: say("storage", storage.ok, storage.code))
    number = after = 0
    while after < 5:
        number += 1
        item = scan(number)
        try:
            (seq,) = await log.append([item], {"last": str(number).encode()})
            say("ack", seq, hashlib.sha256(item.data).hexdigest())
            after += log.generation > 1
        except StorageStop:
            await asyncio.sleep(0.05)
    say("state", log.state()["last"].decode(), number)
    say("generation", log.generation)
    await log.close()


def kill_children(state_dir: Path, segment_bytes: int, rounds: int, seed: int) -> None:
    """Fork a daemon, kill it at a random instant, again and again; then report what was acknowledged."""
    import select
    import signal
    import time

    chance = random.Random(seed)  # noqa: S311
    acked: dict[int, str] = {}
    for _ in range(rounds):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            os.dup2(writing, 1)
            try:
                asyncio.run(write_until_killed(state_dir, segment_bytes))
            finally:
                os._exit(3)
        os.close(writing)
        deadline = time.monotonic() + chance.uniform(0.0, 0.12)
        data = b""
        while (left := deadline - time.monotonic()) > 0:
            if select.select([reading], [], [], left)[0]:
                piece = os.read(reading, 1 << 16)
                data += piece
                if not piece:
                    break
        os.kill(child, signal.SIGKILL)
        while piece := os.read(reading, 1 << 16):
            data += piece
        os.close(reading)
        status = os.waitpid(child, 0)[1]
        if not os.WIFSIGNALED(status):
            say("broken", os.waitstatus_to_exitcode(status))
            return
        for line in data[: data.rfind(b"\n") + 1].decode().splitlines():
            match line.split():
                case ["head", head]:
                    if int(head) < max(acked, default=0):
                        say("lost", head, max(acked))
                case ["ack", seq, digest]:
                    if int(seq) in acked:
                        say("twice", seq)
                    acked[int(seq)] = digest
    say("acked", msgspec.json.encode(acked).decode())


if __name__ == "__main__":
    where, mode, size, *rest = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), *sys.argv[4:]
    match mode:
        case "commits":
            asyncio.run(commit_between_marks(where, size))
        case "errors":
            asyncio.run(live_through_errors(where, size))
        case "kill":
            kill_children(where, size, int(rest[0]), int(rest[1]))
