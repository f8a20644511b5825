from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import softmax

from tasks.augmentation.config import AugmentConfig
from tasks.errors import ConfigError, IntegrityError, TrainingError
from tasks.metrics.selection import selection_metrics
from tasks.models.checkpoint import load_predictor, read_history
from tasks.models.linear import LinearConfig
from tasks.models.mlp_ple import MlpPleConfig
from tasks.progress import listening
from tasks.training.module import NetworkModule
from tasks.training.optimization import OptimizerConfig
from tasks.training.selection_config import SelectionConfig
from tasks.training.splits import read_split
from tasks.training.train import TrainConfig, run_train
from tests.tasks.training.fixtures import ON_THE_FLY, TINY, Problem, write_problem


def _train(
    problem: Problem, config: TrainConfig, folder: Path, work: str = "work", augment: AugmentConfig | None = None
) -> Any:
    home, work_folder = folder / "home", folder / work
    return run_train(problem.features, problem.preprocessing, config, home, work_folder, augment or AugmentConfig())


def _checkpoints(folder: Path) -> list[Path]:
    return sorted(folder.glob("work/*/round-*.ckpt"))


def test_the_same_run_gives_the_same_digest_and_another_seed_another(problem: Problem, tmp_path: Path) -> None:
    first = _train(problem, TINY, tmp_path, "one")
    torch.rand(5)
    assert _train(problem, TINY, tmp_path, "two") == first
    assert _train(problem, TINY.model_copy(update={"seed": 1}), tmp_path, "one").digest != first.digest
    assert Path(first.path).name == first.digest


@pytest.mark.parametrize("augment", [None, ON_THE_FLY], ids=["plain", "on the fly"])
@pytest.mark.parametrize("from_round", [1, 2, 3])
def test_a_run_goes_on_from_any_round_to_the_same_weights(
    problem: Problem, tmp_path: Path, from_round: int, augment: AugmentConfig | None
) -> None:
    expected = _train(problem, TINY, tmp_path / "whole", augment=augment)
    interrupted = tmp_path / "interrupted"

    class Killed(Exception):
        pass

    class Listener:
        def __init__(self) -> None:
            self.steps = 0

        def __call__(self, label: str, total: int, unit: str) -> Any:
            return self

        def __enter__(self) -> Any:
            return self.advance

        def __exit__(self, *_: object) -> None:
            return None

        def advance(self, amount: int = 1) -> None:
            self.steps += amount
            if self.steps > from_round * TINY.steps_per_round:
                raise Killed

    with pytest.raises(Killed), listening(Listener()):
        _train(problem, TINY, interrupted, augment=augment)
    assert _checkpoints(interrupted)[-1].name == f"round-{from_round:06d}.ckpt"
    assert _train(problem, TINY, interrupted, augment=augment).digest == expected.digest


def test_what_is_drawn_on_the_fly_changes_the_weights_and_a_written_dataset_is_left_alone(
    problem: Problem, tmp_path: Path
) -> None:
    plain = _train(problem, TINY, tmp_path)
    augmented = _train(problem, TINY, tmp_path, augment=ON_THE_FLY)
    assert augmented.digest != plain.digest
    assert len(list((tmp_path / "work").iterdir())) == 2
    for section in ("balance", "noise"):
        part = ON_THE_FLY.model_copy(update={section: AugmentConfig.model_fields[section].default})
        assert _train(problem, TINY, tmp_path, augment=part).digest not in {plain.digest, augmented.digest}
    written = ON_THE_FLY.model_copy(update={"when": "dataset"})
    assert _train(problem, TINY, tmp_path, augment=written) == plain


def test_class_weights_move_the_network_and_leave_what_is_measured(problem: Problem, tmp_path: Path) -> None:
    rate = OptimizerConfig(learning_rate=0.02, warmup_steps=0, average_decay=0.0)
    config = TINY.model_copy(update={"optimizer": rate, "rounds": 8})
    validation = read_split(problem.features, problem.preprocessing, "validation")
    late = {}
    for weights in ("none", {"true": 20.0}, {"false": 20.0}):
        ref = _train(problem, config.model_copy(update={"class_weights": weights}), tmp_path)
        scores = load_predictor(ref).scores(*(each.numpy() for each in validation.inputs))
        best = min(record["log_loss"] for record in read_history(ref))
        measured = selection_metrics(validation.target.numpy(), scores, problem.constants.target)
        assert measured["log_loss"] == pytest.approx(best, abs=1e-9)
        late[str(weights)] = float(softmax(scores, axis=1)[:, 1].mean())
    assert late["{'false': 20.0}"] < late["none"] - 0.05
    assert late["{'true': 20.0}"] > late["none"] + 0.05


def test_a_class_that_is_not_there_is_named(problem: Problem, tmp_path: Path) -> None:
    config = TINY.model_copy(update={"class_weights": {"late": 2.0}})
    with pytest.raises(ConfigError, match=r"train\.class_weights: `late` is no class of `late`.* false, true"):
        _train(problem, config, tmp_path)
    unknown = AugmentConfig.model_validate({"when": "batch", "balance": {"method": "over", "ratio": {"late": 0.5}}})
    with pytest.raises(ConfigError, match=r"augment\.balance\.ratio: `late` is no class"):
        _train(problem, TINY, tmp_path, augment=unknown)
    assert not (tmp_path / "work").exists()


def test_a_torn_last_checkpoint_costs_a_round_and_changes_nothing(problem: Problem, tmp_path: Path) -> None:
    expected = _train(problem, TINY, tmp_path)
    kept = _checkpoints(tmp_path)
    assert len(kept) == 2
    kept[-1].write_bytes(kept[-1].read_bytes()[:1000])
    assert _train(problem, TINY, tmp_path) == expected


