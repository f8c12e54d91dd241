"""A bad file never stops a line: what ran last is kept and given back."""

import pytest

from edge.config import applied
from edge.config.applied import last_applied, remember, start_with
from edge.config.problem import Mistakes
from tests.config import TABLES


def test_what_is_remembered_comes_back_the_same(tmp_path, loaded, right):
    line = loaded(right)
    remember(tmp_path, line)
    again = last_applied(tmp_path, **TABLES)
    assert again is not None
    assert (again.effective, again.fingerprint) == (line.effective, line.fingerprint)
    assert (again.site, again.devices, again.destinations) == (line.site, line.devices, line.destinations)
    assert (tmp_path / "applied.yaml").stat().st_mode & 0o777 == 0o600


def test_nothing_is_given_back_where_nothing_ran(tmp_path):
    assert last_applied(tmp_path, **TABLES) is None


def test_a_good_file_is_started_itself(tmp_path, right):
    start = start_with(right, tmp_path, **TABLES)
    assert start.refused is None
    assert start.loaded.site.site == "SZ1"


def test_a_bad_file_starts_the_last_applied_one_and_says_why(tmp_path, loaded, right, write):
    remember(tmp_path, loaded(right))
    start = start_with(write("stroage: {}\n"), tmp_path, **TABLES)
    assert start.loaded.site.site == "SZ1"
    assert str(start.refused).endswith("1 error. Nothing was changed.")
    assert tmp_path in start.loaded.folders  # the secrets stand beside the technician's file, not beside ours


def test_a_bad_file_is_refused_where_nothing_ran_before(tmp_path, write):
    with pytest.raises(Mistakes, match="unknown key 'stroage'"):
        start_with(write("stroage: {}\n"), tmp_path, **TABLES)


def test_of_two_bad_files_the_technicians_own_is_told(tmp_path, write):
    (tmp_path / "applied.yaml").write_text("nonsense: [")
    with pytest.raises(Mistakes, match="unknown key 'stroage'"):
        start_with(write("stroage: {}\n"), tmp_path, **TABLES)
    with pytest.raises(Mistakes, match="is missing here"):
        last_applied(tmp_path, **TABLES)


def test_a_write_that_fails_leaves_the_old_one_whole(tmp_path, loaded, right, write, monkeypatch):
    remember(tmp_path, loaded(right))

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(applied.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        remember(tmp_path, loaded(write("")))
    again = last_applied(tmp_path, **TABLES)
    assert again is not None
    assert again.site.site == "SZ1"
