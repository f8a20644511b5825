"""A backfill runs each partition once, whatever stops it."""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from data_contracts.errors import ContractBrokenError
from pipelines.config import load_pipeline
from pipelines.scheduling.backfill import Done, Piece, Range, backfill, partitions_of, pieces, worst
from pipelines.scheduling.ledger import read_entry
from pipelines.scheduling.partitions import PartitionsConfig
from pipelines.scheduling.source_data import data_of
from tasks.errors import ConfigError, DataError, DiskFullError, GateRefusedError
from tests.end_to_end.customers import PIPELINE, write_project

MONTHS = PartitionsConfig(by="month", first=date(2024, 1, 1))
NOW = datetime(2024, 6, 10, tzinfo=UTC)
CUT = PIPELINE.replace("customers.csv", "customers-{partition}.csv")
WANTED = ["2024-01", "2024-02", "2024-03"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_project(tmp_path, rows=20)
    path = tmp_path / "customers.yaml"
    path.write_text(CUT + "partitions: {by: month, from: 2024-01-01}\n")
    return path


class Runs:
    """Stands for the flow: notes which partitions it was asked for, and ends as it was told."""

    def __init__(self, **ends: BaseException) -> None:
        self.asked: list[str] = []
        self.ends = {f"2024-{month[1:]}": error for month, error in ends.items()}

    def __call__(self, partition: str) -> dict[str, Any]:
        self.asked.append(partition)
        if partition in self.ends:
            raise self.ends[partition]
        return {"digest": f"digest-of-{partition}", "version": 1}


def once(
    path: Path, run: Runs, *, again: bool = False, code: str = "code", settings: tuple[str, ...] = ()
) -> list[str]:
    todo = pieces(path, settings, WANTED, code, path.parent / "home")
    found = backfill("customers", todo, run, path.parent / "home", again=again)
    return [done.entry.outcome for done in found]


def test_what_is_settled_is_not_run_again(path: Path) -> None:
    ends = {"m02": ContractBrokenError("too many"), "m03": GateRefusedError("too bad")}
    first, second = Runs(**ends), Runs(**ends)
    expected = ["promoted", "contract broken", "refused"]
    assert once(path, first) == expected
    assert once(path, second) == expected
    assert (first.asked, second.asked) == (WANTED, [])
    entry = read_entry(path.parent / "home", "customers", "2024-01")
    assert entry is not None
    assert (entry.digest, entry.version, entry.exit_code) == ("digest-of-2024-01", "1", 0)


def test_a_run_that_lacked_its_data_is_tried_again(path: Path) -> None:
    assert once(path, Runs(m02=DataError("no such file"))) == ["promoted", "failed", "promoted"]
    second = Runs()
    assert once(path, second) == ["promoted"] * 3
    assert second.asked == ["2024-02"]


@pytest.mark.parametrize("stopped", [KeyboardInterrupt(), DiskFullError("full")])
def test_a_backfill_that_was_stopped_goes_on_where_it_was(path: Path, stopped: BaseException) -> None:
    with pytest.raises(type(stopped)):
        once(path, Runs(m02=stopped))
    second = Runs()
    assert once(path, second) == ["promoted"] * 3
    assert second.asked == ["2024-02", "2024-03"]


def test_all_are_run_again_if_that_is_asked_for_or_anything_changed(path: Path) -> None:
    once(path, Runs())
    for change in ({"again": True}, {"code": "other", "settings": ("train.seed=5",)}):
        run = Runs()
        once(path, run, **change)
        assert run.asked == WANTED
        once(path, Runs())
    contract = path.parent / "customers.odcs.yaml"
    contract.write_text(contract.read_text().replace("maximum: 110", "maximum: 120"))
    run = Runs()
    once(path, run)
    assert run.asked == WANTED


def test_a_schedule_changes_no_bundle(path: Path) -> None:
    once(path, Runs())
    path.write_text(path.read_text() + "schedule: {interval: 6h}\n")
    run = Runs()
    once(path, run)
    assert run.asked == []


@pytest.mark.parametrize("torn", ["{", json.dumps({"key": "k"})])
def test_an_entry_that_cannot_be_read_counts_for_nothing(path: Path, torn: str) -> None:
    once(path, Runs())
    (path.parent / "home" / "backfills" / "customers" / "2024-02.json").write_text(torn)
    run = Runs()
    once(path, run)
    assert run.asked == ["2024-02"]


def test_which_partitions_are_meant(path: Path) -> None:
    assert partitions_of(MONTHS, path, Range(), NOW) == ["2024-01", "2024-02", "2024-03", "2024-04", "2024-05"]
    assert partitions_of(MONTHS, path, Range("2024-02", "2024-03"), NOW) == ["2024-02", "2024-03"]
    assert partitions_of(MONTHS, path, Range(named=("2024-03", "2024-01", "2024-03")), NOW) == ["2024-03", "2024-01"]
    with pytest.raises(ConfigError, match="`2024-06`: expected one that is over"):
        partitions_of(MONTHS, path, Range(last="2024-06"), NOW)
    with pytest.raises(ConfigError, match="no section `partitions`"):
        partitions_of(None, path, Range(), NOW)
    with pytest.raises(ConfigError, match="no partition is complete yet"):
        partitions_of(MONTHS, path, Range(), datetime(2024, 1, 31, tzinfo=UTC))


def test_the_worst_exit_code_counts() -> None:
    assert worst([0, 3, 4, 2, 3]) == 2
    assert worst([0, 3, 4]) == 4
    assert worst([0, 0]) == worst([]) == 0


def data_of_months(path: Path, text: str = "first") -> list[Path]:
    """Write the files of the wanted months; returns them in order."""
    files = [path.parent / f"customers-{month}.csv" for month in WANTED]
    for file in files:
        file.write_text(text)
    return files


def test_a_partition_whose_data_changed_is_run_again_and_no_other(path: Path) -> None:
    _, second, _ = data_of_months(path)
    once(path, Runs())
    second.write_text("other")
    (planned,) = [piece for piece in pieces(path, (), WANTED, "code", path.parent / "home") if piece.before is None]
    assert (planned.partition, planned.changed) == ("2024-02", True)
    run = Runs()
    once(path, run)
    assert run.asked == ["2024-02"]
    after = Runs()
    once(path, after)
    assert after.asked == []


def test_data_that_was_copied_or_put_away_is_the_same_data(path: Path) -> None:
    first, second, third = data_of_months(path)
    once(path, Runs())
    os.utime(first, ns=(1, 1))
    second.unlink()
    third.rename(third.with_name("kept"))
    third.with_name("kept").rename(third)
    run = Runs()
    once(path, run)
    assert run.asked == []
    entry = read_entry(path.parent / "home", "customers", "2024-01")
    assert entry is not None
    assert entry.data == data_of(load_pipeline(path, (), "2024-01").source), "so that it is not read again"


def test_data_that_comes_later_to_what_broke_without_it_is_noticed(path: Path) -> None:
    data_of_months(path)[0].unlink()
    once(path, Runs(m02=ContractBrokenError("too many")))
    data_of_months(path)
    # Settled without any files: there is nothing to hold them against. They count from now on.
    run = Runs()
    once(path, run)
    assert run.asked == []
    data_of_months(path, "other")
    once(path, run)
    assert run.asked == WANTED


@pytest.mark.parametrize("torn", [b"\xff\xfe{}", b"", b"[]", b'{"key": "k", "data": {"stamp": 1}}'])
def test_an_entry_of_whatever_bytes_counts_for_nothing(path: Path, torn: bytes) -> None:
    once(path, Runs())
    (path.parent / "home" / "backfills" / "customers" / "2024-02.json").write_bytes(torn)
    run = Runs()
    once(path, run)
    assert run.asked == ["2024-02"]


def test_two_backfills_at_once_run_each_partition_once(path: Path) -> None:
    home, begun, go_on = path.parent / "home", threading.Event(), threading.Event()
    asked: list[str] = []

    def run(partition: str) -> dict[str, Any]:
        asked.append(partition)
        begun.set()
        go_on.wait(20)
        return {"digest": f"digest-of-{partition}", "version": 1}

    def whole(todo: list[Piece]) -> list[Done]:
        return list(backfill("customers", todo, run, home, again=False))

    with ThreadPoolExecutor(2) as both:
        # Both have looked before either has settled anything.
        first = both.submit(whole, pieces(path, (), WANTED, "code", home))
        second_plan = pieces(path, (), WANTED, "code", home)
        assert begun.wait(20)
        second = both.submit(whole, second_plan)
        go_on.set()
        found = first.result(20), second.result(20)
    assert sorted(asked) == WANTED
    for one, other in zip(*found, strict=True):
        assert one.entry == other.entry
        assert one.before != other.before


def test_a_range_that_begins_too_late_or_is_far_too_long_is_refused(path: Path) -> None:
    with pytest.raises(ConfigError, match="`2024-06`: expected one that is over"):
        partitions_of(MONTHS, path, Range("2024-06"), NOW)
    with pytest.raises(ConfigError, match="from 2024-04 to 2024-02 there is no partition"):
        partitions_of(MONTHS, path, Range("2024-04", "2024-02"), NOW)
    days = PartitionsConfig(by="day", first=date(1, 1, 1))
    with pytest.raises(ConfigError, match="more than 10,000 partitions\n  do: begin later"):
        partitions_of(days, path, Range(), NOW)
    assert len(partitions_of(days, path, Range("2024-02-28", "2024-03-01"), NOW)) == 3, "a leap day"


def test_a_name_that_no_file_can_have_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 100 characters, got 300"):
        PartitionsConfig(values=("x" * 300,))
