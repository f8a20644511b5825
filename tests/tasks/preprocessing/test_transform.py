import datetime as dt
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.data.partitions import read_manifest
from tasks.data.split import SplitConfig, read_split, run_split
from tasks.errors import DataError
from tasks.preprocessing.constants import (
    FIRST_CODE,
    NULL,
    UNSEEN,
    CategoricalFeature,
    NumericFeature,
    Preprocessing,
)
from tasks.preprocessing.fit import read_preprocessing, run_fit
from tasks.preprocessing.raw_rows import RawRows
from tasks.preprocessing.target_values import require_known, target_values
from tasks.preprocessing.targets import ClassTarget
from tasks.preprocessing.transform import read_features, run_transform, transform
from tests.tasks.data.tables import clean_dataset, write_parquet
from tests.tasks.preprocessing.test_fit import CONFIG, CONTRACT, make_table

SIZE = NumericFeature(
    name="size", column="size", source="number", fill=2.0, lower=-1.0, upper=10.0, center=1.5, spread=3.0
)
TARGET = ClassTarget(column="late", source="boolean", classes=(False, True))


def _transform(table: pa.Table, *features: NumericFeature | CategoricalFeature):
    numeric = tuple(each for each in features if isinstance(each, NumericFeature))
    categorical = tuple(each for each in features if isinstance(each, CategoricalFeature))
    return transform(table, Preprocessing(numeric=numeric, categorical=categorical, target=TARGET))


@given(values=st.lists(st.one_of(st.none(), st.floats()), max_size=30))
@settings(max_examples=200, deadline=None)
def test_numbers_follow_the_documented_arithmetic(values):
    found = _transform(pa.table({"size": pa.array(values, pa.float64())}), SIZE).numeric
    assert found.dtype == np.float32
    assert found.shape == (len(values), 1)
    for value, result in zip(values, found[:, 0], strict=True):
        x = 2.0 if value is None or math.isnan(value) else min(max(value, -1.0), 10.0)
        assert result == np.float32((x - 1.5) / 3.0)


def test_every_source_of_numbers():
    table = pa.table(
        {
            "size": pa.array([1.5, None, math.nan, math.inf, -0.0]),
            "count": pa.array([5, None, 2**62, -3, 0]),
            "flag": pa.array([True, None, False, True, False]),
            "day": pa.array([dt.date(1970, 1, 5), None, dt.date(1969, 12, 31), dt.date(2000, 2, 29), None]),
        }
    )
    plain = {"lower": -100.0, "upper": 400.0, "fill": -7.0}
    found = _transform(
        table,
        NumericFeature(name="size", column="size", source="number", **plain),
        NumericFeature(name="no_size", column="size", source="number", kind="is_null"),
        NumericFeature(name="count", column="count", source="integer", **plain),
        NumericFeature(name="flag", column="flag", source="boolean", **plain),
        NumericFeature(name="day", column="day", source="timestamp", part="day_of_year", **plain),
    ).numeric
    np.testing.assert_array_equal(
        found,
        np.array(
            [[1.5, 0, 5, 1, 5], [-7, 1, -7, -7, -7], [-7, 1, 400, 0, 365], [400, 0, -3, 1, 60], [0, 0, 0, 0, -7]],
            dtype=np.float32,
        ),
    )


def test_every_source_of_categories():
    table = pa.table(
        {
            "word": ["b", "", None, "zzz", "ä"],
            "gate": pa.array([10, -1, None, 7, 10]),
            "flag": pa.array([True, False, None, True, True]),
            "at": pa.array([0, 86_400_000_000, None, -1, 0]).cast(pa.timestamp("us", tz="UTC")),
        }
    )
    found = _transform(
        table,
        CategoricalFeature(name="word", column="word", source="string", vocabulary=("a", "b", "ä")),
        CategoricalFeature(name="gate", column="gate", source="integer", vocabulary=("-1", "10")),
        CategoricalFeature(name="flag", column="flag", source="boolean", vocabulary=("0", "1")),
        CategoricalFeature(name="week", column="at", source="timestamp", part="day_of_week", vocabulary=("3", "4")),
    ).categorical
    assert found.dtype == np.int64
    assert found.tolist() == [
        [FIRST_CODE + 1, FIRST_CODE + 1, FIRST_CODE + 1, FIRST_CODE + 1],
        [NULL, FIRST_CODE, FIRST_CODE, UNSEEN],
        [NULL, NULL, NULL, NULL],
        [UNSEEN, UNSEEN, FIRST_CODE + 1, FIRST_CODE],
        [FIRST_CODE + 2, FIRST_CODE + 1, FIRST_CODE + 1, FIRST_CODE + 1],
    ]


