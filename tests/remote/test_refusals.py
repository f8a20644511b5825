"""What an object store may refuse: each has a name, says what to do, and leaves nothing half-written."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from data_contracts.loader import load_contract
from serving.bundle.errors import BundleError, RemoteAccessError, RemoteError
from serving.bundle.places import RemotePath, place
from serving.bundle.read import open_bundle
from tasks.data.ingest import run_ingest
from tasks.data.partitions import read_manifest, read_partition
from tasks.data.sources import SourceConfig
from tasks.engine import DaskConfig
from tasks.errors import IntegrityError
from tests.end_to_end.conftest import ROOT
from tests.end_to_end.customers import write_project
from tests.remote.s3_server import client_variables, environment, s3_server
from tests.serving.bundles import write_bundle
from tests.tasks.data.tables import dask

__all__ = ["dask"]

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
READ_ONLY = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}


@dataclass(frozen=True)
class Guarded:
    """A server that checks rights, with one bucket on it, and the variables of two who may not do the same."""

    owner: dict[str, str]
    reader: dict[str, str]
    bucket: str = "s3://guarded"

    def allow(self, *statements: dict[str, Any]) -> None:
        """Give the reader these rights and no others."""
        with environment(self.owner):
            _allow("reader", *statements)


def _allow(user: str, *statements: dict[str, Any]) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    boto3.Session().client("iam").put_user_policy(UserName=user, PolicyName="rights", PolicyDocument=policy)


def _user(name: str, *statements: dict[str, Any]) -> dict[str, str]:
    iam = boto3.Session().client("iam")
    iam.create_user(UserName=name)
    _allow(name, *statements)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    # Until the users are there, nobody has rights that could be checked: three calls for each of them.
    with s3_server(tmp_path_factory.mktemp("guarded") / "log", INITIAL_NO_AUTH_ACTION_COUNT="6") as port:
        variables = client_variables(port)
        with environment(variables):
            owner, reader = (
                variables | _user(name, right) for name, right in (("owner", EVERYTHING), ("reader", READ_ONLY))
            )
        with environment(owner):
            place("s3://guarded").store.mkdir("guarded")
            place("s3://guarded/raw/a").write_bytes(b"1")
        yield Guarded(owner, reader)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    write_project(folder, rows=500)
    return folder


def ingest(project: Path, home: Path, dask: DaskConfig) -> Any:
    contract = load_contract(project / "customers.odcs.yaml")
    return run_ingest(SourceConfig(path=str(project / "customers.csv")), contract, home, dask)


def test_what_may_only_be_read_is_read_and_not_written(guarded: Guarded) -> None:
    with environment(guarded.reader):
        assert place(f"{guarded.bucket}/raw/a").read_bytes() == b"1"
        refused = place(f"{guarded.bucket}/home/file")
        for attempt in (refused.write_bytes, refused.claim):
            with pytest.raises(RemoteAccessError, match=r"home/file: access is denied .*\n  do: .*s3:PutObject.*AWS_"):
                attempt(b"1")
        with pytest.raises(RemoteAccessError, match="access is denied"), refused.open("wb") as file:
            file.write(b"1")
        with pytest.raises(RemoteAccessError, match="access is denied"):
            place(f"{guarded.bucket}/raw/a").unlink()


@pytest.mark.parametrize(
    "wrong", [{"AWS_ACCESS_KEY_ID": "nobody"}, {"AWS_SECRET_ACCESS_KEY": "wrong"}], ids=["key", "secret"]
)
def test_wrong_credentials_are_refused(guarded: Guarded, wrong: dict[str, str]) -> None:
    with environment(guarded.reader | wrong), pytest.raises(RemoteAccessError, match="access is denied"):
        place(f"{guarded.bucket}/raw/a").exists()


def test_no_credentials_are_named(guarded: Guarded, tmp_path: Path) -> None:
    nothing = dict.fromkeys(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"])
    files = {name: str(tmp_path / "none") for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE")}
    refused = pytest.raises(RemoteAccessError, match=r"no credentials to ask with .*\n  do: set AWS_ACCESS_KEY_ID")
    with environment(guarded.reader | nothing | files), refused:
        place(f"{guarded.bucket}/raw/a").read_bytes()


def test_a_run_without_rights_leaves_nothing_and_goes_on_with_them(
    guarded: Guarded, project: Path, dask: DaskConfig
) -> None:
    home = place(f"{guarded.bucket}/home")
    with environment(guarded.reader):
        with pytest.raises(RemoteAccessError, match="access is denied"):
            ingest(project, home, dask)
        assert list(home.rglob("*")) == []
    guarded.allow(EVERYTHING)
    with environment(guarded.reader):
        assert ingest(project, home, dask).digest == ingest(project, project / "home", dask).digest
    guarded.allow(READ_ONLY)


def test_a_bucket_that_is_not_there_is_named(s3_variables: dict[str, str], project: Path, dask: DaskConfig) -> None:
    with pytest.raises(RemoteAccessError, match=r"there is no such bucket .*\n  do: create the bucket"):
        ingest(project, place("s3://no-such-bucket/home"), dask)
    with pytest.raises(RemoteAccessError, match="s3://no-such-bucket/raw: there is no such bucket"):
        run_ingest(
            SourceConfig(path="s3://no-such-bucket/raw"), load_contract(project / "customers.odcs.yaml"), project, dask
        )


def test_the_command_line_says_so_without_a_traceback(s3_variables: dict[str, str]) -> None:
    command = [sys.executable, "-m", "pipelines", "models", "list"]
    variables = {**os.environ, "HEADRACE_HOME": "s3://no-such-bucket/home"}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: s3://no-such-bucket/home/models: there is no such bucket")
    assert "Traceback" not in done.stderr


def test_a_store_that_is_not_there_is_named(s3_variables: dict[str, str]) -> None:
    nowhere = environment({"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"})
    with (
        nowhere,
        pytest.raises(RemoteError, match=r"does not answer .*127.0.0.1:9.*\n  do: .*AWS_ENDPOINT_URL") as raised,
    ):
        place("s3://bucket/file").read_bytes()
    assert not isinstance(raised.value, RemoteAccessError)
    assert isinstance(raised.value, OSError)


@pytest.mark.parametrize(("uri", "what"), [("nowhere://a/b", "Protocol not known: nowhere"), ("abfs://a/b", "Install")])
def test_a_filesystem_that_is_not_installed_is_named(uri: str, what: str) -> None:
    with pytest.raises(RemoteAccessError, match=rf"{what}.*\n  do: for s3:// install the extra"):
        place(uri).exists()


def test_data_that_vanished_is_named(bucket: RemotePath, project: Path, dask: DaskConfig) -> None:
    raw = ingest(project, bucket / "home", dask)
    manifest = read_manifest(raw)
    (raw.folder / manifest.partitions[0].path).unlink()
    with pytest.raises(IntegrityError, match=r"cannot be read any more.*\n  do: .*run again, which rebuilds it"):
        read_partition(raw.folder, manifest.partitions[0])
    (raw.folder / "manifest.json").unlink()
    with pytest.raises(IntegrityError, match="the dataset is gone"):
        read_manifest(raw)


def test_a_bundle_without_its_model_is_named(bucket: RemotePath, tmp_path: Path) -> None:
    write_bundle(tmp_path)
    (bucket / "bundle.json").write_bytes((tmp_path / "bundle.json").read_bytes())
    with pytest.raises(BundleError, match=r"model.onnx: cannot be read: No such object"):
        open_bundle(bucket)


@pytest.mark.parametrize("kind", [RemoteError, RemoteAccessError])
def test_a_refusal_travels_from_a_worker(kind: type[RemoteError]) -> None:
    # Dask sends an error as `copy` takes it apart.
    error = copy.copy(kind("s3://a: refused\n  do: ask"))
    assert (type(error), str(error)) == (kind, "s3://a: refused\n  do: ask")
