"""A whole run's findings, small but of a real shape, for the report's tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from tasks.evaluation.number_curves import number_curves
from tasks.report.evaluated import Challenge, Compared, Curves, Evaluated
from tasks.report.inputs import Accounting, GateLine, History, ReportInputs, RuleLine

METRICS = {
    "test": {
        "roc_auc": 0.7512,
        "average_precision": 0.4893,
        "log_loss": 0.4721,
        "brier": 0.1523,
        "f1": 0.41,
        "ece": 0.0105,
    },
    "logistic": {"roc_auc": 0.7031, "average_precision": 0.4102, "log_loss": 0.5012, "brier": 0.1631, "f1": 0.3},
    "majority": {"roc_auc": 0.5, "average_precision": 0.237, "log_loss": 0.5478, "brier": 0.1808, "f1": 0.0},
}
CHALLENGE = Challenge(
    champion="2",
    said="Both graphs on the same 49,200 rows.",
    compared=(
        Compared(name="roc_auc", champion=0.7518, candidate=0.7512, gain=-0.0006, interval=(-0.0021, 0.0009)),
        Compared(name="log_loss", champion=0.4719, candidate=0.4721, gain=-0.0002),
    ),
)
GATES = (
    GateLine(name="floor roc_auc", passed=True, comparison=">=", bound=0.745, measured=0.7512),
    GateLine(
        name="gain roc_auc",
        passed=False,
        comparison=">=",
        bound=0.001,
        measured=-0.0006,
        note="the champion has 0.7518, the candidate 0.7512",
    ),
    GateLine(name="parity max_difference", passed=True, comparison="<=", bound=1e-5, measured=5.4e-7),
    GateLine(name="parity label_flips", passed=True, comparison="<=", bound=0, measured=0),
)
ACCOUNTING = Accounting(
    rows_in=336_776,
    kept=327_200,
    quarantined={"distance.minimum": 31, "origin.enum": 12, "csv.broken_row": 3},
    duplicates=100,
    without_target=9_430,
    splits={"train": 229_100, "validation": 48_900, "test": 49_200},
)
RULES = (
    RuleLine(id="flight_id.primary_key", kind="key", expected="unique", observed="0", passed=True),
    RuleLine(
        id="origin.enum",
        kind="enum",
        expected="one of EWR, JFK, LGA",
        observed="12 rows",
        passed=False,
        examples=("XXX", "ewr"),
    ),
    RuleLine(
        id="tailnum.nulls",
        kind="nullValues",
        expected="at most 1 percent",
        observed="0.75",
        passed=False,
        severity="warning",
        examples=("***",),
    ),
)
CERTIFICATE = {
    "test": {"rows": 49200, "max_difference": 5.4e-7, "label_flips": 0},
    "generated": {"rows": 10000, "max_difference": 3.1e-7, "label_flips": 0},
}
LINEAGE = {
    "contract": {"name": "flights", "version": "1.0.0", "digest": "ab" * 32},
    "data": {"digest": "cd" * 32},
    "config": {"train": {"seed": 7, "network": {"name": "mlp-ple", "width": [256, 256, 256]}}},
    "libraries": {"torch": "2.13.0", "onnxruntime": "1.31.1"},
}


def example_inputs(**changes: Any) -> ReportInputs:
    """Return a refused candidate's findings with some fields changed."""
    values: dict[str, Any] = {
        "model": "flight-delay",
        "version": 3,
        "promoted": False,
        "champion_version": 2,
        "evaluated": example_evaluated(),
        "gates": GATES,
        "accounting": ACCOUNTING,
        "rules": RULES,
        "history": _history(),
        "certificate": CERTIFICATE,
        "latency": {"batch 1, median": 0.16, "batch 256, median": 0.83},
        "lineage": LINEAGE,
    }
    return ReportInputs(**(values | changes))


def example_evaluated(**changes: Any) -> Evaluated:
    """Return a binary problem's findings with some fields changed."""
    values: dict[str, Any] = {
        "headline": "roc_auc",
        "metrics": METRICS,
        "intervals": {"roc_auc": (0.7463, 0.7561), "log_loss": (0.4689, 0.4752)},
        "drawn": "An interval holds 95% of 200 resamples of the rows.",
        "classes": ("false", "true"),
        "confusion": ((35_210, 2_310), (7_990, 3_690)),
        "details": (
            {"class": False, "rows": 37_520, "precision": 0.815, "recall": 0.9384, "f1": 0.8723, "roc_auc": 0.7512},
            {"class": True, "rows": 11_680, "precision": 0.615, "recall": 0.3159, "f1": 0.4174, "roc_auc": None},
        ),
        "curves": _curves(),
        "uncalibrated": {"log_loss": 0.4803, "ece": 0.0312, "roc_auc": 0.7512},
        "calibration": {"method": "temperature", "rows": 48_900, "thresholds": {"true": 0.31}},
        "challenge": CHALLENGE,
        "notes": ("12 rows were strange.",),
    }
    return Evaluated(**(values | changes))


def plain_inputs(evaluated: dict[str, Any] | None = None, **changes: Any) -> ReportInputs:
    """Return the example without its curves, which take a second to draw."""
    plain = {"curves": Curves(), "confusion": (), **(evaluated or {})}
    history = History(training=([], []), validation=([], []))
    return example_inputs(evaluated=example_evaluated(**plain), **{"history": history, **changes})


def example_figures() -> dict[str, Any]:
    """Return what `tasks.evaluation.number_curves` gives for a number and for quantiles, together."""
    random = np.random.default_rng(5)
    truth = random.normal(120.0, 30.0, 800)
    predicted = truth + random.normal(0.0, 9.0, 800)
    return {
        **number_curves(truth, predicted, 200),
        "quantiles": {"asked": [0.1, 0.5, 0.9], "below": [0.12, 0.5, 0.88]},
    }


def _history() -> History:
    steps, checks = np.arange(0, 2000, 25), np.arange(200, 2001, 200)
    noise = np.random.default_rng(3).normal(0, 0.012, len(steps))
    return History(
        training=(list(steps), list(0.47 + 0.15 * np.exp(-steps / 300) + noise)),
        validation=(list(checks), list(0.48 + 0.1 * np.exp(-checks / 300) + 1e-8 * (checks - 1400.0) ** 2)),
        best_step=1400,
    )


def _curves() -> Curves:
    grid = np.linspace(0, 1, 60)
    bins, tenths = grid[::6], np.arange(1, 11) / 10
    return Curves(
        roc={"": (list(grid), list(grid**0.4))},
        precision_recall={"": (list(grid), list(0.24 + 0.6 * (1 - grid) ** 2))},
        calibration={"": (list(bins), list(bins**1.1))},
        uncalibrated={"": (list(bins), list(bins**1.6))},
        gains={"": (list(tenths), list(tenths**0.6))},
        lift={"": (list(tenths), list(tenths**0.6 / tenths))},
    )
