"""Any model of the config, logistic regression and gradient boosting on the same flights, on several splits.

    python -m benchmarks.training.flights --salts ,a,b --set "train.model={name: tabm, members: 8}"

The salt decides which days are held out. Days differ so much that a single split says little about a model.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss, roc_auc_score
from threadpoolctl import threadpool_limits

from data_contracts.loader import load_contract
from pipelines.config import PipelineConfig, load_config
from tasks.data.clean import run_clean
from tasks.data.ingest import run_ingest
from tasks.data.split import run_split
from tasks.data.validate import run_validate
from tasks.evaluation.baselines import LogisticConfig, logistic_baseline
from tasks.evaluation.evaluate import score
from tasks.metrics.weighted import Floats
from tasks.models.checkpoint import load_predictor
from tasks.models.spec import FeatureSpec
from tasks.prediction.decision import Decision
from tasks.prediction.predictions import predictions
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.fit import read_preprocessing, run_fit
from tasks.preprocessing.transform import run_transform
from tasks.references import DatasetRef, PreprocessingRef
from tasks.training.splits import SplitTensors, read_split
from tasks.training.train import run_train

CONFIG = Path("pipelines/configs/flights.yaml")


@dataclass(frozen=True)
class Problem:
    """One split's features."""

    features: DatasetRef
    preprocessing: PreprocessingRef
    fitted: Preprocessing
    train: SplitTensors
    test: SplitTensors


def problems(config: PipelineConfig, salts: list[str], home: Path) -> Iterator[Problem]:
    contract = load_contract(config.contract)
    raw = run_ingest(config.source, contract, home, config.dask)
    validation = run_validate(raw, contract, config.validation, home, config.dask)
    clean = run_clean(raw, validation, contract, config.clean, home, config.dask)
    for salt in salts:
        split = run_split(clean, contract, config.split.model_copy(update={"salt": salt}), home, config.dask)
        fitted = run_fit(clean, split, contract, config.preprocess, home, config.dask)
        features = run_transform(clean, split, fitted, home, config.dask)
        train, test = (read_split(features, fitted, name) for name in ("train", "test"))
        yield Problem(features, fitted, read_preprocessing(fitted), train, test)


def configured(problem: Problem, config: PipelineConfig) -> Floats:
    with TemporaryDirectory() as folder:
        home = Path(folder)
        checkpoint = run_train(problem.features, problem.preprocessing, config.train, home, home / "work")
        scores = score(load_predictor(checkpoint), problem.test, config.evaluate.threads)
    return _probabilities(predictions(scores, problem.fitted.target, Decision()).probabilities)


def logistic(problem: Problem, config: PipelineConfig) -> Floats:
    settings = config.evaluate.logistic or LogisticConfig()
    target, spec = problem.fitted.class_target, FeatureSpec.of(problem.fitted)
    return _probabilities(logistic_baseline(problem.train, problem.test, spec, target, settings).probabilities)


def _probabilities(found: Floats | None) -> Floats:
    assert found is not None
    return found


def boosting(problem: Problem, config: PipelineConfig) -> Floats:
    train, test = (
        np.hstack([split.numeric.numpy(), split.categorical.numpy()]) for split in (problem.train, problem.test)
    )
    # One thread: with more, its small tasks spend most of their time waiting for each other.
    with threadpool_limits(limits=1):
        model = HistGradientBoostingClassifier(early_stopping=False, random_state=config.train.seed)
        probabilities: Floats = model.fit(train, problem.train.target.numpy()).predict_proba(test)
    return probabilities


MODELS: dict[str, Callable[[Problem, PipelineConfig], Floats]] = {
    "train.model": configured,
    "logistic regression": logistic,
    "HistGradientBoosting": boosting,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--salts", default=",a,b", help="salts of the splits, separated by commas")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override the config")
    arguments = parser.parse_args()
    config = load_config(arguments.config, arguments.set)
    salts = arguments.salts.split(",")
    print(f"{'salt':6} {'model':22} {'ROC-AUC':>8} {'log loss':>9} {'CPU s':>7}")
    results: dict[str, list[tuple[float, float, float]]] = {name: [] for name in MODELS}
    with TemporaryDirectory() as folder:
        for salt, problem in zip(salts, problems(config, salts, Path(folder)), strict=True):
            for name, model in MODELS.items():
                started = time.process_time()
                probabilities = model(problem, config)
                spent = time.process_time() - started
                truth = problem.test.target.numpy()
                area, loss = roc_auc_score(truth, probabilities[:, 1]), log_loss(truth, probabilities)
                results[name].append((area, loss, spent))
                print(
                    f"{salt!r:6} {name:22} {results[name][-1][0]:8.4f} {results[name][-1][1]:9.4f} {spent:7.1f}",
                    flush=True,
                )
    for name, rows in results.items():
        areas, losses, times = zip(*rows, strict=True)
        means = f"{statistics.mean(areas):8.4f} {statistics.mean(losses):9.4f}"
        print(f"{'mean':6} {name:22} {means} {statistics.median(times):7.1f} (median)")


if __name__ == "__main__":
    main()
