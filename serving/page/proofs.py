"""What was shown of a model version before it was promoted, in people's words."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from serving.bundle.manifest import MANIFEST, BundleManifest
from serving.page.reading import read_document

logger = logging.getLogger(__name__)

# What the training side writes beside the model; a bundle without them is served, and less is told of it.
EVALUATION = "evaluation.json"
MEASUREMENTS = "measurements.json"

# In the order in which they are told; whether lower is better.
_METRICS: Mapping[str, tuple[str, bool]] = {
    "roc_auc": ("Area under the ROC curve", False),
    "average_precision": ("Average precision", False),
    "rmse": ("Root mean squared error", True),
    "mae": ("Mean absolute error", True),
    "r2": ("R²", False),
    "mape": ("Mean absolute percentage error", True),
    "pinball": ("Pinball loss", True),
    "coverage": ("Coverage of the outer interval", False),
    "coverage_gap": ("Coverage's distance from what was asked", True),
    "accuracy": ("Accuracy", False),
    "balanced_accuracy": ("Balanced accuracy", False),
    "subset_accuracy": ("Subset accuracy", False),
    "hamming_loss": ("Hamming loss", True),
    "log_loss": ("Log loss", True),
    "brier": ("Brier score", True),
    "ece": ("Calibration error", True),
    "precision": ("Precision", False),
    "recall": ("Recall", False),
    "f1": ("F1", False),
    "mcc": ("Matthews correlation", False),
    "precision_macro": ("Precision, macro", False),
    "recall_macro": ("Recall, macro", False),
    "f1_macro": ("F1, macro", False),
    "precision_micro": ("Precision, micro", False),
    "recall_micro": ("Recall, micro", False),
    "f1_micro": ("F1, micro", False),
}
_PLACES = {name: place for place, name in enumerate(_METRICS)}
_CHECKS = {
    "max_difference": "largest difference",
    "label_flips": "labels that differ",
    "non_finite": "numbers that are not finite",
}
_RECORDS = {"test": "held-out records", "generated": "generated records"}


class _Parity(BaseModel):
    rows: int
    max_difference: float | None = None
    label_flips: int = 0
    non_finite: int = 0


class _Data(BaseModel):
    rows: int
    kept: int
    quarantined: int


class _Contract(BaseModel):
    name: str
    version: str
    digest: str


class _Shown(BaseModel):
    """Those parts of a bundle's `proofs` that are told."""

    metrics: Mapping[str, Any] = {}
    parity: Mapping[str, _Parity] = {}
    validation: _Data | None = None
    contract: _Contract | None = None


class _Bootstrap(BaseModel):
    confidence: float


class _Evaluation(BaseModel):
    test: Mapping[str, Any]
    rows: int | None = None
    intervals: Mapping[str, tuple[float | None, float | None] | None] = {}
    bootstrap: _Bootstrap | None = None


class _Gate(BaseModel):
    gate: str
    passed: bool
    comparison: str
    wanted: float | None = None
    got: float | None = None
    note: str | None = None


class _Measurements(BaseModel):
    time: str | None = None
    gates: tuple[_Gate, ...] = ()
    latency_ms: Mapping[str, Mapping[str, float]] = {}


def read_proofs(folder: Path, manifest: BundleManifest) -> dict[str, Any]:
    """Return what was shown of a version, as a JSON value; what is not known is left out. Blocks.

    Args:
        folder: The bundle's folder.
        manifest: Its manifest.

    Returns:
        Any of `metrics`, `test_rows`, `confidence` (of the metrics' intervals), `gates`, `judged` (when), `latency_ms`
        (by batch size), `parity`, `data` and `contract`.
    """
    evaluation = read_document(folder, EVALUATION, _Evaluation) if EVALUATION in manifest.files else None
    measured = read_document(folder, MEASUREMENTS, _Measurements)
    shown = _shown(folder, manifest)
    told: dict[str, Any] = {
        "metrics": _metrics(shown.metrics if evaluation is None else evaluation.test, evaluation),
        "test_rows": None if evaluation is None else evaluation.rows,
        "confidence": evaluation.bootstrap.confidence if evaluation and evaluation.bootstrap else None,
        "gates": [] if measured is None else [_told(gate) for gate in measured.gates],
        "judged": None if measured is None else measured.time,
        "latency_ms": {} if measured is None else dict(measured.latency_ms),
        "parity": [
            {"records": _RECORDS[name], **shown.parity[name].model_dump()} for name in _RECORDS if name in shown.parity
        ],
        "data": None if shown.validation is None else shown.validation.model_dump(),
        "contract": None if shown.contract is None else shown.contract.model_dump(),
    }
    return {name: value for name, value in told.items() if value not in (None, [], {})}


def _shown(folder: Path, manifest: BundleManifest) -> _Shown:
    try:
        return _Shown.model_validate(dict(manifest.proofs))
    except ValidationError as error:
        logger.warning("the proofs in %s are of another form: %s", folder / MANIFEST, error)
        return _Shown()


def _metrics(values: Mapping[str, Any], evaluation: _Evaluation | None) -> list[dict[str, Any]]:
    intervals = {} if evaluation is None else evaluation.intervals
    told = []
    for name in sorted(values, key=lambda name: (_PLACES.get(name, len(_PLACES)), name)):
        if type(values[name]) in {int, float}:
            title, lower = _METRICS.get(name, (_plain(name), None))
            better = None if lower is None else "lower" if lower else "higher"
            told.append(
                {"name": name, "title": title, "value": values[name], "interval": intervals.get(name), "better": better}
            )
    return told


def _told(gate: _Gate) -> dict[str, Any]:
    return {"title": _title(gate.gate), **gate.model_dump(mode="json")}


def _title(gate: str) -> str:
    """Return a gate's name in words: `floor roc_auc`, `parity test label_flips`, `latency_ms batch 1` ..."""
    kind, *named = gate.split(" ")
    last = named[-1] if named else ""
    what = _METRICS[last][0] if last in _METRICS else _CHECKS.get(last, _plain(last))
    titles = {
        ("floor", 1): what,
        ("gain", 1): f"{what}, gain over the champion before",
        ("parity", 2): f"Training path and served graph, {_RECORDS.get(named[0], named[0]) if named else ''}: {what}",
        ("latency_ms", 2): f"Milliseconds for a batch of {last}",
        ("trial", 1): f"Trial load in the real server: {what}",
        ("slices", 2): f"{what}, for each {named[0] if named else ''}",
    }
    return titles.get((kind, len(named)), _plain(gate))


def _plain(name: str) -> str:
    return name.replace("_", " ")
