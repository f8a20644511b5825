"""Small contracts and sources for the tests of the data tasks."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_contracts.contract import Column, Contract, KeyRule, LogicalType, RowRule, TableRule
from tasks.data.clean import CleanConfig, run_clean
from tasks.data.ingest import SourceConfig, run_ingest
from tasks.data.partitions import read_manifest, read_partition
from tasks.data.rewrite import rewrite_csv
from tasks.data.sizing import PartitionSize
from tasks.data.validate import ValidateConfig, run_validate
from tasks.engine import DaskConfig
from tasks.references import DatasetRef, ValidationRef


def contract_of(
    columns: dict[str, LogicalType],
    key: tuple[str, ...] = (),
    rules: tuple[RowRule, ...] = (),
    table_rules: tuple[TableRule, ...] = (),
    classified: tuple[str, ...] = (),
) -> Contract:
    """A contract with `type` rules for every column, and the given rules behind them."""
    types_ = tuple(RowRule(id=f"{name}.type", column=name, kind="type") for name in columns)
    return Contract(
        name="small",
        version="1.0.0",
        path="small.odcs.yaml",
        digest="0" * 64,
        columns=tuple(
            Column(
                name=name,
                logical_type=logical_type,
                primary_key_position=key.index(name) + 1 if name in key else None,
                classification="restricted" if name in classified else None,
            )
            for name, logical_type in columns.items()
        ),
        row_rules=types_ + rules,
        key_rules=(KeyRule(id="key", columns=key),) if key else (),
        table_rules=table_rules,
    )


def write_parquet(path: Path, table: pa.Table, row_group: int = 1000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=row_group)
    return path


def ingest(path: Path, contract: Contract, home: Path, dask: DaskConfig) -> DatasetRef:
    """Ingest with every row group a partition of its own, however small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.data.ingest.partition_size", lambda *_: PartitionSize(1, 1_000_000))
        patch.setattr("tasks.data.ingest.rewrite_csv", _rewrite_csv)
        return run_ingest(SourceConfig(path=str(path)), contract, home, dask)


def _rewrite_csv(file, source, columns, folder, rows):
    return rewrite_csv(file, source, columns, folder, 65_536)


def clean_dataset(
    path: Path, contract: Contract, home: Path, dask: DaskConfig, config: CleanConfig | None = None
) -> tuple[DatasetRef, ValidationRef]:
    raw = ingest(path, contract, home, dask)
    validation = run_validate(raw, contract, ValidateConfig(), home, dask)
    return run_clean(raw, validation, contract, config or CleanConfig(), home, dask), validation


def read_all(dataset: DatasetRef) -> pa.Table:
    partitions = read_manifest(dataset).partitions
    return pa.concat_tables([read_partition(Path(dataset.path), each) for each in partitions])


@pytest.fixture(scope="session")
def dask() -> DaskConfig:
    """Where the data work of all tests runs."""
    return DaskConfig(threads=2)
