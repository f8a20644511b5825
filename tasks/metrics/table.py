"""Every metric: its name, for which problems it is measured, and which direction is better.

Gates, the check of a config, the comparison of two models and the report all read this one table.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.preprocessing.targets import Problem

_CLASSES: tuple[Problem, ...] = ("binary", "multiclass")
_CHOICES: tuple[Problem, ...] = ("binary", "multiclass", "multilabel")


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        label: Its name for people.
        problems: Where it is measured.
        lower: Whether lower is better.
    """

    name: str
    label: str
    problems: tuple[Problem, ...]
    lower: bool = False


# A problem's first metric is the one that is spoken of first.
METRICS = (
    Metric("roc_auc", "ROC-AUC", _CHOICES),
    Metric("average_precision", "average precision (PR-AUC)", _CHOICES),
    Metric("accuracy", "accuracy", _CLASSES),
    Metric("balanced_accuracy", "balanced accuracy", _CLASSES),
    Metric("subset_accuracy", "subset accuracy", ("multilabel",)),
    Metric("hamming_loss", "Hamming loss", ("multilabel",), lower=True),
    Metric("precision", "precision", ("binary",)),
    Metric("recall", "recall", ("binary",)),
    Metric("f1", "F1", ("binary",)),
    Metric("precision_macro", "precision, macro", _CHOICES),
    Metric("recall_macro", "recall, macro", _CHOICES),
    Metric("f1_macro", "F1, macro", _CHOICES),
    Metric("precision_micro", "precision, micro", _CHOICES),
    Metric("recall_micro", "recall, micro", _CHOICES),
    Metric("f1_micro", "F1, micro", _CHOICES),
    Metric("mcc", "Matthews correlation", _CLASSES),
    Metric("log_loss", "log loss", _CHOICES, lower=True),
    Metric("brier", "Brier score", _CHOICES, lower=True),
    Metric("ece", "expected calibration error", _CHOICES, lower=True),
    Metric("rmse", "root mean squared error", ("regression",), lower=True),
    Metric("mae", "mean absolute error", ("regression",), lower=True),
    Metric("r2", "R²", ("regression",)),
    Metric("mape", "mean absolute percentage error", ("regression",), lower=True),
    Metric("pinball", "pinball loss", ("quantile",), lower=True),
    Metric("coverage", "coverage of the outer interval", ("quantile",)),
    Metric("coverage_gap", "distance of coverage from what was asked", ("quantile",), lower=True),
)
METRIC = {metric.name: metric for metric in METRICS}


def metric_names(problem: Problem) -> tuple[str, ...]:
    """Return the metrics of a problem, the one to speak of first at the head."""
    return tuple(metric.name for metric in METRICS if problem in metric.problems)


def direction(name: str) -> int:
    """Return 1 where more of a metric is better and -1 where less is; what the table does not have counts as 1."""
    return -1 if name in METRIC and METRIC[name].lower else 1
