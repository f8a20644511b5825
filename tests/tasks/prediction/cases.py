"""Every kind of target with every kind of decision, and scores that try them."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tasks.prediction.decision import Decision
from tasks.preprocessing.constants import Curve
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget, Target

BINARY = ClassTarget(column="late", source="boolean", classes=(False, True))
COLORS = ClassTarget(column="color", source="string", classes=("blue", "green", "red"))
GRADES = ClassTarget(column="grade", source="integer", classes=(-3, 0, 12))
TOPICS = LabelsTarget(labels=("sport", "politics", "art"))
PRICE = NumberTarget(column="price", source="number", center=120.5, spread=33.25)
PRICES = NumberTarget(column="price", source="number", center=120.5, spread=33.25, quantiles=(0.1, 0.5, 0.9))


def curve(shift: float) -> Curve:
    """A curve whose slopes differ: training path and graph add up its segments in different ways."""
    return Curve(kind="knots", knots=(-4.0, -1.0, -0.5, 2.0 + shift), heights=(0.01, 0.2, 0.4 + shift, 0.97))


CURVES = tuple(curve(0.125 * place) for place in range(3))
FLAT = Curve(kind="knots", knots=(0.25,), heights=(0.3,))

CASES: dict[str, tuple[Target, Decision]] = {
    "binary": (BINARY, Decision()),
    "binary, temperature": (BINARY, Decision(temperature=2.7)),
    "binary, threshold": (BINARY, Decision(temperature=0.3, thresholds=(0.3,))),
    "binary, isotonic": (BINARY, Decision(curves=(curve(0),), thresholds=(0.7,))),
    "binary, one knot": (BINARY, Decision(curves=(FLAT,), thresholds=(0.3,))),
    "multiclass": (COLORS, Decision()),
    "multiclass, temperature": (GRADES, Decision(temperature=2.7)),
    "multiclass, isotonic": (COLORS, Decision(curves=CURVES)),
    "multilabel": (TOPICS, Decision()),
    "multilabel, temperature": (TOPICS, Decision(temperature=0.3, thresholds=(0.2, 0.5, 1.0))),
    "multilabel, isotonic": (TOPICS, Decision(curves=CURVES, thresholds=(0.01, 0.4, 0.97))),
    "regression": (PRICE, Decision()),
    "quantile": (PRICES, Decision()),
    "quantile, conformal": (PRICES, Decision(shifts=(-0.4, 0.0, 0.7))),
}

# Ties, halves, and what overflows a careless exponential.
_SCORE = st.sampled_from([0.0, -0.0, 1.0, 1.0, -1.0, 30.0, -30.0, 800.0, 1e30, -1e30]) | st.floats(-50, 50, width=32)


def scores(outputs: int) -> st.SearchStrategy[np.ndarray[Any, Any]]:
    """Rows of scores, float64 that float32 holds, `[N, outputs]`."""
    shape = st.tuples(st.integers(1, 20), st.just(outputs))
    return arrays.arrays(np.float64, shape, elements=_SCORE).map(lambda found: found.astype(np.float32).astype(float))
