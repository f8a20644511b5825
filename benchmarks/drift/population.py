"""A made-up population of flights: 22 correlated columns, atoms, nulls, and categories with long tails."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import ndtr

from data_contracts.contract import Column, LogicalType
from tasks.drift.expected import Reference, read_reference
from tasks.evaluation.predicted import describe_predictions
from tasks.export.bundle import EVALUATION, REFERENCE
from tasks.prediction.predictions import Predictions
from tasks.preprocessing.columns import categories
from tasks.preprocessing.plan import Measure
from tasks.preprocessing.reference import describe
from tasks.preprocessing.statistics import CategorySummary, NumericSummary
from tasks.preprocessing.targets import ClassTarget

Floats = NDArray[np.float64]
Rows = dict[str, pa.Array]

INTEGERS = ("sched_dep_minute", "sched_arr_minute", "seats", "engines")
NUMBERS = (
    *INTEGERS,
    *("distance", "sched_air_minutes", "plane_year", "temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust"),
    *("precip", "pressure", "visib"),
)
# How many values, and how steeply their shares fall: 1 / rank ** steepness.
CATEGORIES = {
    "carrier": (16, 1.0),
    "origin": (3, 0.2),
    "dest": (104, 0.9),
    "plane_type": (3, 5.0),
    "engine": (6, 3.0),
    "tail_number": (4000, 0.7),
}
TARGET = ClassTarget(column="late", source="boolean", classes=(False, True))
_LATENT = len(NUMBERS) + len(CATEGORIES)
_FACTORS = 4
_NULLS = {"plane_year": 0.16, "wind_gust": 0.77, "pressure": 0.12, "temp": 0.005, "engine": 0.15, "seats": 0.15}


class Population:
    """Draws rows; two populations of one seed are the same.

    Args:
        seed: Of how columns are correlated.
    """

    def __init__(self, seed: int) -> None:
        loadings = np.random.default_rng(seed).normal(size=(_LATENT, _FACTORS))
        self._loadings = loadings / np.sqrt(np.square(loadings).sum(axis=1, keepdims=True) + 1.0)
        self._own = np.sqrt(1 - np.square(self._loadings).sum(axis=1))
        self._cumulative = {name: _falling(*shape) for name, shape in CATEGORIES.items()}

    def draw(self, rows: int, random: np.random.Generator) -> dict[str, Floats]:
        """Return float64 `[N]` of each column, categories as codes, NaN for null, and `probability` of being late."""
        latent = (
            random.normal(size=(rows, _FACTORS)) @ self._loadings.T + random.normal(size=(rows, _LATENT)) * self._own
        )
        found = {name: _number(name, latent[:, place]) for place, name in enumerate(NUMBERS)}
        for place, (name, cumulative) in enumerate(self._cumulative.items(), start=len(NUMBERS)):
            found[name] = np.searchsorted(cumulative, ndtr(latent[:, place])).astype(np.float64)
        found["probability"] = ndtr(0.8 * latent[:, 0] + 0.5 * latent[:, 9] - 0.9)
        for name, share in _NULLS.items():
            found[name][random.random(rows) < share] = np.nan
        return found


def _falling(values: int, steepness: float) -> Floats:
    shares = 1.0 / np.arange(1, values + 1) ** steepness
    return np.asarray(np.cumsum(shares / shares.sum())[:-1])


_SEATS = np.array([2.0, 20, 55, 80, 95, 140, 142, 145, 149, 178, 182, 200, 275, 330, 400])
_SHAPES: dict[str, Callable[[Floats], Floats]] = {
    "sched_dep_minute": lambda z: np.rint(60 + 228 * ndtr(z)) * 5,
    "sched_arr_minute": lambda z: np.rint(1439 * ndtr(z)),
    "seats": lambda z: _SEATS[np.searchsorted(np.linspace(-2.6, 2.6, 14), z)],
    "engines": lambda z: np.select([z < -2.6, z > 3.2], [1.0, 3.0], 2.0),
    "distance": lambda z: np.rint(np.exp(6.7 + 0.65 * z) / 13) * 13,
    "plane_year": lambda z: np.rint(2001 + 7 * z),
    "wind_dir": lambda z: np.rint(36 * ndtr(z)) * 10,
    "wind_speed": lambda z: np.rint(np.exp(2.1 + 0.5 * z)) * 1.15078,
    "wind_gust": lambda z: np.rint(14 + np.exp(1.8 + 0.6 * z)) * 1.15078,
    "precip": lambda z: np.where(z > 1.5, np.rint(np.exp(z)) / 100, 0.0),
    "visib": lambda z: np.where(z > -1.0, 10.0, np.maximum(np.rint(40 + 10 * (z + 1)) / 4, 0.0)),
    "sched_air_minutes": lambda z: np.rint(np.maximum(187 + 95 * z, 50)),
}


def _number(name: str, z: Floats) -> Floats:
    """Return the values of a column for standard normal ones; temperatures and pressures stay normal."""
    return np.asarray(_SHAPES[name](z) if name in _SHAPES else 50 + 15 * z)


def record(drawn: dict[str, Floats]) -> Rows:
    """Return drawn rows as the samples hold them."""
    arrays = {name: pa.array(values, from_pandas=True) for name, values in drawn.items()}
    return arrays | {name: arrays[name].cast(pa.int64()) for name in CATEGORIES}


def reference_of(drawn: dict[str, Floats]) -> Reference:
    """Describe rows as fit and evaluate do, and read that as the drift watch does."""
    types: dict[str, LogicalType] = dict.fromkeys(NUMBERS, "number")
    types |= dict.fromkeys(CATEGORIES, "string")
    rows = record(drawn)
    measures = [
        Measure(Column(name=name, logical_type=kind), "numeric" if name in NUMBERS else "category")
        for name, kind in types.items()
    ]
    summaries = {
        name: NumericSummary.of(drawn[name]) if name in NUMBERS else CategorySummary.of(categories(rows[name]))
        for name in types
    }
    probability = drawn["probability"]
    predicted = Predictions(np.stack([1 - probability, probability], axis=1), (probability > 0.5).astype(np.int64))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / REFERENCE).write_text(json.dumps(describe(measures, summaries, {}, len(probability))))
        (folder / EVALUATION).write_text(json.dumps({"predictions": describe_predictions(TARGET, predicted)}))
        return read_reference(folder)


def shifted(drawn: dict[str, Floats], name: str, deviations: float, spread: float, random: np.random.Generator) -> None:
    """Move one number by so many standard deviations; of integers so many rows move by one that the mean does."""
    by = deviations * spread
    if name in INTEGERS:
        whole = np.floor(by)
        drawn[name] = drawn[name] + whole + (random.random(len(drawn[name])) < by - whole)
    else:
        drawn[name] = drawn[name] + by
