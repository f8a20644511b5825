from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.data.partitions import Manifest, part_name, stored, write_manifest, write_partition
from tasks.errors import IntegrityError
from tasks.evaluation.held_out import plain_truth, read_predictions, read_truth
from tasks.preprocessing.target_values import standardized
from tasks.preprocessing.targets import LabelsTarget, NumberTarget
from tasks.references import DatasetRef, EvaluationRef


@settings(max_examples=50, deadline=None)
@given(
    values=st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=20),
    center=st.floats(-1e4, 1e4),
    spread=st.floats(0.01, 1e4),
)
def test_numbers_come_back_in_their_own_unit(values: list[int], center: float, spread: float) -> None:
    target = NumberTarget(column="y", source="integer", center=center, spread=spread)
    raw = np.array(values, dtype=np.float64)
    learned = standardized(raw, target)
    assert plain_truth(learned, target).tolist() == raw.tolist()
    real = target.model_copy(update={"source": "number"})
    assert plain_truth(learned, real) == pytest.approx(raw, rel=1e-9, abs=1e-9 * (abs(center) + spread))
    assert ((plain_truth(learned, real) == 0) == (raw == 0)).all()


def test_labels_come_back_as_booleans() -> None:
    labels = plain_truth(np.array([[0.0, 1.0]], dtype=np.float32), LabelsTarget(labels=("a", "b")))
    assert labels.tolist() == [[False, True]]


def _features(home: Path, parts: list[list[str | None]]) -> tuple[DatasetRef, NumberTarget]:
    target = NumberTarget(column="y", source="number", center=0.0, spread=1.0)
    written = []
    for place, days in enumerate(parts):
        columns = {target.stored[0]: np.arange(len(days), dtype=np.float64), "day": pa.array(days, pa.string())}
        written.append(write_partition(home / "staged", part_name(place), pa.table(columns), "test"))
    manifest = Manifest(
        columns={target.stored[0]: "double", "day": "string"},
        partitions=tuple(each.partition for each in written),
        digests={each.partition.path: each.digest for each in written},
    )
    write_manifest(home / "staged", manifest)
    features = stored(home, manifest)
    Path(features.path).parent.mkdir()
    (home / "staged").rename(features.path)
    return features, target


def test_rows_without_a_group_are_one_group(tmp_path: Path) -> None:
    features, target = _features(tmp_path, [["mon", None, "tue"], ["tue", None, "wed", "mon"]])
    truth = read_truth(features, target, "test", "day")
    assert truth.groups is not None
    assert truth.groups.tolist() == [0, 1, 2, 2, 1, 3, 0]
    assert read_truth(features, target, "test", None).groups is None


def test_predictions_that_are_gone_are_named(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match=r"predictions\.parquet: the evaluation is gone"):
        read_predictions(EvaluationRef(path=str(tmp_path), digest="e"), LabelsTarget(labels=("a", "b")))
