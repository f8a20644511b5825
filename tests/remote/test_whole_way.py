"""From a source in a bucket to a model that is served from a bucket, with the digests of a local disk."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from data_contracts.loader import load_contract
from serving.bundle.places import RemotePath
from serving.bundle.read import open_bundle
from serving.bundle.store import ModelStore
from tasks.data.ingest import run_ingest
from tasks.data.sources import SourceConfig, list_files
from tasks.engine import DaskConfig
from tasks.errors import DataError
from tasks.promotion.promote import Promotion
from tasks.promotion.server_process import serving_process
from tests.end_to_end.customers import write_project
from tests.remote.conftest import new_bucket
from tests.remote.pieces import digests, make_data, make_model
from tests.tasks.data.tables import dask

__all__ = ["dask"]

NO_FLOOR = "promote.gates.floor={}"


@dataclass(frozen=True)
class Made:
    """What came of one whole way."""

    home: Any
    data: dict[str, Any]
    model: dict[str, Any]
    promotion: Promotion


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    write_project(folder, rows=5000)
    return folder


@pytest.fixture(scope="module")
def local(project: Path, dask: DaskConfig) -> Made:
    return whole_way(project, project / "home", dask)


@pytest.fixture(scope="module")
def remote(project: Path, dask: DaskConfig, s3_variables: dict[str, str]) -> Made:
    bucket = new_bucket()
    (bucket / "raw" / "customers.csv").write_bytes((project / "customers.csv").read_bytes())
    return whole_way(project, bucket / "home", dask, f"source.path={bucket / 'raw' / 'customers.csv'}")


def whole_way(project: Path, home: Path, dask: DaskConfig, *settings: str) -> Made:
    data = make_data(project, home, dask, *settings)
    return Made(home, data, *make_model(project, home, data, NO_FLOOR, *settings))


def test_a_bucket_gives_the_digests_of_a_local_disk(local: Made, remote: Made) -> None:
    assert digests(remote.data) == digests(local.data)
    assert digests(remote.model) == digests(local.model)
    assert remote.promotion.digest == local.promotion.digest
    assert all(str(ref.path).startswith("s3://") for ref in (*remote.data.values(), *remote.model.values()))


def test_nothing_temporary_and_nothing_half_stays_in_the_bucket(remote: Made) -> None:
    objects = [path.relative_to(remote.home).parts for path in remote.home.rglob("*")]
    assert not [parts for parts in objects if any(part.startswith(".tmp-") for part in parts)]
    folders = {parts[:2] for parts in objects if parts[0] not in {"models", "training"}}
    assert {(*folder, ".whole") for folder in folders} <= set(objects)


def test_the_bucket_serves_the_model(remote: Made, local: Made, tmp_path: Path) -> None:
    store = ModelStore(remote.home / "models")
    assert (store.models(), store.versions("churn")) == (("churn",), ("1",))
    assert store.champion("churn").digest == local.promotion.digest
    assert open_bundle(store.bundle_path("churn", "1")).digest == local.promotion.digest
    with serving_process(store.root, tmp_path / "log") as server:
        port = server.wait_until_ready("churn", 60)
        assert b'"versions":["1"]' in server._call(port, "GET", "/v2/models/churn")


def test_the_same_way_again_adds_nothing(project: Path, dask: DaskConfig, remote: Made) -> None:
    before = list(remote.home.rglob("*"))
    source = f"source.path={remote.home.parent / 'raw' / '*.csv'}"
    assert digests(make_data(project, remote.home, dask, source)) == digests(remote.data)
    assert list(remote.home.rglob("*")) == before


@pytest.mark.parametrize("kind", ["parquet", "csv.gz"])
def test_a_folder_and_a_pattern_name_the_same_files(
    project: Path, dask: DaskConfig, bucket: RemotePath, tmp_path: Path, kind: str
) -> None:
    contract = load_contract(project / "customers.odcs.yaml")
    rows = pa_csv.read_csv(
        project / "customers.csv", parse_options=pa_csv.ParseOptions(invalid_row_handler=lambda _: "skip")
    )
    for index, start in enumerate((0, 2000)):
        part = tmp_path / "raw" / f"part={index}" / f"rows.{kind}"
        part.parent.mkdir(parents=True)
        if kind == "parquet":
            pq.write_table(rows.slice(start, 2000), part, row_group_size=700)
        else:
            with gzip.open(part, "wb") as file:
                pa_csv.write_csv(rows.slice(start, 2000), file)
        (bucket / part.relative_to(tmp_path)).write_bytes(part.read_bytes())
    (bucket / "raw" / "_SUCCESS").write_bytes(b"")
    sources = [str(place / "raw") for place in (tmp_path, bucket)] + [f"{bucket}/raw/*/rows.{kind}"]
    found = [run_ingest(SourceConfig(path=path), contract, bucket / "home", dask) for path in sources]
    assert {(each.digest, each.rows) for each in found} == {(found[0].digest, 4000)}


def test_a_source_that_is_not_there_is_named(bucket: RemotePath) -> None:
    with pytest.raises(DataError, match=f"source {bucket}/nothing: there is no such file or folder"):
        list_files(SourceConfig(path=f"{bucket}/nothing"))
    with pytest.raises(DataError, match="no data file is there"):
        list_files(SourceConfig(path=f"{bucket}/nothing/*.csv"))
