from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch

from tasks.errors import IntegrityError
from tasks.training.recovery import AtomicCheckpointIO, Pace, latest_checkpoint

RUN = "run-1"


def _write(folder: Path, number: int, run: str = RUN) -> Path:
    path = folder / f"round-{number:06d}.ckpt"
    AtomicCheckpointIO().save_checkpoint({"headrace_run": run, "weights": torch.arange(1000.0), "n": number}, path)
    return path


def test_an_empty_folder_has_none(tmp_path: Path) -> None:
    assert latest_checkpoint(tmp_path, RUN) is None


def test_the_newest_is_found_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    _write(tmp_path, 9)
    newest = _write(tmp_path, 10)
    found = latest_checkpoint(tmp_path, RUN)
    assert found is not None
    assert (found[0], found[1]["n"]) == (newest, 10)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("damage", ["truncated", "empty", "text", "flipped"])
def test_a_torn_file_is_passed_over_for_the_one_before(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    _write(tmp_path, 1)
    path = _write(tmp_path, 2)
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(
        {
            "truncated": content[:middle],
            "empty": b"",
            "text": b"not a checkpoint\n",
            "flipped": content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :],
        }[damage]
    )
    with caplog.at_level(logging.WARNING):
        found = latest_checkpoint(tmp_path, RUN)
    assert found is not None
    assert found[1]["n"] == 1
    assert "torn checkpoint" in caplog.text


def test_nothing_but_torn_files_is_an_error(tmp_path: Path) -> None:
    _write(tmp_path, 1).write_bytes(b"PK")
    with pytest.raises(IntegrityError, match="no training checkpoint can be read"):
        latest_checkpoint(tmp_path, RUN)


def test_a_file_that_needs_unpickling_is_not_read(tmp_path: Path) -> None:
    torch.save({"headrace_run": RUN, "object": Path("/")}, tmp_path / "round-000001.ckpt")
    with pytest.raises(IntegrityError, match="no training checkpoint can be read"):
        latest_checkpoint(tmp_path, RUN)


@pytest.mark.parametrize("content", [{"headrace_run": "run-2"}, {"state_dict": {}}, [1, 2]])
def test_a_checkpoint_of_another_run_is_an_error(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "round-000001.ckpt")
    with pytest.raises(IntegrityError, match="expected a checkpoint of training run run-1"):
        latest_checkpoint(tmp_path, RUN)


def test_a_checkpoint_within_a_round_is_newer_than_the_round_before_and_older_than_its_own(tmp_path: Path) -> None:
    names = ["round-000002.ckpt", "round-000002.step-000000045.ckpt", "round-000002.step-000000050.ckpt"]
    for name in (*names, "round-000003.ckpt"):
        AtomicCheckpointIO().save_checkpoint({"headrace_run": RUN}, tmp_path / name)
        found = latest_checkpoint(tmp_path, RUN)
        assert found is not None
        assert found[0].name == name


def test_checkpoints_come_every_so_many_steps_or_when_the_clock_allows() -> None:
    assert [step for step in range(1, 11) if Pace(4).due(step)] == [4, 8]
    assert not Pace("auto").due(4)
