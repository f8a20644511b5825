"""A backfill runs each partition once, whatever stops it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from data_contracts.errors import ContractBrokenError
from pipelines.scheduling.backfill import Range, backfill, partitions_of, pieces, worst
from pipelines.scheduling.ledger import read_entry
from pipelines.scheduling.partitions import PartitionsConfig
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
    return [entry.outcome for _, entry in found]


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
        once(path, run, **change)  # type: ignore[arg-type]
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
