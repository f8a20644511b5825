"""Workers on other machines: real processes that are killed while they work, on a disk and on a bucket they share."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from serving.bundle.places import RemotePath
from tasks import cluster as tasks_cluster
from tasks.engine import DaskConfig, map_partitions, open_client
from tasks.errors import ClusterError
from tests.end_to_end.cluster import Cluster, dask_cluster, until
from tests.end_to_end.customers import write_project
from tests.remote.errands import devour, doze
from tests.remote.pieces import digests, make_data
from tests.tasks.data.tables import dask

__all__ = ["dask"]

PARQUET = "source.path=raw"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose source is Parquet in many small row groups."""
    folder = tmp_path_factory.mktemp("project")
    write_project(folder, rows=6000)
    options = pa_csv.ParseOptions(invalid_row_handler=lambda _: "skip")
    rows = pa_csv.read_csv(folder / "customers.csv", parse_options=options)
    (folder / "raw").mkdir()
    for index in range(3):
        pq.write_table(rows.slice(index * 2000, 2000), folder / "raw" / f"{index}.parquet", row_group_size=500)
    return folder


@pytest.fixture(scope="module")
def two_workers(s3_variables: dict[str, str]) -> Iterator[Cluster]:
    with dask_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def unhurt(project: Path, dask: DaskConfig) -> dict[str, str]:
    """The digests of a run in which nothing happened."""
    return digests(make_data(project, project / "unhurt", dask, PARQUET))


@pytest.mark.parametrize("where", ["disk", "bucket"])
def test_a_worker_killed_in_mid_run_changes_nothing(
    project: Path, two_workers: Cluster, unhurt: dict[str, str], bucket: RemotePath, tmp_path: Path, where: str
) -> None:
    home = {"disk": tmp_path / "home", "bucket": bucket / "home"}[where]
    killed: list[int] = []

    def kill_when_some_is_written() -> None:
        until(lambda: len(list((home / "validations").rglob("*part-*"))) > 3)
        assert not list((home / "datasets").rglob("accounting.json")), "the kill came after validation"
        killed.append(two_workers.kill_a_worker())

    killer = threading.Thread(target=kill_when_some_is_written)
    killer.start()
    made = make_data(project, home, config_of(two_workers), PARQUET)
    killer.join()
    assert killed
    assert digests(made) == unhurt
    assert not [path for path in home.rglob("*") if ".tmp-" in str(path)]


def test_a_cluster_without_workers_or_scheduler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks_cluster, "PATIENCE_SECONDS", 1.0)
    with dask_cluster("--no-nanny", workers=1) as cluster, open_client(config_of(cluster)) as client:
        work = functools.partial(map_partitions, client, doze, range(100), label="doze")
        killer = threading.Timer(1, cluster.kill_a_worker)
        killer.start()
        with pytest.raises(ClusterError, match=r"no worker is left to do them\n  do: start workers"):
            work()
        threading.Timer(0.3, cluster.processes[0].kill).start()
        with pytest.raises(ClusterError, match=r"the work was lost, .*\n  do: look at the scheduler"):
            work()


@pytest.mark.slow
def test_workers_that_run_out_of_memory_are_named() -> None:
    named = pytest.raises(ClusterError, match=r"given to 4 workers, and each died.*\n  do: give workers more memory")
    small = dask_cluster("--memory-limit", "300MiB", workers=1)
    with small as cluster, open_client(config_of(cluster)) as client, named:
        map_partitions(client, devour, [1], label="devour")


def config_of(cluster: Cluster) -> DaskConfig:
    return DaskConfig(scheduler_address=cluster.address)
