"""The diabetes sample, its contract and its pipeline."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import data_contracts
import pipelines
from data_contracts.loader import load_contract
from pipelines.check import open_pipeline
from pipelines.samples.diabetes import FILE, write_diabetes
from tasks.data.split import run_split
from tasks.preprocessing.fit import read_preprocessing, run_fit
from tasks.preprocessing.transform import read_features, run_transform
from tests.tasks.data.tables import clean_dataset, dask

__all__ = ["dask"]

CONFIG = Path(pipelines.__file__).parent / "configs" / "diabetes.yaml"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("diabetes")
    write_diabetes(folder)
    return folder / FILE


def test_the_published_table_is_there_with_readable_names(path: Path) -> None:
    table = pq.read_table(path)
    assert table.num_rows == 442
    assert table.slice(0, 1).to_pylist() == [
        {
            "patient": 1, "age": 59, "sex": 2, "body_mass_index": 32.1, "blood_pressure": 101.0,
            "total_cholesterol": 157, "ldl": 93.2, "hdl": 38.0, "cholesterol_ratio": 4.0, "log_triglycerides": 4.8598,
            "blood_sugar": 87, "progression": 151.0,
        }
    ]  # fmt: skip
    assert table.schema.field("progression").type == pa.float64()


def test_writing_twice_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    write_diabetes(tmp_path / "again")
    assert (tmp_path / "again" / FILE).read_bytes() == path.read_bytes()


def test_the_contract_describes_every_column(path: Path) -> None:
    contract = load_contract(Path(data_contracts.__file__).parent / "diabetes.odcs.yaml")
    assert [column.name for column in contract.columns] == pq.read_schema(path).names
    assert all(column.description and column.classification for column in contract.columns)


@pytest.mark.parametrize("problem", ["regression", "quantile"])
def test_the_config_makes_features_of_every_patient(path: Path, tmp_path: Path, dask, problem: str) -> None:
    config, contract = open_pipeline(CONFIG, [f"problem={problem}", "promote.gates.floor={}"])
    clean, _ = clean_dataset(path, contract, tmp_path, dask)
    assert clean.rows == 442
    split = run_split(clean, contract, config.split, tmp_path, dask)
    assert min(split.rows[name] for name in ("validation", "test")) > 60
    fitted = run_fit(clean, split, contract, config.preprocess, tmp_path, dask)
    target = read_preprocessing(fitted).target
    assert (target.problem, target.outputs) == (problem, {"regression": 1, "quantile": 3}[problem])
    features = run_transform(clean, split, fitted, tmp_path, dask)
    train = read_features(features, fitted, "train")[2]
    assert (train.mean(), train.std()) == pytest.approx((0, 1), abs=1e-12)