def test_nothing_but_torn_checkpoints_is_an_error(problem: Problem, tmp_path: Path) -> None:
    _train(problem, TINY, tmp_path)
    for path in _checkpoints(tmp_path):
        path.write_bytes(b"")
    with pytest.raises(IntegrityError, match="no training checkpoint can be read"):
        _train(problem, TINY, tmp_path)


def test_a_finished_run_is_not_trained_further(problem: Problem, tmp_path: Path) -> None:
    patient = SelectionConfig(patience=2, least_gain=10.0)
    config = TINY.model_copy(update={"rounds": 20, "selection": patient})
    first = _train(problem, config, tmp_path)
    assert [record["round"] for record in read_history(first)] == [1, 2, 3]
    before = {path: path.stat().st_mtime_ns for path in _checkpoints(tmp_path)}
    assert _train(problem, config, tmp_path) == first
    assert {path: path.stat().st_mtime_ns for path in _checkpoints(tmp_path)} == before


@pytest.mark.parametrize("metric", ["log_loss", "roc_auc"])
def test_the_best_round_is_kept(problem: Problem, tmp_path: Path, metric: str) -> None:
    selection = SelectionConfig(metric=metric, patience=20)
    rate = OptimizerConfig(learning_rate=0.05, warmup_steps=0, schedule="constant", average_decay=0.0)
    config = TINY.model_copy(update={"rounds": 12, "selection": selection, "optimizer": rate})
    ref = _train(problem, config, tmp_path)
    values = [record[metric] for record in read_history(ref)]
    best = max(values) if metric == "roc_auc" else min(values)
    validation = read_split(problem.features, problem.preprocessing, "validation")
    scores = load_predictor(ref).scores(*(each.numpy() for each in validation.inputs))
    measured = selection_metrics(validation.target.numpy(), scores, problem.constants.target)
    assert measured[metric] == pytest.approx(best, abs=1e-12)


def test_the_network_learns_what_a_linear_model_cannot(problem: Problem, tmp_path: Path) -> None:
    rate = OptimizerConfig(learning_rate=0.02, warmup_steps=5, average_decay=0.9)
    both = [MlpPleConfig(hidden=(16,), dropout=0.0, embedding_dropout=0.0), LinearConfig()]
    best = []
    for network in both:
        config = TINY.model_copy(update={"model": network, "rounds": 30, "optimizer": rate})
        best.append(max(record["roc_auc"] for record in read_history(_train(problem, config, tmp_path))))
    assert best[0] > 0.9
    assert best[0] > best[1] + 0.1


def test_more_than_two_classes(tmp_path: Path) -> None:
    problem = write_problem(tmp_path, classes=("a", "b", "c"))
    ref = _train(problem, TINY, tmp_path)
    with torch.inference_mode():
        assert load_predictor(ref).scores(np.zeros((4, 3), np.float32), np.zeros((4, 1), np.int64)).shape == (4, 3)


def test_a_loss_that_is_not_finite_says_the_step_and_keeps_the_last_good_round(
    problem: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = NetworkModule.training_step

    def broken(self: NetworkModule, batch: Any, batch_idx: int) -> torch.Tensor:
        loss = step(self, batch, batch_idx)
        if self.global_step == 12:
            self.losses[batch_idx] = np.inf
        return loss

    monkeypatch.setattr(NetworkModule, "training_step", broken)
    with pytest.raises(TrainingError, match=r"the loss is inf at step 13.*\n  likely: .*\n  do: lower optimizer"):
        _train(problem, TINY, tmp_path)
    assert [path.name for path in _checkpoints(tmp_path)] == ["round-000001.ckpt", "round-000002.ckpt"]
    assert not (tmp_path / "home").exists()


def test_a_huge_learning_rate_ends_in_a_named_error(problem: Problem, tmp_path: Path) -> None:
    wild = OptimizerConfig(learning_rate=1e30, warmup_steps=0, gradient_norm=0.0)
    with pytest.raises(TrainingError, match="at step"):
        _train(problem, TINY.model_copy(update={"optimizer": wild}), tmp_path)


def test_bad_data_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    problem = write_problem(tmp_path, one_class=True)
    with pytest.raises(TrainingError, match="one class"):
        _train(problem, TINY, tmp_path)
    assert not (tmp_path / "work").exists()


def test_lightning_says_nothing_and_leaves_nothing(
    problem: Problem,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    recwarn: pytest.WarningsRecorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    with caplog.at_level(logging.INFO):
        _train(problem, TINY, tmp_path)
    captured = capfd.readouterr()
    assert (captured.out, captured.err, caplog.text) == ("", "", "")
    assert [str(warning.message) for warning in recwarn] == []
    assert list(here.iterdir()) == []


def test_progress_counts_every_step_resumed_or_not(problem: Problem, tmp_path: Path) -> None:
    seen: list[int] = []

    class Bar:
        def __init__(self, label: str, total: int, unit: str) -> None:
            assert (total, unit) == (TINY.rounds * TINY.steps_per_round, "steps")

        def __enter__(self) -> Any:
            return lambda amount=1: seen.append(amount)

        def __exit__(self, *_: object) -> None:
            return None

    with listening(Bar):
        _train(problem, TINY, tmp_path)
        assert sum(seen) == TINY.rounds * TINY.steps_per_round
        seen.clear()
        _checkpoints(tmp_path)[-1].unlink()
        _train(problem, TINY, tmp_path)
    assert sum(seen) == TINY.rounds * TINY.steps_per_round
