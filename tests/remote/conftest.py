from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from serving.bundle.places import RemotePath
from tests.remote.s3_server import client_variables, environment, s3_server


@pytest.fixture(scope="session")
def s3_variables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A running S3 server: the variables that lead to it, which are set here as well."""
    with s3_server(tmp_path_factory.mktemp("s3") / "log") as port:
        variables = client_variables(port)
        with environment(variables):
            yield variables


@pytest.fixture
def bucket(s3_variables: dict[str, str]) -> RemotePath:
    """A new, empty bucket."""
    return new_bucket()


def new_bucket() -> RemotePath:
    path = RemotePath(f"s3://bucket-{uuid4().hex[:12]}")
    path.store.mkdir(path.name)
    return path
