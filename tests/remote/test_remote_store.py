"""The model store in a bucket."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from serving.bundle.errors import BundleError, RemoteError
from serving.bundle.manifest import MANIFEST, MODEL
from serving.bundle.places import RemotePath
from serving.bundle.read import open_bundle
from serving.bundle.store import ModelStore
from serving.models.served import ServedModels
from tests.architecture import HEAVY
from tests.end_to_end.conftest import ROOT
from tests.remote.s3_server import environment
from tests.serving.bundles import promote, small_model, write_bundle

UNREACHABLE = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}

SERVE = """
import sys
from serving.bundle.places import place
from serving.bundle.store import ModelStore
from serving.models.served import ServedModels
served = ServedModels(ModelStore(place(sys.argv[1])), max_batch=10)
served.refresh()
assert served.get("small").version == "1"
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


def register(store: ModelStore, bias: float) -> str:
    return store.register("small", lambda folder: write_bundle(folder, small_model(bias))).version


def test_versions_count_up_and_the_same_digest_keeps_its_own(bucket: RemotePath) -> None:
    store = ModelStore(bucket / "models")
    assert (store.models(), store.versions("small"), store.champion("small")) == ((), (), None)
    assert [register(store, bias) for bias in (1.0, 2.0, 1.0)] == ["1", "2", "1"]
    assert (store.models(), store.versions("small")) == (("small",), ("1", "2"))


def test_many_writers_get_one_version_each(bucket: RemotePath) -> None:
    store = ModelStore(bucket)
    with ThreadPoolExecutor(4) as pool:
        versions = list(pool.map(lambda bias: register(store, bias), range(5)))
    assert sorted(versions) == ["1", "2", "3", "4", "5"]
    assert len({open_bundle(store.bundle_path("small", version)).digest for version in versions}) == 5


def test_a_build_that_fails_leaves_nothing(bucket: RemotePath) -> None:
    def build(folder: Path) -> None:
        (folder / MODEL).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        ModelStore(bucket).register("small", build)
    assert list(bucket.rglob("*")) == []


def test_a_writer_killed_on_the_way_is_no_version_and_goes_on_where_it_was(bucket: RemotePath) -> None:
    store = ModelStore(bucket)
    register(store, 1.0)
    whole = {path.name: path.read_bytes() for path in store.bundle_path("small", "1").iterdir()}
    (bucket / "small" / "1" / MANIFEST).unlink()
    assert store.versions("small") == ()
    # Another bundle passes the claimed number over; the killed one finds its own claim again.
    assert register(store, 2.0) == "2"
    assert store.versions("small") == ("2",)
    (bucket / "small" / "2" / MANIFEST).unlink()
    assert register(store, 1.0) == "1"
    assert {path.name: path.read_bytes() for path in store.bundle_path("small", "1").iterdir()} == whole


def test_the_pointer_moves_and_the_endpoint_follows_it(bucket: RemotePath) -> None:
    store, served = ModelStore(bucket), ServedModels(ModelStore(bucket), max_batch=10)
    # Two pointers of one length within one second differ in nothing but their content.
    for bias, version in ((1.0, "1"), (2.0, "2"), (3.0, "3")):
        promote(bucket, bias=bias)
        served.refresh()
        assert served.get("small").version == version
    store.rollback("small")
    served.refresh()
    assert served.get("small").version == "2"
    assert [each.version for each in store.champion("small").history] == ["1"]


def test_an_altered_bundle_is_refused_and_the_one_before_serves_on(bucket: RemotePath) -> None:
    served = ServedModels(ModelStore(bucket), max_batch=10)
    promote(bucket, bias=1.0)
    served.refresh()
    store = ModelStore(bucket)
    altered = store.bundle_path("small", register(store, 2.0)) / MODEL
    altered.write_bytes(altered.read_bytes() + b"\0")
    with pytest.raises(BundleError, match="altered since it was exported"):
        store.set_champion("small", "2")
    pointer = store.pointer_path("small")
    pointer.write_bytes(pointer.read_bytes().replace(b'"version": "1"', b'"version": "2"'))
    served.refresh()
    assert served.get("small").version == "1"
    assert "altered" in served.refused["small"]


def test_a_store_that_does_not_answer_changes_nothing_that_is_served(
    bucket: RemotePath, s3_variables: dict[str, str]
) -> None:
    served = ServedModels(ModelStore(bucket), max_batch=10)
    promote(bucket, bias=1.0)
    served.refresh()
    with environment(UNREACHABLE), pytest.raises(RemoteError, match="AWS_ENDPOINT_URL"):
        served.refresh()
    assert served.get("small").version == "1"
    assert served.ready
    promote(bucket, bias=2.0)
    served.refresh()
    assert served.get("small").version == "2"


def test_serving_from_a_bucket_loads_no_heavy_library(bucket: RemotePath) -> None:
    promote(bucket, bias=1.0)
    command = [sys.executable, "-c", SERVE, str(bucket)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) & HEAVY == set()
