"""The small model with a reference of made-up flights, and samples of it as the endpoint's writer makes them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.special import expit

from data_contracts.contract import Column, LogicalType
from serving.bundle.manifest import MODEL
from serving.bundle.store import ModelStore
from serving.watch.sample_files import SampleFiles
from serving.watch.samples import SampleTable
from tasks.evaluation.findings import findings
from tasks.evaluation.held_out import Truth
from tasks.evaluation.predicted import describe_predictions
from tasks.export.bundle import EVALUATION, PREPROCESSING, REFERENCE
from tasks.metrics.bootstrap import Resampling
from tasks.prediction.predictions import Predictions
from tasks.preprocessing.columns import categories
from tasks.preprocessing.plan import Measure, Role
from tasks.preprocessing.reference import describe
from tasks.preprocessing.statistics import CategorySummary, NumericSummary
from tasks.preprocessing.targets import ClassTarget
from tests.serving.bundles import INPUTS, small_manifest, small_model, write_bundle

TYPES: dict[str, LogicalType] = {
    "carrier": "string",
    "distance": "number",
    "seats": "integer",
    "engines": "integer",
    "charter": "boolean",
    "departs": "timestamp",
}
TARGET = ClassTarget(column="delay", source="string", classes=("on time", "late"))
SPECS = tuple(spec.model_copy(update={"masked": spec.name == "engines"}) for spec in INPUTS)
BEGIN = 1_777_000_000
Columns = dict[str, list[Any]]


def flights(rows: int, seed: int, further: float = 0.0) -> Columns:
    """Return made-up flights, so many standard deviations further."""
    random = np.random.default_rng(seed)
    distance = random.gamma(4.0, 250.0, rows) + further * 500.0
    return {
        "carrier": random.choice(["AA", "B6", "UA"], rows, p=[0.5, 0.3, 0.2]).tolist(),
        "distance": [
            None if lot < 0.1 else far for lot, far in zip(random.random(rows), distance.tolist(), strict=True)
        ],
        "seats": random.integers(50, 400, rows).tolist(),
        "engines": [2] * rows,
        "charter": (random.random(rows) < 0.02).tolist(),
        "departs": (random.integers(0, 10**6, rows) * 1_000_000).tolist(),
    }


def late(columns: Columns) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return what the small model says: the probabilities of being on time and late, `[N, 2]`."""
    score = np.array([{"AA": -1.0, "B6": 0.0, "UA": 1.0}.get(each, 0.5) for each in columns["carrier"]])
    score += np.array([each or 0.0 for each in columns["distance"]]) / 1000 + 10.0 * np.array(columns["charter"])
    score += 0.25 * (np.array(columns["departs"]) > 0)
    return np.asarray(np.stack([1 - expit(score), expit(score)], axis=1).astype(np.float32))


def turned_out(columns: Columns, seed: int) -> list[str]:
    """Draw the truth: late as often as the model says."""
    lots = np.random.default_rng(seed).random(len(columns["carrier"]))
    return ["late" if lot < said else "on time" for lot, said in zip(lots, late(columns)[:, 1], strict=True)]


def documents(rows: int = 20_000) -> dict[str, Any]:
    """Return the files of a bundle that describe its training and its evaluation."""
    columns, tested = flights(rows, 1), flights(4000, 2)
    measures, summaries = [], {}
    for name, kind in TYPES.items():
        values = pa.array(columns[name], pa.timestamp("us", tz="UTC") if kind == "timestamp" else None)
        category = kind in {"string", "boolean"}
        role: Role = "reference" if kind == "timestamp" else "feature"
        measures.append(Measure(Column(name=name, logical_type=kind), "category" if category else "numeric", role))
        numbers = np.array([np.nan if value is None else value for value in columns[name]]) if not category else None
        summaries[name] = CategorySummary.of(categories(values)) if numbers is None else NumericSummary.of(numbers)
    said = late(tested).astype(np.float64)
    predicted = Predictions(said, (said[:, 1] > 0.5).astype(np.int64))
    truth = Truth(np.array([TARGET.classes.index(each) for each in turned_out(tested, 3)]))
    return {
        REFERENCE: describe(measures, summaries, {}, rows),
        PREPROCESSING: {"target": TARGET.model_dump(mode="json"), "categorical": []},
        EVALUATION: {
            **findings(TARGET, truth, predicted, Resampling(50, 0.95)),
            "predictions": describe_predictions(TARGET, predicted),
        },
    }


def promote_described(root: Path, written: dict[str, Any], name: str = "small") -> str:
    """Make the small model with those documents the champion of a store under that name; return its version."""
    store = ModelStore(root)

    def write(folder: Path) -> None:
        graph = small_model().SerializeToString()
        for file, document in written.items():
            (folder / file).write_text(json.dumps(document))
        contents = {file: (folder / file).read_bytes() for file in written} | {MODEL: graph}
        files = {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()}
        write_bundle(folder, graph, inputs=SPECS, files=files, model=name)

    version = store.register(name, write).version
    store.set_champion(name, version)
    return version


def sample(folder: Path, columns: Columns, *, begin: int = BEGIN, seconds: int = 3600, version: str = "1") -> None:
    """Write flights as samples: requests `r-<begin>-0`, `r-<begin>-1` ... of one row each, spread over the time."""
    files = SampleFiles(folder, 10**9, 1e9)
    table = SampleTable(small_manifest(inputs=SPECS), version)
    files.introduce(table.document())
    said, count = late(columns), len(columns["carrier"])
    for place in range(count):
        record = [
            [columns[name][place] or ("" if name == "carrier" else columns[name][place])] for name in table.inputs
        ]
        label = "late" if said[place, 1] > 0.5 else "on time"
        moment = begin + place * seconds / count
        files.add([0, moment, f"r-{begin}-{place}", [0], record, [[label], [said[place].tolist()]]])
    assert files.write_all() is None
