"""The truth about generated rows: what a right engine must find, merged over files."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.data.dirty.base import DOMAINS, clean_flights
from benchmarks.data.job import CATEGORIES, NUMBERS, REASONS, SPLIT_FACTOR, SPLIT_MODULUS

Truth = Mapping[str, np.ndarray]
# Distinct values in hundredths and their counts, by column.
Histograms = dict[str, tuple[np.ndarray, np.ndarray]]


def take(truth: Truth, rows: np.ndarray) -> Truth:
    """Return the truth about some rows: positions or a mask."""
    return {name: values[rows] for name, values in truth.items()}


def rejected(truth: Truth, reasons: Counter[str]) -> np.ndarray:
    """Return the mask of rows that keep the contract, and count the others by the first reason that holds."""
    kept = np.ones(len(truth["event_id"]), bool)
    broken = (truth["bad_ts"], truth["cat_carrier"] < 0, truth["cat_origin"] < 0, truth["bad_distance"])
    for name, mask in zip(REASONS, broken, strict=True):
        reasons[name] += int((mask & kept).sum())
        kept &= ~mask
    return kept


def aggregate(truth: Truth) -> tuple[dict[str, Any], Histograms]:
    """Describe the rows that stay in the clean data."""
    ids = truth["event_id"]
    bucket = ((ids * SPLIT_FACTOR) % SPLIT_MODULUS) // 65536 % 100
    split = np.where(bucket < 80, 0, np.where(bucket < 90, 1, 2))
    numbers, histograms = {}, {}
    for name in NUMBERS:
        values = truth[f"num_{name}"]
        missing = np.isnan(values)
        numbers[name] = {"missing": int(missing.sum()), "sum": float(values[~missing].sum())}
        if name != "fare":  # the only column of full precision has no exact histogram
            hundredths = np.rint(values[(split == 0) & ~missing] * 100).astype("int64")
            distinct, counts = np.unique(hundredths, return_counts=True)
            histograms[name] = (distinct, counts)
    sizes = {name: len(values) for name, values in clean_flights().values.items()} | {"email_domain": len(DOMAINS)}
    described = {
        "clean_rows": len(ids),
        "split": [int((split == index).sum()) for index in range(3)],
        "event_id_sum": int(ids.sum()),
        "num": numbers,
        "cat": {name: np.bincount(truth[f"cat_{name}"] + 2, minlength=sizes[name] + 2).tolist() for name in CATEGORIES},
    }
    return described, histograms


def add(first: Any, second: Any) -> Any:
    """Add two descriptions: numbers, lists and dictionaries of such, position by position and key by key."""
    if isinstance(first, dict):
        keys = {**first, **second}
        return {
            key: add(first[key], second[key]) if key in first and key in second else first.get(key, second.get(key))
            for key in keys
        }
    if isinstance(first, list):
        return [add(one, other) for one, other in zip(first, second, strict=True)]
    return first + second


def merge_histograms(first: Histograms, second: Histograms) -> Histograms:
    """Return the histograms of both sets of rows together."""
    merged = {}
    for name, (values, counts) in first.items():
        more_values, more_counts = second[name]
        distinct, place = np.unique(np.concatenate([values, more_values]), return_inverse=True)
        merged[name] = (distinct, np.bincount(place, np.concatenate([counts, more_counts])).astype("int64"))
    return merged


def quantiles(histogram: tuple[np.ndarray, np.ndarray]) -> dict[str, float]:
    """Return the quartiles of a histogram in hundredths by linear interpolation, as numpy's default does."""
    values, counts = histogram
    ends = np.cumsum(counts)
    found: dict[str, float] = {"train_n": int(counts.sum())}
    for probability in (0.25, 0.5, 0.75):
        position = (ends[-1] - 1) * probability
        below, above = (
            values[np.searchsorted(ends, round_(position), "right")] / 100 for round_ in (math.floor, math.ceil)
        )
        found[f"train_q{int(probability * 100)}"] = below + (above - below) * (position - math.floor(position))
    return found
