"""Grow trees: one booster for all classes, or one for each label or quantile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.augmentation.config import AugmentConfig
from tasks.errors import ConfigError
from tasks.metrics.selection import selection_metrics
from tasks.metrics.table import direction
from tasks.models.checkpoint import ModelDescription, write_model
from tasks.models.predictor import Floats
from tasks.models.spec import FeatureSpec
from tasks.models.tree_arrays import from_lightgbm
from tasks.models.trees import TREES, TreesConfig, feature_table
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, Problem, Target
from tasks.progress import Advance, measured, progress
from tasks.references import CheckpointRef
from tasks.training.class_weights import class_weights
from tasks.training.config import TrainConfig
from tasks.training.job import Material, TrainJob
from tasks.training.losses import LossConfig
from tasks.training.requirements import require_fitting
from tasks.training.selection_config import SelectionConfig

# Rounds between two looks at the validation split, each of which costs about as much as a round.
_PORTION = 10

History = list[dict[str, float]]
_Grown = tuple[list[dict[str, Any]], int, History]


@dataclass(frozen=True)
class _Part:
    """What one booster learns: the problem as it sees it, its truth in both splits, and the scores that it gives."""

    objective: Mapping[str, Any]
    target: Target
    outputs: range
    truth: NDArray[Any]
    validation: NDArray[Any]


@dataclass(frozen=True)
class _Tables:
    """What every booster reads: float32 `[N, D + K]`, and the rows' weights float32 `[N]`."""

    train: NDArray[np.float32]
    validation: NDArray[np.float32]
    weights: NDArray[np.float32] | None


def train_trees(job: TrainJob) -> CheckpointRef:
    """Grow trees and keep the rounds up to the best; a run that is killed grows the same trees anew.

    Raises:
        ConfigError: The config asks for what trees, or the problem, cannot give.
        TrainingError: The data cannot be learned from; see `TrainJob.material`.
    """
    model, config = job.config.model, job.config
    assert isinstance(model, TreesConfig)
    material = job.material()
    assert isinstance(job.augment, AugmentConfig), "trees read tables, or the material had been refused"
    require_growable(config, material.fitted.target.problem, job.augment)
    parts = list(_parts(material))
    selection = config.selection.resolved(material.fitted.target.problem)
    tables = _tables(material, config)
    with progress("training", model.rounds * len(parts), "rounds") as advance:
        grown = [_Growth(tables, part, config, model, whole=len(parts) == 1).run(selection, advance) for part in parts]
    description = ModelDescription(
        model=model,
        features=FeatureSpec.of(material.fitted),
        target=material.fitted.target,
        best_round=max(best for _, best, _ in grown),
        training=config.digest,
    )
    trees = from_lightgbm(
        (part.outputs[place % len(part.outputs)], tree)
        for part, (kept, _, _) in zip(parts, grown, strict=True)
        for place, tree in enumerate(kept)
    )
    return write_model(job.home, description, {TREES: trees.file()}, _together([history for _, _, history in grown]))


def require_growable(config: TrainConfig, problem: Problem, augment: AugmentConfig) -> None:
    """Check that trees can do what the section `train` asks for, before any data is read.

    Args:
        config: How to train.
        problem: What kind of problem it is.
        augment: What training itself is to do to batches (`AugmentConfig.for_training`).

    Raises:
        ConfigError: A loss of networks, something done to batches, or an option that does not fit the problem.
    """
    require_fitting(config, problem)
    if config.loss != LossConfig():
        raise ConfigError(
            f"train.loss: `{config.loss.name}` is a loss of networks; trees minimize log loss, squared error or "
            "pinball loss, as the problem has it\n  do: remove the section, or choose a network"
        )
    if augment.asks:
        raise ConfigError(
            "augment.when: `batch` changes the batches of a network, and trees read no batches\n"
            "  do: write `when: dataset` (the rows are made once), or choose a network"
        )


def _tables(material: Material, config: TrainConfig) -> _Tables:
    train, validation = (
        feature_table(*(each.numpy() for each in split.inputs)) for split in (material.train, material.validation)
    )
    if config.class_weights == "none":
        return _Tables(train, validation, None)
    weights = class_weights(config.class_weights, material.train.target, material.fitted.class_target)
    assert weights is not None
    return _Tables(train, validation, weights[material.train.target].numpy())


