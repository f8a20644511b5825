"""`model: auto`: candidates under cross-validation within a CPU budget, then the best of them or a blend."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tasks.models.checkpoint import checkpoint_files, write_files
from tasks.models.config import AutoConfig, BlendConfig, MemberConfig
from tasks.models.predictor import Floats
from tasks.references import CheckpointRef
from tasks.training.candidates import default_candidates, described, estimated_seconds, rounded
from tasks.training.ensemble_selection import blend_loss, ensemble_weights
from tasks.training.fit_blend import scores_of
from tasks.training.fold_job import FoldJob, FoldPlan, chosen_rows, fold_of_rows
from tasks.training.job import Material, TrainJob, run_folder
from tasks.training.members import Trainer, as_member, trained_once

AUTO = "auto.json"

# A blend costs time at every request, so it must lower the loss of the best candidate by at least this share.
_LEAST_GAIN = 0.002

# CPU seconds of planned work from which measured times tell how fast the machine is; before, they are mostly imports.
_TELLING = 30.0

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trial:
    """A candidate, and what became of it.

    Attributes:
        model: What it is.
        estimated: CPU seconds of its folds and one last fit, by `estimated_seconds`.
        measured: CPU seconds that its folds took; 0 if it was not tried.
        losses: Of each fold, on rows that its model did not learn from.
        scores: The same rows' scores, float64 `[N, O]`; None if it was not tried.
        left_out: Why it was not tried.
    """

    model: MemberConfig
    estimated: float
    measured: float = 0.0
    losses: tuple[float, ...] = ()
    scores: Floats | None = None
    left_out: str = ""

    @property
    def loss(self) -> float:
        """Mean loss over the folds."""
        return float(np.mean(self.losses))


def train_auto(job: TrainJob, train: Trainer) -> CheckpointRef:
    """Try candidates, choose, and train the choice on the whole training split.

    The checkpoint is that of the chosen model, with `auto.json` beside it: every candidate and why it was taken or not.
    A run that is killed goes on with the first fold that has no result yet.

    Args:
        job: Its model is `auto`.
        train: Who trains a candidate.

    Raises:
        ConfigError: There are fewer rows or groups than folds, or a candidate cannot do what the config asks for.
        TrainingError: A training fails.
    """
    assert isinstance(job.config.model, AutoConfig)
    material = job.material()
    folder = run_folder(job.work, material, job.config, job.augment)
    trials = _Trials(job, material, folder, train).run()
    tried = [trial for trial in trials if trial.scores is not None]
    weights, why = _chosen(tried, material)
    members = [(trial.model, float(weight)) for trial, weight in zip(tried, weights, strict=True) if weight > 0]
    _logger.info("auto       %s", why)
    models, shares = zip(*members, strict=True)
    model = models[0] if len(members) == 1 else BlendConfig(members=models, weights=shares)
    last = replace(job, config=job.config.model_copy(update={"model": model}), home=folder)
    done = trained_once(last, folder / "last.json", train)
    said = _said(trials, weights, why, job.config.model)
    return write_files(job.home, {**checkpoint_files(done.checkpoint), AUTO: said})


class _Trials:
    """The candidates, one after the other."""

    def __init__(self, job: TrainJob, material: Material, folder: Path, train: Trainer) -> None:
        model = job.config.model
        assert isinstance(model, AutoConfig)
        self._job, self._material, self._folder, self._train = job, material, folder, train
        self._plan = FoldPlan(model.folds, job.config.seed, model.group)
        self._fold = fold_of_rows(job, material, self._plan)
        self._models = model.candidates or default_candidates(len(material.train))
        self._seconds = 60 * model.cpu_minutes

    def run(self) -> list[Trial]:
        """Try each candidate for which the budget has room; the first is tried in any case."""
        trials: list[Trial] = []
        for index, model in enumerate(self._models):
            once = estimated_seconds(model, self._job.config, self._material)
            trial = Trial(model, estimated=once * (self._plan.k + 1))
            room = self._seconds - _expected(trials)
            needed = trial.estimated * _slowness(trials)
            if trials and needed > room:
                trial = replace(trial, left_out=f"would take some {needed:.0f} CPU seconds of the {room:.0f} left")
                _logger.info("auto       %s: left out, it %s", described(model), trial.left_out)
            else:
                trial = self._tried(index, trial)
            trials.append(trial)
        return trials

    def _tried(self, index: int, trial: Trial) -> Trial:
        train, target = self._material.train, self._material.fitted.target
        scores = np.zeros((len(train), target.outputs))
        losses, seconds = [], 0.0
        for held_out in range(self._plan.k):
            job = FoldJob.of(as_member(self._job, trial.model, self._folder), self._plan, held_out)
            done = trained_once(job, self._folder / f"candidate-{index}-{held_out}.json", self._train)
            unseen = self._fold == held_out
            rows = chosen_rows(train, unseen)
            scores[unseen] = scores_of(done.checkpoint, rows, self._job)
            losses.append(blend_loss(scores[None, unseen], np.ones(1), rows.target.numpy(), target))
            seconds += done.cpu_seconds
        trial = replace(trial, scores=scores, losses=tuple(losses), measured=seconds)
        _logger.info(
            "auto       %s: loss %.4f +- %.4f over %d folds, %.0f CPU seconds",
            described(trial.model),
            trial.loss,
            _deviation(trial),
            len(losses),
            seconds,
        )
        return trial


def _expected(trials: Sequence[Trial]) -> float:
    """Return the CPU seconds that are spoken for: the plan's, or more where the machine turns out to be slower."""
    return sum(trial.estimated for trial in trials if not trial.left_out) * _slowness(trials)


