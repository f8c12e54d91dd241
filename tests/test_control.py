"""The daemon's own door: only its owner, one answer each, and a clear sentence when nobody is there."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from edge import control
from edge.errors import LotlineError, TechnicianError
from edge.wording import Words


async def _echo(request: Mapping[str, Any]) -> Any:
    return {"heard": request["word"]}


async def _fail(request: Mapping[str, Any]) -> Any:
    raise TechnicianError(Words("no such thing.", "没有。"), Words("Look again.", "请再看。"))


HANDLERS: Mapping[str, control.Handler] = {"echo": _echo, "fail": _fail}


async def test_a_request_is_answered_and_the_door_is_the_owners_alone(tmp_path: Path) -> None:
    door = tmp_path / "control.sock"
    async with control.serve(door, HANDLERS):
        assert stat.S_IMODE(door.stat().st_mode) == 0o600
        assert await asyncio.to_thread(control.ask, door, "echo", word="轴") == {"heard": "轴"}
    assert not door.exists()


async def test_an_error_comes_back_in_both_languages(tmp_path: Path) -> None:
    door = tmp_path / "control.sock"
    async with control.serve(door, HANDLERS):
        with pytest.raises(LotlineError) as caught:
            await asyncio.to_thread(control.ask, door, "fail")
        assert (caught.value.say.en, caught.value.say.zh) == ("no such thing. Look again.", "没有。请再看。")


async def test_nonsense_is_answered_and_harms_nobody(tmp_path: Path) -> None:
    door = tmp_path / "control.sock"
    async with control.serve(door, HANDLERS):
        reader, writer = await asyncio.open_unix_connection(str(door))
        writer.write(b"\x00\xff not json\n")
        assert b'"ok": false' in await reader.read()
        writer.close()
        with pytest.raises(LotlineError, match="does not know that request"):
            await asyncio.to_thread(control.ask, door, "unheard-of")
        assert await asyncio.to_thread(control.ask, door, "echo", word=1) == {"heard": 1}


def test_where_nothing_runs_the_sentence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(control.NotRunning) as caught:
        control.ask(tmp_path / "control.sock", "status")
    assert caught.value.say.en == (
        f"no running line answers at {tmp_path}/control.sock. Start it with `lotline run FILE`, or name its directory with --state."
    )


async def test_a_state_directory_may_lie_deep(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-long-name-of-a-folder"] * 6)
    deep.mkdir(parents=True)
    door = deep / "control.sock"
    async with control.serve(door, HANDLERS):
        assert await asyncio.to_thread(control.ask, door, "echo", word=1) == {"heard": 1}


async def test_a_line_that_cannot_answer_is_not_called_absent(tmp_path: Path) -> None:
    door = tmp_path / "control.sock"

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    server = await asyncio.start_unix_server(hang_up, str(door))
    async with server:
        with pytest.raises(LotlineError, match="could not answer"):
            await asyncio.to_thread(control.ask, door, "status")
