"""Options through fit and transform on a small dataset in partitions, as a run does it."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from data_contracts.generate import generate_records
from tasks.data.partitions import read_manifest, read_partition
from tasks.data.split import SplitConfig, read_split, run_split
from tasks.errors import TrainingError
from tasks.preprocessing.config import PreprocessConfig
from tasks.preprocessing.fit import read_out_of_fold, read_preprocessing, run_fit
from tasks.preprocessing.transform import read_features, run_transform, transform
from tests.tasks.data.tables import clean_dataset, contract_of, write_parquet
from tests.tasks.export.test_option_graphs import assert_graph_agrees

CONTRACT = contract_of(
    {"id": "integer", "size": "number", "mass": "number", "gate": "integer", "word": "string", "late": "boolean"},
    key=("id",),
)
ROWS = 900


def _table() -> pa.Table:
    random = np.random.default_rng(1)
    size = random.lognormal(size=ROWS)
    mass = 3 * size + random.normal(scale=0.1, size=ROWS)
    late = random.random(ROWS) < 0.3
    words = np.where(late, "red", np.array(["red", "green", "blue", "grey"])[random.integers(0, 4, ROWS)])
    size[::60] = 500.0
    return pa.table(
        {
            "id": pa.array(range(ROWS)),
            "size": pa.array(size, mask=random.random(ROWS) < 0.1),
            "mass": pa.array(mass, mask=random.random(ROWS) < 0.2),
            "gate": pa.array(random.integers(0, 4, ROWS), mask=random.random(ROWS) < 0.1),
            "word": pa.array(words, mask=random.random(ROWS) < 0.1),
            "late": pa.array(late),
        }
    )


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, dask):
    folder = tmp_path_factory.mktemp("options")
    path = write_parquet(folder / "src" / "a.parquet", _table(), row_group=200)
    clean, _ = clean_dataset(path, CONTRACT, folder / "home", dask)
    split = run_split(clean, CONTRACT, SplitConfig(target="late"), folder / "home", dask)
    return clean, split, folder / "home", dask


@pytest.fixture
def run(prepared):
    def _run(**options):
        clean, split, home, dask = prepared
        config = PreprocessConfig(**{"target": "late", "exclude": ("id",), "categories": {"min_count": 1}, **options})
        preprocessing = run_fit(clean, split, CONTRACT, config, home, dask)
        return preprocessing, run_transform(clean, split, preprocessing, home, dask)

    return _run


def _rows(prepared, name):
    return pa.concat_tables(read_split(prepared[0], prepared[1], name, CONTRACT_COLUMNS))


CONTRACT_COLUMNS = [column.name for column in CONTRACT.columns]


def _whole(features, split):
    parts = [read_partition(features.folder, part) for part in read_manifest(features).of_split(split)]
    return pa.concat_tables(parts)


def test_each_column_is_dealt_with_as_it_says(prepared, run):
    preprocessing, features = run(
        columns={
            "size": {"outliers": {"method": "range", "lower": 0, "upper": 50, "action": "null"}, "impute": "mean"},
            "mass": {"impute": "chained", "scale": "robust"},
            "gate": {"impute": "mode", "scale": "min-max", "indicator": False},
            "word": {"impute": {"constant": "none"}, "encode": "one-hot"},
        },
        count_repairs=True,
        keep=("id",),
    )
    constants = read_preprocessing(preprocessing)
    assert [each.name for each in constants.numeric] == [
        "size",
        "size_is_null",
        "mass",
        "mass_is_null",
        "gate",
        *(f"word={value}" for value in ("blue", "green", "grey", "none", "red")),
    ]
    for name in ("train", "validation", "test"):
        rows = _rows(prepared, name)
        numeric, categorical, target = read_features(features, preprocessing, name)
        np.testing.assert_array_equal(numeric, transform(rows, constants).numeric)
        assert categorical.shape == (len(rows), 0)
        assert target.tolist() == [int(late) for late in rows["late"].to_pylist()]
        whole = _whole(features, name)
        assert whole["id"].to_pylist() == rows["id"].to_pylist()
        raw = {each: rows[each].to_numpy(zero_copy_only=False).astype(float) for each in ("size", "mass", "gate")}
        missing = np.isnan(raw["size"]).astype(int) + (raw["size"] > 50) + np.isnan(raw["mass"]) + np.isnan(raw["gate"])
        assert whole["n_imputed"].to_pylist() == missing.tolist()
        assert whole.schema.field("n_clipped").type == pa.int16()
    train = _rows(prepared, "train")
    size = train["size"].to_numpy(zero_copy_only=False)
    assert constants.numeric[0].fill == pytest.approx(size[size <= 50].mean())
    imputed = transform(train, constants).numeric[:, 2] * constants.numeric[2].spread + constants.numeric[2].center
    gone, known = train["mass"].is_null().to_numpy(), size < 50
    error = np.abs(imputed[gone & known] - 3 * size[gone & known])
    assert error.mean() < 0.3 * np.nanstd(train["mass"].to_numpy(zero_copy_only=False))


def test_quarantined_rows_leave_the_training_split_alone_and_are_counted(prepared, run):
    fence = {"method": "range", "lower": 0, "upper": 50, "action": "quarantine"}
    preprocessing, features = run(columns={"size": {"outliers": fence}})
    counted = json.loads((features.folder / "quarantine.json").read_text())
    sizes = {name: _rows(prepared, name)["size"].to_numpy(zero_copy_only=False) for name in ("train", "test")}
    gone = int((sizes["train"] > 50).sum())
    assert counted == {"rows": gone, "size": gone}
    assert gone > 0
    assert len(read_features(features, preprocessing, "train")[2]) == len(sizes["train"]) - gone
    assert len(read_features(features, preprocessing, "test")[2]) == len(sizes["test"])
    train = read_features(features, preprocessing, "train")[0][:, 0]
    assert train.mean() == pytest.approx(0, abs=1e-5)


def test_a_forest_quarantines_about_its_share_of_training(prepared, run):
    preprocessing, features = run(row_outliers={"action": "quarantine", "contamination": 0.05, "trees": 10})
    constants = read_preprocessing(preprocessing)
    assert all(each.kind != "row_outlier" for each in constants.numeric)
    counted = json.loads((features.folder / "quarantine.json").read_text())
    train = prepared[1].rows["train"]
    assert counted["rows"] == counted["isolation_forest"]
    assert counted["rows"] / train == pytest.approx(0.05, abs=0.03)
    assert len(read_features(features, preprocessing, "train")[2]) == train - counted["rows"]


def test_training_rows_are_target_encoded_without_their_own_class(prepared, run):
    preprocessing, features = run(columns={"word": {"encode": {"method": "target", "folds": 4, "smoothing": 1}}})
    constants = read_preprocessing(preprocessing)
    tables = read_out_of_fold(preprocessing)["word"]
    assert tables.shape == (4, 1, constants.encodings[0].category.cardinality)
    index = [each.name for each in constants.numeric].index("word_target")
    test = read_features(features, preprocessing, "test")[0][:, index]
    np.testing.assert_array_equal(test, transform(_rows(prepared, "test"), constants).numeric[:, index])
    train = read_features(features, preprocessing, "train")[0][:, index]
    served = transform(_rows(prepared, "train"), constants).numeric[:, index]
    assert (train != served).mean() > 0.9
    np.testing.assert_allclose(train, served, atol=0.15)
    assert len(np.unique(train)) > len(np.unique(served))


@pytest.mark.parametrize("method", ["frequency", "hashing"])
def test_encodings_of_the_vocabulary(prepared, run, method):
    preprocessing, features = run(columns={"word": {"encode": {"method": method, "buckets": 3}}})
    constants = read_preprocessing(preprocessing)
    numeric = read_features(features, preprocessing, "train")[0]
    train = _rows(prepared, "train")["word"].to_pylist()
    names = [each.name for each in constants.numeric]
    if method == "frequency":
        shares = [np.float32(train.count(word) / len(train)) for word in train]
        assert numeric[:, names.index("word_frequency")].tolist() == shares
        return
    columns = [names.index(f"word_bucket_{bucket}") for bucket in range(3)]
    for word in ("red", "green", None):
        rows = numeric[[each == word for each in train]][:, columns]
        assert (rows == rows[0]).all()
        assert rows[0].sum() == (word is not None)
    row = pa.table({"size": [0.0], "mass": [0.0], "gate": [0], "word": ["never"]})
    unseen = transform(row, constants).numeric
    assert unseen[0, names.index("word_unseen")] == 1.0


def test_fitting_again_gives_the_same_bytes(run):
    options = {
        "numeric": {"impute": "chained", "scale": "yeo-johnson"},
        "categories": {"encode": "target", "min_count": 1},
        "row_outliers": {"action": "flag", "trees": 5},
        "exact": True,
    }
    assert run(**options) == run(**options)


def test_exact_constants_of_a_column_of_many_values(tmp_path: Path, dask):
    random = np.random.default_rng(4)
    contract = contract_of({"id": "integer", "x": "number", "late": "boolean"}, key=("id",))
    rows = 60_000
    values = random.lognormal(size=rows)
    table = pa.table({"id": range(rows), "x": pa.array(values, mask=random.random(rows) < 0.1), "late": values > 1})
    path = write_parquet(tmp_path / "src" / "a.parquet", table, row_group=20_000)
    clean, _ = clean_dataset(path, contract, tmp_path / "home", dask)
    split = run_split(clean, contract, SplitConfig(target="late"), tmp_path / "home", dask)
    train = pa.concat_tables(read_split(clean, split, "train", ["x"]))["x"].to_numpy(zero_copy_only=False)
    known = train[~np.isnan(train)]
    low, high = np.quantile(known, [0.25, 0.75])
    clipped = np.clip(
        np.where(np.isnan(train), np.median(known), train), 2.5 * low - 1.5 * high, 2.5 * high - 1.5 * low
    )
    expected = [np.median(known), 2.5 * low - 1.5 * high, 2.5 * high - 1.5 * low, clipped.mean(), clipped.std()]
    for exact, tolerance in ((True, 1e-9), (False, 1e-2)):
        config = PreprocessConfig(target="late", exclude=("id",), numeric={"outliers": "iqr"}, exact=exact)
        feature = read_preprocessing(run_fit(clean, split, contract, config, tmp_path / "home", dask)).numeric[0]
        found = [feature.fill, feature.lower, feature.upper, feature.center, feature.spread]
        np.testing.assert_allclose(found, expected, rtol=tolerance)
    sketched = read_preprocessing(run_fit(clean, split, contract, config, tmp_path / "home", dask)).numeric[0]
    assert sketched.fill != expected[0]


def test_options_that_the_values_do_not_bear_are_refused(run):
    fence = {"method": "range", "lower": -5, "upper": 2}
    with pytest.raises(TrainingError, match="feature gate: scale log1p is the logarithm of 1"):
        run(columns={"gate": {"outliers": fence, "impute": {"constant": -1.0}, "scale": "log1p"}})


@pytest.mark.parametrize("scale", ["standard", "robust", "max-abs", "log1p", "quantile", "yeo-johnson", "none"])
def test_the_graph_of_fitted_options_agrees_on_generated_records(run, scale):
    method = {"log1p": "iqr", "quantile": "mad", "none": "zscore"}.get(scale, "quantile")
    actions = ["clip", "null", "flag", "quarantine"]
    preprocessing, _ = run(
        numeric={"impute": "chained", "scale": {"method": scale, "to": "normal"}, "indicator": True},
        columns={
            "size": {"outliers": {"method": method, "action": actions[len(scale) % 4]}},
            "mass": {"outliers": {"method": "range", "lower": -0.5, "upper": 30}},
            "gate": {"outliers": {"method": "range", "lower": 0, "upper": 2, "action": "null"}},
            "word": {"encode": {"standard": "hashing", "robust": "target", "none": "one-hot"}.get(scale, "frequency")},
        },
        row_outliers={"action": "flag", "trees": 10},
    )
    constants = read_preprocessing(preprocessing)
    names = list(constants.columns)
    records = generate_records(CONTRACT, names, 500, 3)
    assert_graph_agrees(constants, pa.concat_tables([records, _table().select(names)]), CONTRACT)
