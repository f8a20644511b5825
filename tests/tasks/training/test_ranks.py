"""Two processes train together as one would; when one dies, or the run itself, none is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch

from tasks.augmentation.config import AugmentConfig
from tasks.errors import ConfigError, TrainingError
from tasks.models.checkpoint import load_predictor, read_history
from tasks.progress import listening, reading
from tasks.references import CheckpointRef
from tasks.storage import place
from tasks.training.job import TrainJob
from tasks.training.job_file import read_job, write_job
from tasks.training.ranks import EVENT
from tasks.training.splits import read_split
from tasks.training.train import TrainConfig, run_train
from tests.tasks.training.fixtures import LONG, ON_THE_FLY, Problem
from tests.tasks.training.small_jobs import MLP, small_job
from tests.tasks.training.test_kill import CONTEXT


def _config(**machine: Any) -> TrainConfig:
    said = {"accelerator": "cpu", "threads": 1, "devices": 2, **machine}
    return TrainConfig.model_validate({**LONG.model_dump(mode="json"), "machine": said, "logs": {"csv": True}})


def _train(problem: Problem, config: TrainConfig, folder: Path) -> CheckpointRef:
    arguments = (problem.features, problem.preprocessing, config, folder / "home", folder / "work")
    return run_train(*arguments, ON_THE_FLY)


def _ranks(parent: int | None = None) -> list[psutil.Process]:
    children = psutil.Process(parent).children(recursive=True)
    return [child for child in children if "tasks.training.rank" in child.cmdline()]


@pytest.fixture(scope="module")
def together(problem: Problem, tmp_path_factory: pytest.TempPathFactory) -> CheckpointRef:
    counted: list[int] = []

    class Bar:
        def __init__(self, label: str, total: int, unit: str) -> None:
            counted.append(-total)

        def __enter__(self) -> Any:
            return lambda amount=1: counted.append(amount)

        def __exit__(self, *error: object) -> None:
            pass

    heard: list[Mapping[str, float]] = []
    with listening(Bar), reading(lambda label, values: heard.append(values)):  # type: ignore[arg-type]
        ref = _train(problem, _config(), tmp_path_factory.mktemp("together"))
    assert sum(counted) == 0
    assert sum("round/log_loss" in values for values in heard) == LONG.rounds
    assert not _ranks()
    return ref


def _row_losses(problem: Problem, ref: CheckpointRef) -> np.ndarray[Any, Any]:
    split = read_split(problem.features, problem.preprocessing, "validation")
    scores = torch.from_numpy(load_predictor(ref).scores(*(each.numpy() for each in split.inputs)))
    return torch.nn.functional.cross_entropy(scores, split.target, reduction="none").numpy()


def test_two_processes_measure_what_one_does(problem: Problem, together: CheckpointRef, tmp_path: Path) -> None:
    alone = _train(problem, _config(devices=1), tmp_path)
    expected = _row_losses(problem, alone)
    error = expected.std(ddof=1) / np.sqrt(len(expected))
    assert abs(_row_losses(problem, together).mean() - expected.mean()) < 2 * error
    rounds = read_history(together)
    best = min(record["log_loss"] for record in rounds)
    assert best == pytest.approx(_row_losses(problem, together).mean(), rel=1e-5)
    # The loss of a round is that of all processes' batches; dropout alone makes it another than one process's.
    losses = [np.mean([record["train_loss"] for record in each]) for each in (rounds, read_history(alone))]
    assert losses[0] == pytest.approx(losses[1], rel=0.1)


@pytest.mark.slow
def test_a_killed_rank_ends_all_and_the_run_goes_on_to_the_same_digest(
    problem: Problem, together: CheckpointRef, tmp_path: Path
) -> None:
    moments: list[float] = []

    def kill(label: str, values: Mapping[str, float]) -> None:
        if values.get("step", 0) >= 100 and not moments:
            moments.append(time.monotonic())
            next(rank for rank in _ranks() if rank.environ()["RANK"] == "1").kill()

    with pytest.raises(TrainingError, match="rank 1 was killed by SIGKILL"), reading(kill):
        _train(problem, _config(), tmp_path)
    assert time.monotonic() - moments[0] < 20
    assert not _ranks()
    assert list(tmp_path.glob("work/*/round-*.ckpt"))
    assert _train(problem, _config(), tmp_path).digest == together.digest


def _train_alone(problem: Problem, folder: Path) -> None:
    _train(problem, _config(), folder)


@pytest.mark.slow
def test_a_killed_run_leaves_no_rank_and_goes_on_to_the_same_digest(
    problem: Problem, together: CheckpointRef, tmp_path: Path
) -> None:
    run = CONTEXT.Process(target=_train_alone, args=(problem, tmp_path))
    run.start()
    while not list(tmp_path.glob("work/*/round-000002.*ckpt")):
        assert run.is_alive()
        time.sleep(0.01)
    assert run.pid is not None
    ranks = _ranks(run.pid)
    assert len(ranks) == 2
    os.kill(run.pid, signal.SIGKILL)
    run.join()
    assert not psutil.wait_procs(ranks, timeout=10)[1]
    assert _train(problem, _config(), tmp_path).digest == together.digest


@pytest.mark.slow
def test_two_machines_of_one_process_each(problem: Problem, together: CheckpointRef, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = _config(devices=1, num_nodes=2, address=f"127.0.0.1:{port}")
    arguments = (problem.features, problem.preprocessing, config, tmp_path / "home", tmp_path / "work", ON_THE_FLY)
    job = write_job(TrainJob(*arguments))
    command = [sys.executable, "-m", "tasks.training.rank", str(job), "--node", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as other:
        ref = run_train(*arguments)
        assert other.wait(60) == 0
    assert [record["log_loss"] for record in read_history(ref)] == [
        record["log_loss"] for record in read_history(together)
    ]


@pytest.mark.slow
def test_weights_split_among_processes_learn_the_same_and_go_on(
    problem: Problem, together: CheckpointRef, tmp_path: Path
) -> None:
    def stop(label: str, values: Mapping[str, float]) -> None:
        if values.get("step", 0) >= 160:
            raise InterruptedError

    config = _config(strategy="fsdp")
    with pytest.raises(InterruptedError), reading(stop):
        _train(problem, config, tmp_path)
    assert not _ranks()
    assert len(list(tmp_path.glob("work/*/*.ckpt"))) == 2
    split = _train(problem, config, tmp_path)
    assert split.digest == _train(problem, config, tmp_path / "whole").digest
    losses = [[record["log_loss"] for record in read_history(ref)] for ref in (split, together)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_a_job_is_read_as_it_was_written(problem: Problem, tmp_path: Path) -> None:
    job = TrainJob(problem.features, problem.preprocessing, _config(), tmp_path / "a", tmp_path / "b", ON_THE_FLY)
    assert read_job(write_job(job)) == job


def test_rows_in_memory_are_not_shared(tmp_path: Path) -> None:
    job = small_job(tmp_path, "binary", MLP)
    with pytest.raises(ConfigError, match="in one process's memory"):
        write_job(job)


@pytest.mark.slow
def test_a_rank_names_its_error(problem: Problem, tmp_path: Path) -> None:
    arguments = (problem.features, problem.preprocessing, _config(devices=3), tmp_path, tmp_path / "work")
    rank = subprocess.run(
        [sys.executable, "-m", "tasks.training.rank", str(write_job(TrainJob(*arguments, AugmentConfig())))],
        env={**os.environ, "RANK": "0", "WORLD_SIZE": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert rank.returncode == 1
    said = [line for line in rank.stdout.split("\n") if line.startswith(EVENT)]
    assert "3 ranks, and WORLD_SIZE says 2" in said[-1]
    assert "ConfigError" in said[-1]


def test_split_weights_do_not_go_to_an_object_store(problem: Problem, tmp_path: Path) -> None:
    arguments = (problem.features, problem.preprocessing, _config(strategy="fsdp"), tmp_path)
    with pytest.raises(ConfigError, match="fsdp writes checkpoints to a disk only"):
        run_train(*arguments, place("s3://bucket/work"))


@pytest.mark.parametrize(
    ("machine", "message"),
    [
        ({"num_nodes": 2}, "need the `address`"),
        ({"num_nodes": 2, "address": "nowhere"}, "'nowhere'"),
        ({"address": "here:1"}, "num_nodes is 1"),
        ({"devices": 1, "strategy": "fsdp"}, "splits weights among several devices"),
        ({"precision": "16-mixed", "strategy": "fsdp"}, "not with precision 16-mixed"),
    ],
)
def test_machines_must_be_able_to_meet(machine: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _config(**machine)


def test_another_number_of_processes_is_another_training() -> None:
    assert _config(devices=1).digest != _config(devices=2).digest
    places = [_config(num_nodes=2, address=f"host:{port}").digest for port in (1, 2)]
    assert places[0] == places[1]