def test_no_rows_give_features_of_no_rows():
    times = pa.array([], pa.timestamp("us", tz="UTC"))
    found = _transform(
        pa.table({"size": pa.array([], pa.float64()), "at": times, "word": pa.array([], pa.string())}),
        SIZE,
        NumericFeature(name="sine", column="at", source="timestamp", part="month", kind="sine"),
        CategoricalFeature(name="month", column="at", source="timestamp", part="month", vocabulary=("1", "2")),
        CategoricalFeature(name="word", column="word", source="string", vocabulary=("a",)),
    )
    assert found.numeric.shape == (0, 2)
    assert found.categorical.shape == (0, 2)


@pytest.mark.parametrize(
    ("target", "values"),
    [
        (TARGET, [True, False]),
        (ClassTarget(column="y", source="integer", classes=(-1, 9, 10)), [10, -1]),
        (ClassTarget(column="y", source="string", classes=("a", "b")), ["b", "a"]),
    ],
)
def test_targets_become_positions_of_their_classes(target, values):
    codes = target_values(RawRows(pa.table({target.column: values})), target).columns["target"]
    assert codes.dtype == np.int64
    assert codes.tolist() == [len(target.classes) - 1, 0]


@pytest.mark.parametrize("value", ["c", None])
def test_a_target_that_is_no_class_is_an_error(value):
    target = ClassTarget(column="y", source="string", classes=("a", "b"))
    rows = RawRows(pa.table({"y": pa.array(["a", value])}))
    known = target_values(rows, target).known
    assert known.tolist() == [True, False]
    with pytest.raises(
        DataError, match=r"target y: .* no classes of the training split, which has 2: 'a', 'b'\n  do: "
    ):
        require_known(rows, target, ~known)


def test_features_on_disk_are_those_of_the_rows_in_order(tmp_path: Path, dask):
    home = tmp_path / "home"
    path = write_parquet(tmp_path / "a.parquet", make_table(600), row_group=100)
    clean, _ = clean_dataset(path, CONTRACT, home, dask)
    split = run_split(clean, CONTRACT, SplitConfig(target="late"), home, dask)
    preprocessing = run_fit(clean, split, CONTRACT, CONFIG, home, dask)
    features = run_transform(clean, split, preprocessing, home, dask)
    assert run_transform(clean, split, preprocessing, home, dask) == features
    constants = read_preprocessing(preprocessing)
    manifest = read_manifest(features)
    assert [manifest.columns[feature.name] for feature in constants.categorical] == ["int8"] * 5
    assert list(manifest.columns) == [
        *(feature.name for feature in constants.numeric),
        *(feature.name for feature in constants.categorical),
        "target",
    ]
    for name in ("train", "validation", "test"):
        rows = pa.concat_tables(read_split(clean, split, name, [*constants.columns, "late"]))
        numeric, categorical, target = read_features(features, preprocessing, name)
        expected = transform(rows, constants)
        np.testing.assert_array_equal(numeric, expected.numeric)
        np.testing.assert_array_equal(categorical, expected.categorical)
        assert target.tolist() == [int(late) for late in rows["late"].to_pylist()]
        assert len(target) == split.rows[name]
        assert numeric.dtype == np.float32
        assert categorical.dtype == target.dtype == np.int64
    train = read_features(features, preprocessing, "train")
    for index, feature in enumerate(constants.numeric):
        if feature.kind == "number":
            assert train[0][:, index].mean() == pytest.approx(0, abs=1e-5)
            assert train[0][:, index].std() == pytest.approx(1, abs=1e-5)
            assert feature.edges[0] == train[0][:, index].min()
            assert feature.edges[-1] == train[0][:, index].max()
