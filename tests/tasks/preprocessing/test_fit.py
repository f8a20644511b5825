import datetime as dt
import errno
import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tasks.data.split import SplitConfig, read_split, run_split
from tasks.errors import ConfigError, DiskFullError, IntegrityError, TrainingError
from tasks.preprocessing.config import PreprocessConfig
from tasks.preprocessing.fit import read_preprocessing, run_fit
from tasks.preprocessing.transform import transform
from tests.tasks.data.tables import clean_dataset, contract_of, write_parquet

TYPES = {
    "id": "integer",
    "size": "number",
    "gate": "integer",
    "word": "string",
    "secret": "string",
    "at": "timestamp",
    "empty": "number",
    "same": "string",
    "late": "boolean",
}
CONTRACT = contract_of(TYPES, key=("id",), classified=("secret",))
CONFIG = PreprocessConfig(target="late", exclude=("id",), categorical=("gate",), categories={"min_count": 5})


def make_table(rows: int, seed: int = 0) -> pa.Table:
    random = np.random.default_rng(seed)
    size = random.lognormal(size=rows)
    words = np.array(["red", "green", "blue", ""])[random.integers(0, 4, rows)]
    return pa.table(
        {
            "id": pa.array(range(rows)),
            "size": pa.array(size, mask=random.random(rows) < 0.1),
            "gate": pa.array(random.integers(0, 4, rows)),
            "word": pa.array([None if i % 17 == 0 else f"rare{i}" if i % 50 == 1 else w for i, w in enumerate(words)]),
            "secret": pa.array(np.array(["anna", "otto"])[random.integers(0, 2, rows)]),
            "at": pa.array(random.integers(0, 10**15, rows)).cast(pa.timestamp("us", tz="UTC")),
            "empty": pa.nulls(rows, pa.float64()),
            "same": pa.array(["x"] * rows),
            "late": pa.array(random.random(rows) < 0.3),
        }
    )


@pytest.fixture
def prepare(tmp_path: Path, dask):
    def _prepare(table: pa.Table, row_group: int = 200):
        path = write_parquet(tmp_path / f"{row_group}" / "a.parquet", table, row_group)
        clean, _ = clean_dataset(path, CONTRACT, tmp_path / "home", dask)
        return clean, run_split(clean, CONTRACT, SplitConfig(target="late"), tmp_path / "home", dask)

    return _prepare


def _fit(prepared, tmp_path, dask, config=CONFIG):
    clean, split = prepared
    return run_fit(clean, split, CONTRACT, config, tmp_path / "home", dask)


def test_constants_come_from_the_training_split_alone(tmp_path: Path, dask, prepare):
    clean, split = prepare(make_table(1000))
    preprocessing = read_preprocessing(_fit((clean, split), tmp_path, dask))
    assert [feature.name for feature in preprocessing.numeric] == [
        "size",
        "size_is_null",
        "at_minute_of_day",
        "at_day_of_year",
    ]
    assert [feature.name for feature in preprocessing.categorical] == [
        "gate",
        "word",
        "secret",
        "at_day_of_week",
        "at_month",
    ]
    assert preprocessing.columns == ("size", "at", "gate", "word", "secret")
    train = pa.concat_tables(read_split(clean, split, "train", ["size", "word"]))
    size = train["size"].drop_null().to_numpy()
    assert preprocessing.numeric[0].fill == pytest.approx(np.median(size), rel=1e-15)
    assert preprocessing.numeric[0].upper == np.quantile(size, 0.999, method="inverted_cdf")
    assert preprocessing.categorical[0].vocabulary == ("0", "1", "2", "3")
    assert preprocessing.categorical[1].vocabulary == ("blue", "green", "red")
    assert preprocessing.target.classes == (False, True)


