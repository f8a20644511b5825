"""`model: auto`: candidates under cross-validation within a CPU budget, then the best of them or a blend."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.models.checkpoint import checkpoint_files, write_files
from tasks.models.config import AutoConfig, BlendConfig, MemberConfig
from tasks.models.predictor import Floats
from tasks.references import CheckpointRef
from tasks.training.candidates import default_candidates, described, estimated_seconds, rounded, share_taken
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

# One fold of so many rows is enough to judge a candidate by; of fewer rows it takes two.
_ENOUGH = 10_000

# The last training has more rows than the folds' had, and may so go on for longer before it stops.
_LONGER = 1.25

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trial:
    """A candidate, and what became of it.

    Attributes:
        model: What it is.
        estimated: CPU seconds of one training that is never stopped early, by `estimated_seconds`.
        measured: CPU seconds that its folds took; 0 if it was not tried.
        shares: Of each fold that it was tried on, the share of its rounds that the training took until it was stopped.
        losses: Of the same folds, on rows that its model did not learn from.
        scores: Those rows' scores, float64 `[N, O]`, and 0 for the rows of other folds; None if it was not tried.
        left_out: Why it was not tried.
    """

    model: MemberConfig
    estimated: float
    measured: float = 0.0
    shares: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()
    scores: Floats | None = None
    left_out: str = ""

    @property
    def loss(self) -> float:
        """Mean loss over the folds."""
        return float(np.mean(self.losses))

    @property
    def folds_seconds(self) -> float:
        """Estimated CPU seconds of its folds, for the rounds that they took."""
        return self.estimated * sum(self.shares)

    @property
    def seconds(self) -> float:
        """Estimated CPU seconds of its folds and of a last training; 0 if it was not tried."""
        return self.folds_seconds + self.estimated * min(1.0, _LONGER * max(self.shares, default=0.0))


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
    search = _Trials(job, material, folder, train)
    trials = search.run()
    tried = [trial for trial in trials if trial.scores is not None]
    weights, why = _chosen(tried, material, search.judged(tried))
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
        """Try each candidate on as many folds as the budget has room for; the first is tried in any case."""
        trials: list[Trial] = []
        for index, model in enumerate(self._models):
            trial = Trial(model, estimated=estimated_seconds(model, self._job.config, self._material))
            room = self._seconds - _expected(trials)
            once = trial.estimated * _slowness(trials)
            folds = max(min(self._plan.k, int(room / once) - 1), 0 if trials else self._fewest)
            if folds < self._fewest:
                needed = once * (self._fewest + 1)
                trial = replace(trial, left_out=f"would take some {needed:.0f} CPU seconds of the {room:.0f} left")
                _logger.info("auto       %s: left out, it %s", described(model), trial.left_out)
            else:
                trial = self._tried(index, trial, folds)
            trials.append(trial)
        return trials

    def judged(self, tried: Sequence[Trial]) -> NDArray[np.bool_]:
        """Return which training rows all tried candidates were tried on, `[N]`."""
        return np.asarray(self._fold < min(len(trial.losses) for trial in tried))

    @property
    def _fewest(self) -> int:
        return 1 if len(self._material.train) >= _ENOUGH * self._plan.k else 2

    def _tried(self, index: int, trial: Trial, folds: int) -> Trial:
        train, target = self._material.train, self._material.fitted.target
        scores = np.zeros((len(train), target.outputs))
        losses, shares, seconds = [], [], 0.0
        for held_out in range(folds):
            job = FoldJob.of(as_member(self._job, trial.model, self._folder), self._plan, held_out)
            done = trained_once(job, self._folder / f"candidate-{index}-{held_out}.json", self._train)
            unseen = self._fold == held_out
            rows = chosen_rows(train, unseen)
            scores[unseen] = scores_of(done.checkpoint, rows, self._job)
            losses.append(blend_loss(scores[None, unseen], np.ones(1), rows.target.numpy(), target))
            shares.append(share_taken(trial.model, job.config, done.checkpoint))
            seconds += done.cpu_seconds
        trial = replace(trial, scores=scores, losses=tuple(losses), shares=tuple(shares), measured=seconds)
        _logger.info("auto       %s, %d of %d folds, %.0f CPU seconds", _judged(trial), folds, self._plan.k, seconds)
        return trial


def _expected(trials: Sequence[Trial]) -> float:
    """Return the CPU seconds that are spoken for: the plan's, or more where the machine turns out to be slower."""
    return sum(trial.seconds for trial in trials) * _slowness(trials)


def _slowness(trials: Sequence[Trial]) -> float:
    """Return how much longer the trials took than was planned for their folds; 1 if not, or if it is too soon."""
    planned = sum(trial.folds_seconds for trial in trials)
    if planned < _TELLING:
        return 1.0
    return max(1.0, sum(trial.measured for trial in trials) / planned)


def _chosen(tried: Sequence[Trial], material: Material, judged: NDArray[np.bool_]) -> tuple[Floats, str]:
    """Return the candidates' weights, and why: all on the best, or a blend that is better by enough."""
    truth, target = material.train.target.numpy()[judged], material.fitted.target
    scores = np.stack([trial.scores[judged] for trial in tried if trial.scores is not None])
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
        "estimated_cpu_seconds": rounded(trial.seconds or trial.estimated, 3),
        "weight": rounded(weight),
    }
    if trial.left_out:
        return record | {"verdict": "left out: the budget has no room for it"}
    verdict = "not taken: the others say as much without it"
    if weight > 0:
        verdict = "chosen" if weight == 1 else "chosen, in a blend"
    deviation = _deviation(trial)
    record |= {"loss": rounded(trial.loss), "folds": len(trial.losses), "verdict": verdict}
    return record if deviation is None else record | {"deviation": rounded(deviation)}


def _judged(trial: Trial) -> str:
    deviation = _deviation(trial)
    around = "" if deviation is None else f" +- {deviation:.4f}"
    return f"{described(trial.model)}: loss {trial.loss:.4f}{around}"


def _deviation(trial: Trial) -> float | None:
    """Return the deviation over the folds; None of one."""
    return float(np.std(trial.losses, ddof=1)) if len(trial.losses) > 1 else None
