"""All data tasks in a row over a small dirty source with known defects, with the real Great Expectations."""

import datetime as dt
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from data_contracts.contract import RowRule, TableRule
from data_contracts.expectations import validation_result
from data_contracts.measurements import Measurements
from tasks.data.accounting import read_accounting
from tasks.data.clean import CleanConfig, run_clean
from tasks.data.outcomes import ValidateConfig, read_outcomes, require_kept
from tasks.data.split import SplitConfig, run_split
from tasks.data.validate import run_validate
from tasks.preprocessing.config import PreprocessConfig
from tasks.preprocessing.fit import read_preprocessing, run_fit
from tasks.preprocessing.transform import read_features, run_transform
from tests.tasks.data.tables import contract_of, ingest, read_all, write_parquet

CONTRACT = contract_of(
    {"id": "integer", "day": "date", "colour": "string", "size": "number", "good": "boolean"},
    key=("id",),
    rules=(
        RowRule(id="colour.enum", column="colour", kind="enum", argument=("red", "green")),
        RowRule(id="size.minimum", column="size", kind="minimum", argument=0),
    ),
    table_rules=(
        TableRule(id="rows", metric="rowCount", operator="mustBeGreaterThan", bound=100),
        TableRule(
            id="nulls", metric="nullValues", columns=("size",), unit="percent", operator="mustBeLessThan", bound=50
        ),
    ),
)
ROWS = 300


def _rows(start: int) -> dict[str, list]:
    numbers = range(start, start + ROWS)
    return {
        "id": list(numbers),
        "day": [dt.date(2013, 1, 1) + dt.timedelta(days=number % 30) for number in numbers],
        "colour": [("red", "green", None)[number % 3] for number in numbers],
        "size": [None if number % 7 == 0 else number / 10 for number in numbers],
        "good": [None if number % 20 == 0 else number % 2 == 0 for number in numbers],
    }


def _write_csv(path: Path) -> None:
    """300 sound rows with five defects: two duplicates, a key conflict (two rows), one bad colour, one torn row."""
    rows = [
        ",".join("" if value is None else str(value) for value in row) for row in zip(*_rows(0).values(), strict=True)
    ]
    rows += [rows[5], rows[5], "7,2013-01-08,red,0.7,true", "9000,2013-01-01,pink,1,true", "torn"]
    path.parent.mkdir(parents=True)
    path.write_text("id,day,colour,size,good\n" + "\n".join(rows) + "\n")


def _write_parquet(path: Path) -> None:
    """300 sound rows, one of which has a size below 0 added, and one exact duplicate in another row group."""
    columns = {name: [*values, values[-1]] for name, values in _rows(1000).items()}
    for name, value in (("id", 9001), ("day", dt.date(2013, 1, 1)), ("colour", "red"), ("size", -1.0), ("good", True)):
        columns[name].append(value)
    write_parquet(path, pa.table(columns), row_group=ROWS)


@pytest.mark.parametrize(
    ("write", "name", "expected"),
    [
        (
            _write_csv,
            "a.csv",
            {"csv.broken_row": 1, "key": 2, "colour.enum": 1, "duplicates": 2, "kept": ROWS - 1},
        ),
        (_write_parquet, "a.parquet", {"size.minimum": 1, "duplicates": 1, "kept": ROWS}),
    ],
)
def test_known_defects_are_found_and_the_rest_becomes_features(tmp_path: Path, dask, write, name, expected):
    write(tmp_path / "src" / name)
    home = tmp_path / "home"
    raw = ingest(tmp_path / "src", CONTRACT, home, dask)
    validation = run_validate(raw, CONTRACT, ValidateConfig(), home, dask)
    assert run_validate(raw, CONTRACT, ValidateConfig(), home, dask) == validation
    require_kept(validation, CONTRACT, ValidateConfig())
    clean = run_clean(raw, validation, CONTRACT, CleanConfig(), home, dask)
    split = run_split(clean, CONTRACT, SplitConfig(method="group", column="day", target="good"), home, dask)
    config = PreprocessConfig(target="good", exclude=("id", "day"))
    preprocessing = run_fit(clean, split, CONTRACT, config, home, dask)
    features = run_transform(clean, split, preprocessing, home, dask)

    accounting = read_accounting(clean, split)
    assert {**accounting.quarantined, "duplicates": accounting.duplicates, "kept": accounting.kept} == expected
    assert accounting.rows_in == sum(expected.values())
    assert accounting.without_target == read_all(clean)["good"].null_count
    outcomes = {outcome.id: outcome for outcome in read_outcomes(validation)}
    assert outcomes["rows"].passed
    assert outcomes["nulls"].passed
    measured = json.loads((Path(validation.path) / "measurements.json").read_text())
    result = validation_result(
        CONTRACT, Measurements.model_validate(measured["measurements"]), measured["beyond_first"]
    )
    assert result["success"] is False
    assert result["statistics"]["evaluated_expectations"] > 0
    quarantine = ds.dataset(Path(validation.path) / "quarantine").to_table()
    assert quarantine.num_rows == sum(accounting.quarantined.values())
    assert set(quarantine["source_file"].to_pylist()) == {name}
    assert [feature.name for feature in read_preprocessing(preprocessing).numeric] == ["size", "size_is_null"]
    numeric, categorical, target = read_features(features, preprocessing, "test")
    assert numeric.shape == (split.rows["test"], 2)
    assert categorical.shape == (split.rows["test"], 1)
    assert set(target.tolist()) == {0, 1}
