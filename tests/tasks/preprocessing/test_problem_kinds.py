"""From a source to tensors, for each kind of problem."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from tasks.augmentation.accounting import read_augmentation
from tasks.augmentation.augment import run_augment
from tasks.augmentation.config import AugmentConfig
from tasks.data.partitions import read_manifest
from tasks.data.split import SplitConfig, read_split, run_split
from tasks.preprocessing.config import PreprocessConfig
from tasks.preprocessing.fit import read_out_of_fold, read_preprocessing, run_fit
from tasks.preprocessing.transform import read_features, run_transform
from tasks.training import splits
from tests.tasks.data.tables import clean_dataset, contract_of, write_parquet

CONTRACT = contract_of(
    {"id": "integer", "size": "number", "word": "string", "rooms": "integer", "price": "number"}
    | dict.fromkeys(["garden", "cellar"], "boolean"),
    key=("id",),
)
ROWS = 600
FEATURES = {"include": ("size", "word"), "columns": {"word": {"encode": "target", "min_count": 5}}}


@pytest.fixture(scope="module")
def table() -> pa.Table:
    random = np.random.default_rng(0)
    size, word = random.normal(size=ROWS), random.integers(0, 3, ROWS)
    return pa.table(
        {
            "id": np.arange(ROWS),
            "size": size,
            "word": np.array(["red", "green", "blue"])[word],
            "rooms": random.integers(1, 9, ROWS),
            "price": pa.array(1e5 + 3e4 * size + 2e4 * word, mask=random.random(ROWS) < 0.1),
            "garden": pa.array(random.random(ROWS) < 0.2 + 0.3 * word, mask=random.random(ROWS) < 0.1),
            "cellar": random.random(ROWS) < 0.5,
        }
    )


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory: pytest.TempPathFactory, table: pa.Table, dask):
    home = tmp_path_factory.mktemp("kinds")
    return home, clean_dataset(write_parquet(home / "a.parquet", table, 150), CONTRACT, home, dask)[0]


def prepare(cleaned: Any, dask: Any, **problem: Any):
    home, clean = cleaned
    config = PreprocessConfig.model_validate({**FEATURES, **problem})
    split = run_split(clean, CONTRACT, SplitConfig(target=config.target), home, dask)
    fitted = run_fit(clean, split, CONTRACT, config, home, dask)
    features = run_transform(clean, split, fitted, home, dask)
    rows = pa.concat_tables(read_split(clean, split, "train", ["word", *config.targets]))
    return features, fitted, rows, split


@pytest.mark.parametrize("problem", [{"problem": "regression"}, {"problem": "quantile", "quantiles": [0.5, 0.9]}])
@pytest.mark.parametrize("column", ["price", "rooms"])
def test_a_number_comes_standardized(
    cleaned: Any, dask: Any, table: pa.Table, column: str, problem: dict[str, Any]
) -> None:
    features, fitted, rows, split = prepare(cleaned, dask, target=column, **problem)
    constants, raw = read_preprocessing(fitted), rows[column].to_numpy().astype(np.float64)
    assert (constants.target.problem, constants.target.outputs) == (
        problem["problem"],
        len(problem.get("quantiles", [0])),
    )
    assert (constants.target.center, constants.target.spread) == pytest.approx((raw.mean(), raw.std()), rel=1e-12)
    assert read_manifest(features).columns["target"] == "double"
    np.testing.assert_array_equal(
        read_features(features, fitted, "train")[2], (raw - constants.target.center) / constants.target.spread
    )
    train = splits.read_split(features, fitted, "train")
    assert (train.target.dtype, train.target.shape) == (torch.float32, (split.rows["train"],))
    splits.require_trainable(train, constants)
    described = json.loads((fitted.folder / "reference.json").read_text())["target"]
    assert described[column]["mean"] == constants.target.center
    assert split.rows["without_target"] == table[column].null_count


def test_labels_come_as_a_column_each(cleaned: Any, dask: Any, table: pa.Table) -> None:
    features, fitted, rows, split = prepare(cleaned, dask, target=["garden", "cellar"])
    assert split.rows["without_target"] == table["garden"].null_count
    types = read_manifest(features).columns
    assert [types[name] for name in ("target_0", "target_1")] == ["float", "float"]
    train = splits.read_split(features, fitted, "train")
    assert (train.target.dtype, train.target.shape) == (torch.float32, (split.rows["train"], 2))
    expected = np.stack([rows[name].to_numpy() for name in ("garden", "cellar")], axis=1)
    np.testing.assert_array_equal(train.target.numpy(), expected)
    splits.require_trainable(train, read_preprocessing(fitted))
    described = json.loads((fitted.folder / "reference.json").read_text())["target"]
    assert sum(described["cellar"]["values"].values()) == split.rows["train"]


@pytest.mark.parametrize("target", ["price", ("garden", "cellar")])
def test_a_category_is_encoded_by_the_mean_of_the_target(cleaned: Any, dask: Any, target: Any) -> None:
    _, fitted, rows, _ = prepare(cleaned, dask, target=target)
    encoding = read_preprocessing(fitted).encodings[0]
    names = ("word_target",) if target == "price" else ("word_target_garden", "word_target_cellar")
    assert encoding.outputs == names
    words = rows["word"].to_numpy()
    for values, column in zip(encoding.values, [target] if target == "price" else target, strict=True):
        raw = rows[column].to_numpy().astype(np.float64)
        raw = (raw - raw.mean()) / raw.std() if target == "price" else raw
        for value, word in zip(values[3:], encoding.category.vocabulary, strict=True):
            mine = raw[words == word]
            assert value == pytest.approx((mine.sum() + 20 * raw.mean()) / (len(mine) + 20), abs=1e-9)
    folds = read_out_of_fold(fitted)["word"]
    assert folds.shape == (5, len(names), 6)
    assert not np.array_equal(folds[0], folds[1])


@pytest.mark.parametrize("target", ["price", ("garden", "cellar")])
def test_noise_needs_no_classes(cleaned: Any, dask: Any, target: Any) -> None:
    features, fitted, _, split = prepare(cleaned, dask, target=target)
    config = AugmentConfig.model_validate({"noise": {"share": 0.1, "copies": 2}})
    noisy = run_augment(features, fitted, config, cleaned[0], dask)
    found = read_augmentation(noisy)
    rows = split.rows["train"]
    assert (found.before, found.added, found.after) == ({"all": rows}, {"noise": {"all": 2 * rows}}, {"all": 3 * rows})
    before, after = (read_features(each, fitted, "train")[2] for each in (features, noisy))
    np.testing.assert_array_equal(np.sort(after, axis=0), np.sort(np.concatenate([before] * 3), axis=0))
