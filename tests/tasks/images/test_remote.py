"""Images from an object store, into an object store: the same datasets as from and to the local disk."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.bundle.places import RemotePath
from tasks.engine import DaskConfig
from tasks.images.duplicates import ImageDuplicatesConfig, NearDuplicatesConfig, run_deduplicate_images
from tasks.images.ingest import ImageSourceConfig, run_ingest_images
from tasks.images.leakage import pairs_across_splits
from tasks.images.split import ImageSplitConfig, run_split_images
from tests.remote.conftest import bucket, s3_variables
from tests.tasks.images.pictures import SMALL, encode, picture, read_all, write_arrow, write_folders, write_idx

__all__ = ["bucket", "s3_variables"]


def sources(folder: Path) -> dict[str, Path]:
    """One small source of each format below a folder."""
    files = {f"{label}/{seed}.png": encode(picture(seed)) for seed in range(12) for label in ("cat", "dog")}
    write_folders(folder / "folders", files)
    table = pa.table({"image": list(files.values()), "label": [name[:3] for name in files]})
    for name in ("parquet", "arrow"):
        (folder / name).mkdir()
    pq.write_table(table, folder / "parquet" / "x.parquet", row_group_size=5)
    write_arrow(folder / "arrow" / "x.arrow", table, stream=False)
    pixels = np.stack([picture(seed) for seed in range(9)])
    write_idx(folder / "idx" / "a-images-idx4-ubyte.gz", pixels)
    write_idx(folder / "idx" / "a-labels-idx1-ubyte.gz", np.zeros(9, np.uint8))
    return {name: folder / name for name in ("folders", "parquet", "arrow", "idx")}


def upload(folder: Path, to: RemotePath) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            (to / path.relative_to(folder).as_posix()).write_bytes(path.read_bytes())


@pytest.fixture
def here() -> DaskConfig:
    return DaskConfig(threads=2)


def test_every_format_is_read_from_a_bucket_as_from_the_disk(tmp_path: Path, bucket: RemotePath, here: DaskConfig):
    for format_, folder in sources(tmp_path / "src").items():
        upload(folder, bucket / format_)
        local, remote = (
            run_ingest_images(ImageSourceConfig(path=str(path), format=format_), SMALL, tmp_path / "home", here)
            for path in (folder, bucket / format_)
        )
        assert local.digest == remote.digest, format_


def test_a_home_in_a_bucket_holds_the_same_datasets(tmp_path: Path, bucket: RemotePath, here: DaskConfig):
    source = ImageSourceConfig(path=str(sources(tmp_path / "src")["folders"]), format="folders")
    config = ImageDuplicatesConfig(exact="ignore", near=NearDuplicatesConfig())
    found = []
    for home in (tmp_path / "home", bucket / "home"):
        images = run_ingest_images(source, SMALL, home, here)
        single = run_deduplicate_images(images, config, home, here)
        split = run_split_images(images, ImageSplitConfig(), home, here)
        leaks = pairs_across_splits(images, split, NearDuplicatesConfig(max_distance=9), home, here)
        found.append((images.digest, single.digest, split.digest, leaks, read_all(single)))
    assert found[0] == found[1]
    assert found[0][-1].num_rows == 12
    assert not [path for path in (bucket / "home").iterdir() if path.name.startswith(".tmp")]
