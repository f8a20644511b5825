from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tasks.export.sample import Sample, take_sample
from tasks.promotion.trial import run_trial
from tests.tasks.export import small_model
from tests.tasks.export.small_bundle import Candidate, write_candidate


@pytest.fixture(scope="module")
def candidate(tmp_path_factory: pytest.TempPathFactory) -> Candidate:
    return write_candidate(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def sample(candidate: Candidate) -> Sample:
    return take_sample(candidate.training, candidate.serving, small_model.some_rows(1, seed=3))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    processes: list[subprocess.Popen[bytes]] = []

    class Recorded(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            processes.append(self)

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    return processes


def test_the_real_server_answers_like_the_training_path(
    candidate: Candidate, sample: Sample, started: list[subprocess.Popen[bytes]]
) -> None:
    done = run_trial(Path(candidate.reference.path), "orders", sample, 60)
    assert done.failure is None
    assert done.difference is not None
    assert done.difference < 1e-6
    assert [process.returncode is not None for process in started] == [True]


def test_another_label_is_a_failure(candidate: Candidate, sample: Sample) -> None:
    (label,) = sample.answer["label"]
    other = sample.model_copy(update={"answer": {**sample.answer, "label": (not label,)}})
    failure = run_trial(Path(candidate.reference.path), "orders", other, 60).failure
    assert failure is not None
    assert f"output label: expected [{not label!r}], got [{label!r}]" in failure


def test_a_request_that_the_server_refuses_is_told_with_its_words(candidate: Candidate, sample: Sample) -> None:
    broken = sample.model_copy(update={"request": {"inputs": sample.request["inputs"][1:]}})
    done = run_trial(Path(candidate.reference.path), "orders", broken, 60)
    assert done.difference is None
    assert done.failure is not None
    assert "was answered with 400" in done.failure
    assert "amount" in done.failure


def test_a_server_that_ends_is_told_with_its_output(
    candidate: Candidate, sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", _script(tmp_path, "echo no such door >&2; exit 7"))
    failure = run_trial(Path(candidate.reference.path), "orders", sample, 60).failure
    assert failure is not None
    assert "ended with code 7" in failure
    assert "no such door" in failure


def test_a_server_that_is_never_ready_is_stopped(
    candidate: Candidate,
    sample: Sample,
    started: list[subprocess.Popen[bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", _script(tmp_path, "echo thinking; exec sleep 60"))
    failure = run_trial(Path(candidate.reference.path), "orders", sample, 0.3).failure
    assert failure is not None
    assert "not ready within 0.3 s" in failure
    assert "thinking" in failure
    assert started[0].returncode is not None


def _script(folder: Path, text: str) -> str:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)
