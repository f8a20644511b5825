"""What the killed process runs: the training of a small problem."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path

from tasks.training.train import run_train
from tests.tasks.training.fixtures import LONG, Problem


def train(problem: Problem, folder: Path, answer: Connection) -> None:
    answer.send(run_train(problem.features, problem.preprocessing, LONG, folder / "home", folder / "work").digest)