def _slowness(trials: Sequence[Trial]) -> float:
    """Return how much longer the trials took than was planned for their folds; 1 if not, or if it is too soon."""
    done = [trial for trial in trials if trial.losses]
    planned = sum(trial.estimated * len(trial.losses) / (len(trial.losses) + 1) for trial in done)
    if planned < _TELLING:
        return 1.0
    return max(1.0, sum(trial.measured for trial in done) / planned)


def _chosen(tried: Sequence[Trial], material: Material) -> tuple[Floats, str]:
    """Return the candidates' weights, and why: all on the best, or a blend that is better by enough."""
    truth, target = material.train.target.numpy(), material.fitted.target
    scores = np.stack([trial.scores for trial in tried if trial.scores is not None])
    alone = [blend_loss(scores[index : index + 1], np.ones(1), truth, target) for index in range(len(tried))]
    best = int(np.argmin(alone))
    weights = ensemble_weights(scores, truth, target)
    together = blend_loss(scores, weights, truth, target)
    name = described(tried[best].model)
    if together < alone[best] * (1 - _LEAST_GAIN):
        share = 100 * (1 - together / alone[best])
        return (
            weights,
            f"a blend: loss {together:.4f}, {share:.1f} % below the best candidate ({name}, {alone[best]:.4f})",
        )
    return np.eye(len(tried))[best], f"{name}: loss {alone[best]:.4f}; no blend is {_LEAST_GAIN:.1%} below it"


def _said(trials: Sequence[Trial], weights: Floats, why: str, model: AutoConfig) -> bytes:
    found = iter(weights)
    records = [_record(trial, 0.0 if trial.left_out else float(next(found))) for trial in trials]
    said = {"why": why, "folds": model.folds, "cpu_minutes": model.cpu_minutes, "candidates": records}
    return (json.dumps(said, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()


def _record(trial: Trial, weight: float) -> dict[str, Any]:
    record: dict[str, Any] = {
        "model": trial.model.model_dump(mode="json"),
        "name": described(trial.model),
        "estimated_cpu_seconds": rounded(trial.estimated, 3),
        "weight": rounded(weight),
    }
    if trial.left_out:
        return record | {"verdict": "left out: the budget has no room for it"}
    verdict = "not taken: the others say as much without it"
    if weight > 0:
        verdict = "chosen" if weight == 1 else "chosen, in a blend"
    return record | {"loss": rounded(trial.loss), "deviation": rounded(_deviation(trial)), "verdict": verdict}


def _deviation(trial: Trial) -> float:
    return float(np.std(trial.losses, ddof=1))