def _parts(material: Material) -> Iterator[_Part]:
    target = material.fitted.target
    truths = [split.target.numpy() for split in (material.train, material.validation)]
    if isinstance(target, ClassTarget):
        classes = len(target.classes)
        if classes == 2:
            yield _Part({"objective": "binary"}, target, range(1, 2), truths[0], truths[1])
        else:
            yield _Part({"objective": "multiclass", "num_class": classes}, target, range(classes), truths[0], truths[1])
    elif isinstance(target, LabelsTarget):
        for place, label in enumerate(target.labels):
            columns = [truth[:, place : place + 1] for truth in truths]
            one_label = LabelsTarget(labels=(label,))
            yield _Part({"objective": "binary"}, one_label, range(place, place + 1), columns[0], columns[1])
    else:
        for place, level in enumerate(target.quantiles or (None,)):
            objective = {"objective": "regression"} if level is None else {"objective": "quantile", "alpha": level}
            one = target.model_copy(update={"quantiles": () if level is None else (level,)})
            yield _Part(objective, one, range(place, place + 1), truths[0], truths[1])


class _Growth:
    """One booster while it grows."""

    def __init__(self, tables: _Tables, part: _Part, config: TrainConfig, model: TreesConfig, *, whole: bool) -> None:
        import lightgbm  # noqa: PLC0415 - takes a second, and only trees need it

        self._tables, self._part, self._model = tables, part, model
        # One booster of several knows only its own label or quantile, which says little of the whole.
        self._whole = whole
        self._threads = config.machine.thread_count()
        settings = _settings(config, model) | dict(part.objective)
        data = lightgbm.Dataset(tables.train, part.truth.ravel(), weight=tables.weights, params=settings)
        self._booster = lightgbm.Booster(settings, data)
        self._scores = np.zeros((len(tables.validation), self._booster.num_model_per_iteration()))

    def run(self, selection: SelectionConfig, advance: Advance) -> _Grown:
        """Grow until no gain is left; return the trees up to the best look, that look, and the history."""
        history: History = []
        best = 0
        more = True
        while more and self._wanted(history, best):
            before = self._grown
            more = self._grow(min(_PORTION, self._model.rounds - before))
            advance(self._grown - before)
            if self._grown > before:
                history.append({"round": len(history) + 1, "steps": self._grown, **self._measured(before)})
                if self._whole:
                    measured("round", history[-1])
                best = len(history) if _gains(history, best, selection) else best
        kept = int(history[best - 1]["steps"])
        trees = self._booster.dump_model(num_iteration=kept)["tree_info"]
        return [tree["tree_structure"] for tree in trees], best, history

    def _wanted(self, history: History, best: int) -> bool:
        since = self._grown - (history[best - 1]["steps"] if history else 0)
        return self._grown < self._model.rounds and since < self._model.patience

    @property
    def _grown(self) -> int:
        return int(self._booster.current_iteration())

    def _grow(self, rounds: int) -> bool:
        """Grow some rounds; return False where no leaf can be split any more."""
        return not any(self._booster.update() for _ in range(rounds))

    def _measured(self, before: int) -> dict[str, float]:
        part, rounds = self._part, self._grown - before
        added = self._booster.predict(
            self._tables.validation,
            start_iteration=before,
            num_iteration=rounds,
            raw_score=True,
            num_threads=self._threads,
        )
        self._scores += np.asarray(added, np.float64).reshape(self._scores.shape)
        loss = self._booster.eval_train()[0][2]
        metrics = selection_metrics(part.validation, _as_scores(self._scores, part.target), part.target)
        return {"train_loss": float(loss), **metrics}


def _as_scores(raw: Floats, target: Target) -> Floats:
    return np.concatenate([np.zeros_like(raw), raw], axis=1) if target.problem == "binary" else raw


def _gains(history: History, best: int, selection: SelectionConfig) -> bool:
    if not best:
        return True
    gain = history[-1][selection.metric] - history[best - 1][selection.metric]
    return direction(selection.metric) * gain > selection.least_gain


def _settings(config: TrainConfig, model: TreesConfig) -> dict[str, Any]:
    return {
        "learning_rate": model.learning_rate,
        "num_leaves": model.leaves,
        "min_data_in_leaf": model.min_rows,
        "feature_fraction": model.feature_share,
        "bagging_fraction": model.row_share,
        "bagging_freq": int(model.row_share < 1),
        "lambda_l2": model.l2,
        "seed": config.seed,
        "num_threads": config.machine.thread_count(),
        # Together: the same trees on any number of threads.
        "deterministic": True,
        "force_col_wise": True,
        # The preprocessing fills what is missing, so that the exported trees need no third way at a split.
        "use_missing": False,
        "verbosity": -1,
    }


def _together(histories: Sequence[History]) -> History:
    """Return the mean of the boosters' records; one that stopped early stays at its last."""
    together = []
    for at in range(max(len(history) for history in histories)):
        records = [history[min(at, len(history) - 1)] for history in histories]
        means = {name: float(np.mean([record[name] for record in records])) for name in records[0]}
        together.append(means | {name: max(record[name] for record in records) for name in ("round", "steps")})
    return together
