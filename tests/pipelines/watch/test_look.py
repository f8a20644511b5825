"""One look at real samples: what it comes to, and that no row counts for two alarms."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.watch.config import WatchConfig
from pipelines.watch.look import Look, look
from pipelines.watch.memory import Memory, read_memory, write_memory
from pipelines.watch.wording import changes, drifted
from tasks.errors import DataError, IntegrityError
from tests.tasks.drift.watched import BEGIN, documents, flights, promote_described, sample

NOW = datetime.fromtimestamp(BEGIN, UTC) + timedelta(hours=3)
WEEK = "7d"
NOTHING = Memory()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a champion whose traffic shifts after an hour."""
    folder = tmp_path_factory.mktemp("home")
    promote_described(folder / "models", documents())
    sample(folder / "samples", flights(800, 11))
    sample(folder / "samples", flights(800, 12, further=0.6), begin=BEGIN + 3600)
    return folder


def looked(home: Path, memory: Memory = NOTHING, since: str = WEEK, **more: str) -> Look:
    watch = WatchConfig(samples=str(home / "samples"), since=since, **more)
    return look(watch, "small", home, memory, NOW)


def test_drift_is_told_with_what_and_since_when(home: Path) -> None:
    found = looked(home)
    assert found.verdict == "Drifted"
    assert found.report is not None
    assert drifted(found.report)[0] == "distance"
    assert found.said.startswith("small version 1: distance")
    assert changes(found.report)[0].since in found.said
    (distance,) = [each for each in found.report.series if each.name == "distance"]
    assert sum(part.reference for part in distance.shares) == pytest.approx(1)
    assert sum(part.served for part in distance.shares) == pytest.approx(1)
    assert distance.shares[-1].served > distance.shares[-1].reference


def test_rows_of_an_alarm_do_not_count_again(home: Path) -> None:
    first = looked(home).report
    assert first is not None
    after = Memory(version="1", alarmed_until=first.end)
    assert looked(home, after).verdict == "TooFewRows"
    sample(home / "samples", flights(600, 13, further=0.6), begin=BEGIN + 7200)
    second = looked(home, after)
    assert second.verdict == "Drifted"
    assert second.report is not None
    assert second.report.begin > first.end
    assert second.report.rows == 600
    # Another version's alarm says nothing of this one's rows.
    assert looked(home, Memory(version="0", alarmed_until=first.end)).report != second.report


def test_the_window_ends_what_is_looked_at(home: Path) -> None:
    found = looked(home, since="1m")
    assert found.verdict == "TooFewRows"
    assert "0 sampled rows since" in found.said


def test_what_is_there_only_later_is_no_error(home: Path, tmp_path: Path) -> None:
    watch = WatchConfig(samples=str(tmp_path / "none"))
    assert look(watch, "unborn", home, Memory(), NOW).verdict == "NoChampion"
    found = look(watch, "small", home, Memory(), NOW)
    assert (found.verdict, found.version) == ("NoSamples", "1")
    assert f"{tmp_path / 'none'}: there is no such folder of samples" in found.said
    labelled = looked(home, labels=str(tmp_path / "labels.csv")).report
    assert labelled is not None
    assert labelled.notes[-1] == f"{tmp_path / 'labels.csv'}: there are no labels yet"


def test_labels_that_are_wrong_are_an_error(home: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("request,nonsense\n")
    with pytest.raises(DataError):
        looked(home, labels=str(tmp_path / "labels.csv"))


def test_a_new_champion_is_looked_at_alone(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path / "home")
    promote_described(tmp_path / "home" / "models", documents(19_000))
    found = looked(tmp_path / "home")
    assert (found.verdict, found.version) == ("NoSamples", "2")


def test_what_is_remembered_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "pipeline" / "memory.json"
    assert read_memory(path) == Memory()
    memory = Memory(version="3", alarmed_until=NOW, retraining_at=NOW)
    write_memory(path, memory)
    assert read_memory(path) == memory
    path.write_text('{"version": ')
    with pytest.raises(IntegrityError, match=r"not what the drift watch writes\n  do: remove the file"):
        read_memory(path)
