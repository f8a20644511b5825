from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.runs.folders import RunName, find_run, run_names
from tasks.errors import ConfigError
from tests.pipelines.runs.homes import BROKEN, KILLED, OLD, REFUSED, home_of_runs


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return home_of_runs(tmp_path)


def test_the_newest_run_comes_first_whatever_its_pipeline(home: Path) -> None:
    assert [run.id for run in run_names(home)] == [KILLED, BROKEN, REFUSED, OLD]
    assert [run.id for run in run_names(home, "flights")] == [BROKEN, REFUSED, OLD]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("latest", KILLED),
        ("flights", BROKEN),
        (OLD, OLD),
        ("20260102", REFUSED),
        ("bbbb", REFUSED),
        ("flights/202601021", None),
        ("flights/20260102", REFUSED),
        ("houses/2026", KILLED),
        ("2026", None),
        ("flights/", BROKEN),
        ("fligths", None),
    ],
)
def test_a_run_is_found_by_what_tells_it_from_others(home: Path, text: str, found: str | None) -> None:
    if found is None:
        with pytest.raises(ConfigError):
            find_run(home, text)
    else:
        assert find_run(home, text).id == found


def test_a_run_is_found_by_its_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home / "runs" / "flights" / REFUSED
    assert find_run(home, f"{folder}/") == RunName(REFUSED, "flights")
    monkeypatch.chdir(home)
    assert find_run(home, f"runs/flights/{REFUSED}") == RunName(REFUSED, "flights")


def test_what_is_wrong_with_a_name_is_said(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"may be any of 2: houses/.+, flights/.+\n  do: name one"):
        find_run(home, "20260103")
    with pytest.raises(ConfigError, match="did you mean `flights`"):
        find_run(home, "fligths")
    with pytest.raises(ConfigError, match="did you mean `houses`"):
        run_names(home, "house")
    with pytest.raises(ConfigError, match="there are no runs"):
        find_run(tmp_path / "empty", "latest")
