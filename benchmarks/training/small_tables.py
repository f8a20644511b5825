"""`model: auto` beside scikit-learn's models with their defaults, on four small tables, five-fold.

    OMP_NUM_THREADS=1 python -m benchmarks.training.small_tables

Auto gets no more than the others: of each fold's training rows it keeps 15 % for its own validation. Accuracy for
classes, R2 for the number; the standard error is that of the mean over the five folds.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from sklearn import datasets
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from tasks.augmentation.config import AugmentConfig
from tasks.models.checkpoint import load_predictor
from tasks.preprocessing.constants import NumericFeature, Preprocessing
from tasks.preprocessing.targets import ClassTarget, NumberTarget, Target
from tasks.references import DatasetRef, PreprocessingRef
from tasks.training.config import TrainConfig
from tasks.training.job import Material, TrainJob
from tasks.training.splits import SplitTensors
from tasks.training.train import train

TABLES = ("breast_cancer", "wine", "digits", "diabetes")
NUMBERS = frozenset({"diabetes"})
CONFIG = TrainConfig.model_validate(
    {
        "model": {"name": "auto", "cpu_minutes": 2},
        "batch_size": 128,
        "steps_per_round": 25,
        "rounds": 40,
        "machine": {"accelerator": "cpu", "threads": 1},
    }
)
VALIDATION, BINS = 0.15, 48


@dataclass(frozen=True)
class MemoryJob(TrainJob):
    """A training whose rows were never written."""

    data: Material

    def material(self) -> Material:
        """Return the rows."""
        return self.data

    def training_column(self, name: str) -> None:
        """There is none beside the features."""


@dataclass(frozen=True)
class Rows:
    """Raw numbers `[N, D]` and what is to be predicted `[N]`."""

    features: np.ndarray[Any, np.dtype[np.float64]]
    target: np.ndarray[Any, np.dtype[Any]]

    def take(self, index: np.ndarray[Any, np.dtype[np.int64]]) -> Rows:
        """Return the rows at these places."""
        return Rows(self.features[index], self.target[index])


def peers(*, number: bool, seed: int) -> dict[str, Any]:
    if number:
        return {
            "linear regression": make_pipeline(StandardScaler(), LinearRegression()),
            "random forest": RandomForestRegressor(random_state=seed),
            "gradient boosting": GradientBoostingRegressor(random_state=seed),
            "SVM": make_pipeline(StandardScaler(), SVR()),
        }
    return {
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        "random forest": RandomForestClassifier(random_state=seed),
        "gradient boosting": GradientBoostingClassifier(random_state=seed),
        "SVM": make_pipeline(StandardScaler(), SVC()),
    }


def auto(learned: Rows, asked: Rows, *, number: bool, seed: int) -> np.ndarray[Any, np.dtype[Any]]:
    """Train `model: auto` and predict."""
    kept, judged = train_test_split(
        np.arange(len(learned.target)),
        test_size=VALIDATION,
        random_state=seed,
        stratify=None if number else learned.target,
    )
    scaler = StandardScaler().fit(learned.features[kept])
    target: Target = ClassTarget(column="y", source="integer", classes=tuple(range(int(learned.target.max()) + 1)))
    center, spread = 0.0, 1.0
    if number:
        center, spread = float(learned.target[kept].mean()), float(learned.target[kept].std())
        target = NumberTarget(column="y", source="number", center=center, spread=spread)

    def tensors(rows: Rows) -> SplitTensors:
        numeric = torch.tensor(scaler.transform(rows.features), dtype=torch.float32)
        truth = (rows.target - center) / spread if number else rows.target
        dtype = torch.float32 if number else torch.int64
        return SplitTensors((numeric, torch.zeros(len(truth), 0, dtype=torch.int64)), torch.tensor(truth, dtype=dtype))

    split = tensors(learned.take(kept))
    edges = np.quantile(split.numeric.numpy(), np.linspace(0, 1, BINS + 1), axis=0).T
    fitted = Preprocessing(
        numeric=tuple(
            NumericFeature(name=f"x{i}", column=f"x{i}", source="number", edges=tuple(map(float, edges[i])))
            for i in range(len(edges))
        ),
        categorical=(),
        target=target,
    )
    material = Material(split, tensors(learned.take(judged)), fitted, digest="rows")
    with TemporaryDirectory() as name:
        folder = Path(name)
        features = DatasetRef(path=name, digest="rows", rows=len(kept))
        preprocessing = PreprocessingRef(path=name, digest="rows")
        config = CONFIG.model_copy(update={"seed": seed})
        job = MemoryJob(features, preprocessing, config, folder, folder / "work", AugmentConfig(), data=material)
        inputs = (each.numpy() for each in tensors(asked).inputs)
        scores = load_predictor(train(job)).scores(*inputs)
    return scores[:, 0] * spread + center if number else scores.argmax(axis=1)


def measure(table: str, seed: int) -> dict[str, list[float]]:
    """Return every model's score in every fold."""
    number = table in NUMBERS
    features, target = getattr(datasets, f"load_{table}")(return_X_y=True)
    rows = Rows(features, target)
    splitter = (KFold if number else StratifiedKFold)(5, shuffle=True, random_state=seed)
    score = r2_score if number else accuracy_score
    found: dict[str, list[float]] = {}
    for seen, unseen in splitter.split(features, target):
        learned, asked = rows.take(seen), rows.take(unseen)
        for name, model in peers(number=number, seed=seed).items():
            predicted = model.fit(learned.features, learned.target).predict(asked.features)
            found.setdefault(name, []).append(float(score(asked.target, predicted)))
        found.setdefault("auto", []).append(float(score(asked.target, auto(learned, asked, number=number, seed=seed))))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default=",".join(TABLES), help="which, separated by commas")
    parser.add_argument("--seed", type=int, default=0, help="decides the folds and every model")
    arguments = parser.parse_args()
    for table in arguments.tables.split(","):
        started = time.process_time()
        found = measure(table, arguments.seed)
        errors = {name: float(np.std(scores, ddof=1) / np.sqrt(len(scores))) for name, scores in found.items()}
        means = {name: float(np.mean(scores)) for name, scores in found.items()}
        best = max((name for name in means if name != "auto"), key=means.__getitem__)
        holds = means["auto"] >= means[best] - errors[best]
        for name in found:
            print(f"{table:14} {name:20} {means[name]:.4f} +- {errors[name]:.4f}{'  best' if name == best else ''}")
        verdict = "within one standard error" if holds else "BELOW"
        print(f"{table:14} auto is {verdict}; {time.process_time() - started:.0f} CPU seconds", flush=True)


if __name__ == "__main__":
    main()
