"""A real server that speaks S3's protocol over HTTP, as a process of its own, and what a client needs to find it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import s3fs

from tests.end_to_end.conftest import free_port


def client_variables(port: int) -> dict[str, str]:
    """The environment with which S3's own libraries talk to a server on this machine."""
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextmanager
def s3_server(log: Path, **variables: str) -> Iterator[int]:
    """Run moto's server until the block ends; yields its port."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env={**os.environ, **variables})
    try:
        _wait(process, port, log)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            httpx.get(f"http://127.0.0.1:{port}/moto-api/data.json")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the S3 server did not start: {log.read_text()}")


@contextmanager
def environment(variables: Mapping[str, str | None]) -> Iterator[None]:
    """Set (or, with None, take away) variables of this process, and forget connections made under others."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.delenv(name, raising=False) if value is None else patch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        yield
    s3fs.S3FileSystem.clear_instance_cache()
