"""Every method end to end: real split, real transform, real augmentation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from tasks.augmentation.accounting import read_augmentation
from tasks.augmentation.augment import run_augment
from tasks.augmentation.config import AugmentConfig
from tasks.augmentation.rows import AUGMENTED, PARENT, PARENT_2, Matrices
from tasks.data.partitions import read_manifest
from tasks.engine import DaskConfig
from tasks.errors import ConfigError, IntegrityError, TrainingError
from tasks.preprocessing.constants import FIRST_CODE, NULL
from tasks.preprocessing.transform import read_features
from tasks.references import DatasetRef
from tasks.storage import place
from tests.tasks.augmentation.problem import CLASSES, Problem, train_table, with_column
from tests.tasks.training.fixtures import write_constants

NOISE = {"noise": {"share": 0.2, "swap": 0.1, "copies": 2}}
ASKED: dict[str, dict[str, Any]] = {
    "over": {"balance": {"method": "over"}},
    "under": {"balance": {"method": "under"}},
    "noise": NOISE,
    "over and noise": {"balance": {"method": "over"}, **NOISE},
    "smote": {"balance": {"method": "smote"}},
    "smotenc": {"balance": {"method": "smotenc"}},
    "smotenc and noise": {"balance": {"method": "smotenc", "neighbors": 3}, **NOISE},
    "adasyn": {"balance": {"method": "adasyn"}},
}


def _problem(name: str, request: pytest.FixtureRequest) -> Problem:
    found: Problem = request.getfixturevalue("numbers" if name in {"smote", "adasyn"} else "mixed")
    return found


def _augment(problem: Problem, asked: dict[str, Any], home: Path, dask: DaskConfig) -> DatasetRef:
    config = AugmentConfig.model_validate(asked)
    return run_augment(problem.features, problem.preprocessing, config, home, dask)


@pytest.fixture(params=ASKED)
def augmented(request: pytest.FixtureRequest, home: Path, dask: DaskConfig) -> tuple[str, Problem, DatasetRef]:
    problem = _problem(request.param, request)
    return request.param, problem, _augment(problem, ASKED[request.param], home, dask)


def test_no_row_has_a_parent_elsewhere(augmented: tuple[str, Problem, DatasetRef]) -> None:
    name, problem, new = augmented
    table, before = train_table(new), problem.train
    parent, second = table[PARENT].to_numpy(), table[PARENT_2].to_numpy()
    made = table[AUGMENTED].to_numpy(zero_copy_only=False)
    assert parent.min() >= 0
    assert parent.max() < len(before.target)
    interpolated = second >= 0
    assert interpolated.any() == name.startswith(("smote", "adasyn"))
    assert second.max() < len(before.target)
    after = Matrices.of(table, problem.constants)
    assert (after.target == before.target[parent]).all()
    assert (after.target[interpolated] == before.target[second[interpolated]]).all()
    # What is not augmented is a training row as it was, each at most once; a repeated row is its parent.
    same = ~made if "noise" in name or interpolated.any() else np.ones(len(made), dtype=bool)
    assert (after.numeric[same] == before.numeric[parent[same]]).all()
    assert (after.codes[same] == before.codes[parent[same]]).all()
    assert len(np.unique(parent[~made])) == (~made).sum()
    if name != "under":
        assert (~made).sum() == len(before.target)


def test_the_other_splits_are_the_same_files(augmented: tuple[str, Problem, DatasetRef]) -> None:
    _, problem, new = augmented
    old, manifest = read_manifest(problem.features), read_manifest(new)
    for split in ("validation", "test"):
        assert manifest.of_split(split) == old.of_split(split)
        for partition in manifest.of_split(split):
            ours, theirs = Path(new.path) / partition.path, Path(problem.features.path) / partition.path
            assert ours.samefile(theirs)
            assert manifest.digests[partition.path] == old.digests[partition.path]
    numeric, _, target = read_features(new, problem.preprocessing, "train")
    assert len(numeric) == len(target) == sum(partition.rows for partition in manifest.of_split("train"))


def test_values_stay_those_that_a_row_can_have(augmented: tuple[str, Problem, DatasetRef]) -> None:
    _, problem, new = augmented
    after, before = Matrices.of(train_table(new), problem.constants), problem.train
    assert np.isfinite(after.numeric).all()
    assert (after.numeric.min(axis=0) >= before.numeric.min(axis=0)).all()
    assert (after.numeric.max(axis=0) <= before.numeric.max(axis=0)).all()
    assert set(after.numeric[:, problem.position("y_is_null")]) == {0.0, 1.0}
    assert len(np.unique(after.numeric[:, problem.position("flag")])) == 2
    for column in range(after.codes.shape[1]):
        assert set(after.codes[:, column]) <= set(before.codes[:, column])
        assert after.codes[:, column].min() in {NULL, *range(FIRST_CODE, 100)}


def test_classes_are_as_asked_and_accounted_for(augmented: tuple[str, Problem, DatasetRef]) -> None:
    name, problem, new = augmented
    before = np.bincount(problem.train.target)
    after = np.bincount(Matrices.of(train_table(new), problem.constants).target)
    copies = 3 if "noise" in name else 1
    wanted = {"under": np.full(3, before.min()), "noise": before}.get(name, np.full(3, before.max())) * copies
    # ADASYN rounds the new rows of every parent by themselves.
    assert np.abs(after - wanted).max() <= (0.1 * before.max() if name == "adasyn" else 0)
    accounting = read_augmentation(new)
    assert accounting.before == dict(zip(CLASSES, before.tolist(), strict=True))
    assert accounting.after == dict(zip(CLASSES, after.tolist(), strict=True))
    assert set(accounting.added) == (set(name.split(" and ")) - {"under"})
    assert set(accounting.left_out) == ({"under"} if name == "under" else set())


@pytest.mark.parametrize("name", ["smote", "smotenc", "adasyn"])
def test_interpolated_rows_lie_between_their_parents(
    name: str, request: pytest.FixtureRequest, home: Path, dask: DaskConfig
) -> None:
    problem = _problem(name, request)
    table, before = train_table(_augment(problem, ASKED[name], home, dask)), problem.train
    table = table.filter(table[AUGMENTED])
    first, second = (before.numeric[table[column].to_numpy()] for column in (PARENT, PARENT_2))
    made = Matrices.of(table, problem.constants).numeric
    assert (made >= np.minimum(first, second)).all()
    assert (made <= np.maximum(first, second)).all()
    between = (made != first) & (made != second)
    assert between.any(axis=0).sum() == 2, "x and y vary; what has two values is a parent's"
    assert (table[PARENT].to_numpy() != table[PARENT_2].to_numpy()).all()


@pytest.mark.parametrize("asked", [{"balance": {"method": "smote"}, **NOISE}, ASKED["adasyn"]])
def test_a_row_has_one_colour(asked: dict[str, Any], numbers: Problem, home: Path, dask: DaskConfig) -> None:
    colours = [numbers.position(feature.name) for feature in numbers.constants.numeric if feature.kind == "encoded"]
    after = Matrices.of(train_table(_augment(numbers, asked, home, dask)), numbers.constants)
    assert len(colours) == 4
    assert (after.numeric[:, colours].sum(axis=1) == 1).all()
    assert set(np.unique(after.numeric[:, colours])) == {0.0, 1.0}


@pytest.mark.parametrize("name", ["over and noise", "under", "smotenc and noise"])
def test_workers_change_nothing(name: str, mixed: Problem, tmp_path: Path, dask: DaskConfig) -> None:
    expected = _augment(mixed, ASKED[name], tmp_path / "one", DaskConfig(threads=1))
    assert _augment(mixed, ASKED[name], tmp_path / "two", dask).digest == expected.digest
    other = {key: {**section, "seed": 1} for key, section in ASKED[name].items()}
    assert _augment(mixed, other, tmp_path / "two", dask).digest != expected.digest


def test_an_object_store_gets_copies(mixed: Problem, dask: DaskConfig) -> None:
    home = place("memory://augmented")
    there = with_column(mixed.features, home, "origin", pa.int64())
    for features in (mixed.features, there):
        config = AugmentConfig.model_validate(ASKED["under"])
        new = run_augment(features, mixed.preprocessing, config, home, dask)
        for name in ("validation", "test"):
            for partition in read_manifest(new).of_split(name):
                original = (features.folder / partition.path).read_bytes()
                assert (new.folder / partition.path).read_bytes() == original


def test_an_augmented_dataset_is_not_augmented_again(
    mixed: Problem, home: Path, dask: DaskConfig, tmp_path: Path
) -> None:
    once = replace(mixed, features=_augment(mixed, ASKED["under"], home, dask))
    with pytest.raises(IntegrityError, match="is augmented already"):
        _augment(once, NOISE, home, dask)
    named = replace(mixed, features=with_column(mixed.features, tmp_path, PARENT, pa.int64()))
    with pytest.raises(ConfigError, match="a column is named `_parent`, which augmentation writes\n  do: rename"):
        _augment(named, NOISE, home, dask)


def test_noise_is_as_strong_as_asked(mixed: Problem, home: Path, dask: DaskConfig) -> None:
    asked = {"noise": {"share": 0.1, "swap": 0.25}}
    table, before = train_table(_augment(mixed, asked, home, dask)), mixed.train
    noisy = Matrices.of(table.filter(table[AUGMENTED]), mixed.constants)
    moved = (noisy.numeric - before.numeric)[:, mixed.position("x")]
    assert np.std(moved) == pytest.approx(0.1 * before.numeric[:, mixed.position("x")].std(), rel=0.1)
    assert abs(np.mean(moved)) < 0.02
    # A swapped code is drawn by frequency, and so may be the same.
    for column in range(before.codes.shape[1]):
        shares = np.bincount(before.codes[:, column]) / len(before.codes)
        expected = 0.25 * (1 - np.square(shares).sum())
        assert np.mean(noisy.codes[:, column] != before.codes[:, column]) == pytest.approx(expected, abs=0.04)


def test_shares_by_class(mixed: Problem, home: Path, dask: DaskConfig) -> None:
    asked = {"balance": {"method": "over", "ratio": {"rare": 0.3}}}
    after = read_augmentation(_augment(mixed, asked, home, dask))
    assert after.after["rare"] / sum(after.after.values()) == pytest.approx(0.3, abs=0.001)
    assert after.after["common"] == after.before["common"]


def test_nothing_asked_is_the_same_dataset(mixed: Problem, home: Path, dask: DaskConfig) -> None:
    assert _augment(mixed, {}, home, dask) == mixed.features
    assert _augment(mixed, {"when": "batch", "noise": {}}, home, dask) == mixed.features
    assert not home.exists()


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({"method": "smote"}, ConfigError, r"smote interpolates numbers, and 2 features are categories \(colour, day"),
        ({"method": "adasyn"}, ConfigError, "do: take method smotenc"),
        ({"method": "smotenc", "max_rows": 500}, ConfigError, r"max_rows: smotenc would hold \d+ rows in memory, at"),
        ({"method": "smotenc", "neighbors": 400}, TrainingError, "class `rare` of `kind` has .* training rows"),
        ({"method": "over", "ratio": {"raer": 0.3}}, ConfigError, "`raer` is no class of `kind`.*common, rare, seldom"),
        ({"method": "over", "ratio": {"common": 0.1}}, ConfigError, r"would need fewer, (?s:.*) method `under`"),
        ({"method": "under", "ratio": {"rare": 0.4}}, ConfigError, "would need more"),
        ({"method": "under", "ratio": {"common": 0.0001}}, ConfigError, "no row left"),
        ({"method": "over", "ratio": dict.fromkeys(CLASSES, 0.3)}, ConfigError, "add up to 0.9"),
        ({"method": "over", "ratio": {"rare": 0.5, "seldom": 0.5}}, ConfigError, "`kind` has 1 more"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    asked: dict[str, Any], error: type[Exception], message: str, mixed: Problem, home: Path, dask: DaskConfig
) -> None:
    with pytest.raises(error, match=message):
        _augment(mixed, {"balance": asked}, home, dask)
    assert list(home.rglob("*.parquet")) == []


def test_smotenc_without_categories_or_numbers_names_what_fits(
    numbers: Problem, mixed: Problem, home: Path, dask: DaskConfig, tmp_path: Path
) -> None:
    asked = {"balance": {"method": "smotenc"}}
    with pytest.raises(ConfigError, match="no feature is one\n  do: take method smote, adasyn, over or under"):
        _augment(numbers, asked, home, dask)
    only = mixed.constants.model_copy(update={"numeric": ()})
    codes = replace(mixed, preprocessing=write_constants(tmp_path / "codes", only))
    with pytest.raises(ConfigError, match="every feature is a category\n  do: take method over or under"):
        _augment(codes, asked, home, dask)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"when": "batch", "balance": {"method": "smote"}}, "looks for neighbours among all rows"),
        ({"when": "batch", "noise": {"copies": 2}}, "noise.copies is 2"),
        ({"noise": {"share": 0}}, "no noise"),
        ({"balance": {"method": "smoot"}}, "smotenc"),
        ({"balance": {"method": "over", "ratio": {}}}, "at least one class"),
        ({"balance": {"method": "over", "ratio": {"a": 0.7, "b": 0.7}}}, "together at most 1, got 1.4"),
        ({"balance": {"method": "over", "ratio": {"a": -1}}}, "greater than 0"),
        ({"balance": {"neighbors": 0}}, "greater than 0"),
    ],
)
def test_a_config_that_cannot_be_is_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        AugmentConfig.model_validate(asked)


def test_columns_that_are_no_features_are_carried(mixed: Problem, home: Path, dask: DaskConfig, tmp_path: Path) -> None:
    carried = with_column(mixed.features, tmp_path, "origin", pa.int64())
    asked = AugmentConfig.model_validate(ASKED["smotenc and noise"])
    table = train_table(run_augment(carried, mixed.preprocessing, asked, home, dask))
    interpolated = table[PARENT_2].to_numpy() >= 0
    origin = table["origin"].to_pylist()
    for parent, value, made in zip(table[PARENT].to_pylist(), origin, interpolated, strict=True):
        assert value == (None if made else parent)
