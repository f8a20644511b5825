"""Nulls, unseen categories and values out of range, counted from feeds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.bundle.manifest import NULL_TIMESTAMP, BundleManifest, InputSpec
from serving.watch.expected import Expected
from serving.watch.features import FeatureCounts
from tests.serving.bundles import small_manifest

EXPECTED = {
    "carrier": Expected(frozenset({"AA", "UA"})),
    "distance": Expected(None, 10.0, 5000.0),
    "engines": Expected(frozenset({1, 2})),
    "departs": Expected(None, 0.0, 1e15),
}
_COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "carrier": st.sampled_from(["", "AA", "UA", "ZZ"]),
    "distance": st.sampled_from([math.nan, 9.0, 10.0, 5000.0, 5001.0]),
    "seats": st.integers(-(2**62), 2**62),
    "engines": st.sampled_from([math.nan, 1.0, 2.0, 3.0]),
    "charter": st.booleans(),
    "departs": st.sampled_from([NULL_TIMESTAMP, -1, 0, 10**15, 10**15 + 1]),
}
_TYPES = {spec.name: spec.tensor for spec in small_manifest().inputs}


def feed(columns: dict[str, list[Any]]) -> dict[str, Any]:
    return {
        name: np.array(values, dtype=object if _TYPES[name] == "string" else _TYPES[name])
        for name, values in columns.items()
    }


@settings(max_examples=60, deadline=None)
@given(st.lists(st.fixed_dictionaries(_COLUMNS), min_size=1, max_size=8))
def test_counts_are_those_of_the_rows_one_by_one(rows: list[dict[str, Any]]) -> None:
    counts = FeatureCounts(small_manifest(), EXPECTED, 1.0)
    counts.look(feed({name: [row[name] for row in rows] for name in _COLUMNS}))
    assert counts.rows == len(rows)
    assert counts.found("nulls") == {
        "carrier": sum(row["carrier"] == "" for row in rows),
        "distance": sum(math.isnan(row["distance"]) for row in rows),
        "seats": 0,
        "engines": sum(math.isnan(row["engines"]) for row in rows),
        "departs": sum(row["departs"] == NULL_TIMESTAMP for row in rows),
    }
    assert counts.found("unseen") == {
        "carrier": sum(row["carrier"] == "ZZ" for row in rows),
        "engines": sum(row["engines"] == 3.0 for row in rows),
    }
    assert counts.found("out_of_range") == {
        "distance": sum(row["distance"] in {9.0, 5001.0} for row in rows),
        "departs": sum(row["departs"] in {-1, 10**15 + 1} for row in rows),
    }


def test_of_a_small_share_of_the_time_not_every_run_is_looked_at() -> None:
    row = {"carrier": ["AA"], "distance": [1.0], "seats": [1], "engines": [1.0], "charter": [True], "departs": [1]}
    every, few = (FeatureCounts(small_manifest(), EXPECTED, share) for share in (1.0, 0.001))
    for _ in range(200):
        every.look(feed(row))
        few.look(feed(row))
    assert every.rows == 200
    assert 1 <= few.rows < 100


def test_of_a_large_batch_the_first_rows_are_looked_at() -> None:
    columns = {"carrier": ["ZZ"], "distance": [1.0], "seats": [1], "engines": [9.0], "charter": [True], "departs": [1]}
    counts = FeatureCounts(small_manifest(), EXPECTED, 1.0)
    counts.look(feed({name: values * 3000 for name, values in columns.items()}))
    assert counts.rows == counts.found("unseen")["carrier"] == counts.found("out_of_range")["distance"] == 1024


def test_a_model_of_arrays_has_no_features_to_count() -> None:
    pixels = InputSpec(
        name="pixels", datatype="UINT8", tensor="uint8", logical_type="image", nullable=False, shape=(2, 2, 1)
    )
    manifest: BundleManifest = small_manifest().model_copy(update={"inputs": (pixels,)})
    counts = FeatureCounts(manifest, {}, 1.0)
    counts.look({"pixels": np.zeros((3, 2, 2, 1), np.uint8)})
    assert counts.rows == 3
    assert counts.found("nulls") == counts.found("unseen") == counts.found("out_of_range") == {}