def test_the_reference_describes_every_raw_column(tmp_path: Path, dask, prepare):
    clean, split = prepare(make_table(1000))
    reference = json.loads((Path(_fit((clean, split), tmp_path, dask).path) / "reference.json").read_text())
    assert list(reference["columns"]) == sorted(name for name in TYPES if name not in {"id", "late"})
    assert reference["rows"] == split.rows["train"]
    assert reference["left_out"] == {
        "empty": "every value is null in the training split",
        "same": "constant in the training split: 'x'",
    }
    word = reference["columns"]["word"]
    train = pa.concat_tables(read_split(clean, split, "train", ["word"]))["word"].to_pylist()
    assert word["values"]["red"] == train.count("red")
    assert word["nulls"] == train.count(None)
    assert word["rows"] == len(train)
    size = reference["columns"]["size"]
    assert len(size["quantiles"]) == len(size["probabilities"]) == 101
    assert size["rank_error"] == 0
    assert reference["columns"]["secret"]["values"] == {}
    assert reference["columns"]["secret"]["distinct"] == 2
    assert sum(reference["target"]["late"]["values"].values()) == len(train)


def test_fitting_again_gives_the_same_bytes(tmp_path: Path, dask, prepare):
    prepared = prepare(make_table(800))
    assert _fit(prepared, tmp_path, dask) == _fit(prepared, tmp_path, dask)


def test_other_partitions_give_the_same_constants_but_for_rounding(tmp_path: Path, dask, prepare):
    first, second = (read_preprocessing(_fit(prepare(make_table(700), size), tmp_path, dask)) for size in (700, 33))
    assert first.categorical == second.categorical
    for a, b in zip(first.numeric, second.numeric, strict=True):
        assert (a.fill, a.lower, a.upper) == (b.fill, b.lower, b.upper)
        assert (a.center, a.spread) == pytest.approx((b.center, b.spread), rel=1e-12)


def test_a_target_of_one_class_is_refused(tmp_path: Path, dask, prepare):
    table = make_table(300)
    table = table.set_column(table.column_names.index("late"), "late", pa.array([True] * 300))
    with pytest.raises(TrainingError, match="target late: the training split has one class, `true`"):
        _fit(prepare(table), tmp_path, dask)
    assert not (tmp_path / "home" / "preprocessing").exists()


def test_only_columns_without_information_are_refused(tmp_path: Path, dask, prepare):
    config = PreprocessConfig(target="late", include=("empty", "same"))
    with pytest.raises(TrainingError, match="no feature is left"):
        _fit(prepare(make_table(300)), tmp_path, dask, config)


def test_a_target_that_the_contract_lacks_names_the_nearest(tmp_path: Path, dask, prepare):
    with pytest.raises(ConfigError, match=r"target: .*`latte`; did you mean `late`\?"):
        _fit(prepare(make_table(100)), tmp_path, dask, PreprocessConfig(target="latte"))


def test_a_full_disk_leaves_nothing(tmp_path: Path, dask, prepare, monkeypatch):
    prepared = prepare(make_table(300))

    def no_space(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(DiskFullError):
        _fit(prepared, tmp_path, dask)
    assert list((tmp_path / "home" / "preprocessing").iterdir()) == []


def test_cyclic_parts_become_a_sine_and_a_cosine(tmp_path: Path, dask, prepare):
    clean, split = prepare(make_table(300))
    config = CONFIG.model_copy(update={"calendar_numeric": (), "calendar_cyclic": ("month", "hour")})
    constants = read_preprocessing(_fit((clean, split), tmp_path, dask, config))
    names = ["at_month_sin", "at_month_cos", "at_hour_sin", "at_hour_cos"]
    assert [each.name for each in constants.numeric][-4:] == names
    day = pa.array([dt.datetime(2020, 4, 1, 18, tzinfo=dt.UTC), None], pa.timestamp("us", tz="UTC"))
    row = make_table(2).set_column(5, "at", day)
    expected = [[1.0, 0.0, -1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    np.testing.assert_allclose(transform(row, constants).numeric[:, -4:], expected, atol=1e-6)


def test_lost_constants_are_named(tmp_path: Path, dask, prepare):
    ref = _fit(prepare(make_table(300)), tmp_path, dask)
    (Path(ref.path) / "preprocessing.json").unlink()
    with pytest.raises(IntegrityError, match="the fitted constants are gone"):
        read_preprocessing(ref)
