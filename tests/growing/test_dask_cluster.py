"""docs/growing/dask-cluster.md, done: a cluster that speaks TLS does a run's data work and loses a worker meanwhile."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import dask
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from tasks.dask_cluster import connect
from tasks.errors import ConfigError
from tests.end_to_end.cluster import dask_cluster
from tests.end_to_end.conftest import Shell
from tests.end_to_end.customers import write_project
from tests.serving.transports.test_tls import write_certificate

# Minutes of whole runs, which CI has no time for; `make test-all` runs them.
pytestmark = [pytest.mark.integration, pytest.mark.slow]

_RUN = ("run", "customers.yaml", "--json", "--set", "source.path=raw")
_SECONDS = 120


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> Shell:
    """A project whose source is Parquet in many small row groups, so that both workers have something to do."""
    folder = tmp_path_factory.mktemp("cluster")
    write_project(folder, rows=3000)
    rows = pa_csv.read_csv(
        folder / "customers.csv", parse_options=pa_csv.ParseOptions(invalid_row_handler=lambda _: "skip")
    )
    (folder / "raw").mkdir()
    for index in range(3):
        pq.write_table(rows.slice(index * 1000, 1000), folder / "raw" / f"{index}.parquet", row_group_size=100)
    return Shell(folder, {"PREFECT_API_URL": prefect_api})


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One certificate for everybody, named to this process and to those that it starts."""
    made = write_certificate(tmp_path, serial=1)
    named = {"ca-file": made.certificate}
    for role in ("scheduler", "worker", "client"):
        named |= {f"{role}.cert": made.certificate, f"{role}.key": made.key}
    settings = {f"distributed.comm.tls.{name}": str(path) for name, path in named.items()}
    settings["distributed.comm.require-encryption"] = "true"
    for name, value in settings.items():
        monkeypatch.setenv(f"DASK_{name.replace('.', '__').replace('-', '_').upper()}", value)
    with dask.config.set(settings):
        yield


def test_a_cluster_over_tls_loses_a_worker_and_gives_the_same_bundle(machine: Shell, tls: None) -> None:
    alone = machine.run(*_RUN)
    assert alone.returncode == 0, alone.stderr
    home = machine.folder / "shared"
    away = Shell(machine.folder, {**machine.variables, "HEADRACE_HOME": str(home)})
    with dask_cluster(protocol="tls") as cluster:
        run = away.start(*_RUN, "--set", f"dask.scheduler_address={cluster.address}")
        deadline = time.monotonic() + _SECONDS
        while len(list((home / "validations").rglob("*part-*"))) < 3:
            assert run.poll() is None, run.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        cluster.kill_a_worker()
        assert not list((home / "datasets").rglob("accounting.json")), "the kill came after validation"
        out, err = run.communicate(timeout=240)
        assert run.returncode == 0, err
        assert json.loads(out.splitlines()[-1])["digest"] == json.loads(alone.stdout.splitlines()[-1])["digest"]
        nothing = {f"distributed.comm.tls.client.{name}": None for name in ("cert", "key")}
        refused = pytest.raises(ConfigError, match=f"{cluster.address} is spoken to with a certificate")
        with dask.config.set(nothing), refused, connect(cluster.address):
            pass
