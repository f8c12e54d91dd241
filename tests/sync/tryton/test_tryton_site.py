"""The Tryton that the demo and the suite install: fresh each time, beside others, gone when stopped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.errors import TechnicianError
from edge.simulate.tryton import TrytonSite
from sync.tryton.rest import Refused, Rest
from tests.sync.tryton.conftest import CACHE, PLAN

pytestmark = pytest.mark.tryton
ROOT = Path(__file__).resolve().parents[3]


async def test_reset_brings_back_what_was_seeded(site: TrytonSite, rest: Rest) -> None:
    [bearing] = await rest.search("product.product", [["code", "=", "BRG-6204"]], ["code"])
    await rest.create("stock.lot", {"product": bearing["id"], "number": "GONE"})
    url = site.url
    site.reset()
    assert site.url == url
    assert await rest.search("stock.lot", [["number", "=", "GONE"]], ["number"]) == []


def test_two_sites_stand_side_by_side_and_stop_by_themselves(site: TrytonSite, tmp_path: Path) -> None:
    said: list[str] = []
    other = TrytonSite(tmp_path / "other", cache=CACHE, plan=PLAN, say=said.append)
    other.start()
    pid = other.pid
    assert pid is not None
    assert other.url != site.url
    assert said == [f"Tryton: answering at {other.url}"]
    other.stop()
    other.stop()
    assert other.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_tool_that_fails_is_told_with_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.simulate.tryton.PINS", ("no-such-thing-as-this @ file:///nowhere",))
    with pytest.raises(TechnicianError, match="The first start needs the package index."):
        TrytonSite(tmp_path).start()


def test_two_processes_share_one_preparation(site: TrytonSite, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from edge.simulate.tryton import TrytonSite; "
        "from tests.sync.tryton.conftest import CACHE, PLAN; "
        "site = TrytonSite(Path(sys.argv[1]), cache=CACHE, plan=PLAN); site.start(); site.stop(); print('done')"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / name)], cwd=ROOT, stdout=subprocess.PIPE)
        for name in ("a", "b")
    ]
    assert [child.communicate()[0] for child in children] == [b"done\n", b"done\n"]


async def test_the_edges_user_may_not_change_a_bill(site: TrytonSite, rest: Rest) -> None:
    with pytest.raises(Refused, match="You are not allowed to access"):
        await rest.create("production.bom", {"name": "mine"})
