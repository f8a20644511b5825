"""How good a model is, from the evaluation's, the calibration's and the promotion's files to the report's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipelines.run_state import Model
from tasks.calibration.calibrate import read_calibration
from tasks.cross_validation.cross_validate import read_cross_validation
from tasks.evaluation.evaluate import read_curves, read_metrics
from tasks.metrics.table import metric_names
from tasks.promotion.challenge import Challenge
from tasks.promotion.promote import Promotion
from tasks.references import CrossValidationRef
from tasks.report import evaluated as words
from tasks.report.inputs import CrossValidated
from tasks.report.sections import in_order

_COLUMNS = (
    "class",
    "rows",
    "precision",
    "recall",
    "f1",
    "roc_auc",
    "average_precision",
    "quantile",
    "pinball",
    "below",
)
_FIGURES = ("scatter", "residuals", "by_prediction", "quantiles")


def evaluated(model: Model, promotion: Promotion) -> words.Evaluated:
    """Gather what the report says of a model's quality."""
    metrics, curves = read_metrics(model.evaluation), read_curves(model.evaluation)
    return words.Evaluated(
        headline=next(name for name in metric_names(metrics["problem"]) if name in metrics["test"]),
        metrics={"test": metrics["test"], **metrics["baselines"]},
        intervals={name: tuple(ends) for name, ends in metrics["intervals"].items()},
        drawn=_drawn(metrics["bootstrap"]) if metrics["intervals"] else "",
        classes=tuple(map(str, metrics.get("classes", ()))),
        confusion=tuple(map(tuple, metrics.get("confusion", ()))),
        details=_alike(metrics.get("per_class") or metrics.get("per_quantile") or ()),
        curves=words.Curves.of_classes(curves.get("classes", ()), curves.get("uncalibrated", ())),
        figures={name: curves[name] for name in _FIGURES if name in curves},
        uncalibrated=metrics.get("uncalibrated", {}),
        calibration=_calibration(model),
        challenge=None if promotion.challenge is None else _challenge(promotion.challenge),
        notes=tuple(_notes(metrics)),
    )


def cross_validated(ref: CrossValidationRef) -> CrossValidated:
    """Gather what the report says of the folds."""
    found = read_cross_validation(ref)
    folds = found["folds"]
    by = "" if found["column"] is None else f" by {found['column']}"
    said = (
        f"{len(folds)} folds ({found['method']}{by}) of the training split, {found['predicted']:,} of its "
        f"{found['rows']:,} rows predicted by models that did not learn from them; not calibrated."
    )
    metrics = {
        name: (mean, found["deviation"][name], tuple(fold["metrics"][name] for fold in folds))
        for name, mean in found["mean"].items()
    }
    return CrossValidated(said=said, metrics={name: metrics[name] for name in in_order(metrics)})


def _drawn(bootstrap: Mapping[str, Any]) -> str:
    of = "rows" if bootstrap["groups"] is None else f"{bootstrap['groups']:,} groups of rows"
    return f"An interval holds {100 * bootstrap['confidence']:g}% of {bootstrap['resamples']:,} resamples of the {of}."


def _alike(records: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Give every record every key, for a class that no row has lacks its areas, in the order of the columns."""
    names = sorted({name for each in records for name in each}, key=_COLUMNS.index)
    return tuple({name: each.get(name) for name in names} for each in records)


def _calibration(model: Model) -> Mapping[str, Any]:
    """Say what was fitted; nothing where nothing was."""
    calibration = read_calibration(model.calibration, model.checkpoint)
    if calibration.method == "none" and not calibration.thresholds:
        return {}
    return {name: value for name, value in calibration.proof.items() if value != {}}


def _challenge(found: Challenge) -> words.Challenge:
    compared = (
        words.Compared(name=name, champion=one.champion, candidate=one.candidate, gain=one.gain, interval=one.interval)
        for name, one in ((name, found.metrics[name]) for name in in_order(found.metrics))
    )
    return words.Challenge(champion=found.champion, said=_said(found), compared=tuple(compared))


def _said(found: Challenge) -> str:
    if found.recorded is not None and not found.metrics:
        return f"Nothing of the champion, version {found.champion}, can be compared: {found.recorded}."
    if found.recorded is not None:
        return (
            "Each model on rows of its own, as recorded, for the champion cannot answer the candidate's rows: "
            f"{found.recorded}."
        )
    of = "rows" if found.groups is None else f"{found.groups:,} groups of rows"
    return (
        f"Both graphs on the same {found.rows:,} rows. An interval holds {100 * found.confidence:g}% of the "
        f"resamples of the {of}, the same for both."
    )


def _notes(metrics: Mapping[str, Any]) -> Iterator[str]:
    if zeros := metrics.get("zero_targets"):
        yield f"A true value of zero has no percentage error; the number of such rows, which are left out: {zeros:,}."
