"""Small images and sources of them for the tests of the image tasks."""

import gzip
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from tasks.data.partitions import read_manifest, read_partition
from tasks.engine import DaskConfig
from tasks.images.ingest import ImageConfig, ImageSourceConfig, run_ingest_images
from tasks.images.layout import read_layout, read_pixels
from tasks.references import DatasetRef

SMALL = ImageConfig(width=8, height=6, resize="exact")


def picture(seed: int, width: int = 8, height: int = 6, channels: int = 3) -> NDArray[np.uint8]:
    """Random pixels, uint8 [height, width, channels], or [height, width] for one channel."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return pixels[..., 0] if channels == 1 else pixels


def smooth(seed: int, side: int = 32) -> NDArray[np.uint8]:
    """A grey picture of soft shapes, uint8 [side, side]: what a perceptual hash is made for."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 5), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))


def encode(pixels: NDArray[np.uint8], format_: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format_, **options)
    return file.getvalue()


def write_folders(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def write_idx(path: Path, values: NDArray[np.uint8]) -> Path:
    header = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    content = header + values.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def write_arrow(path: Path, table: pa.Table, *, stream: bool) -> None:
    with pa.OSFile(str(path), "wb") as file:
        opened = pa.ipc.new_stream(file, table.schema) if stream else pa.ipc.new_file(file, table.schema)
        with opened as writer:
            writer.write_table(table, max_chunksize=3)


def ingest_folders(
    root: Path, home: Path, dask: DaskConfig, config: ImageConfig = SMALL, **source: object
) -> DatasetRef:
    return run_ingest_images(ImageSourceConfig(path=str(root), format="folders", **source), config, home, dask)


def ingest_pixels(
    pixels: NDArray[np.uint8], labels: NDArray[np.uint8], home: Path, dask: DaskConfig, pair: str = "all"
) -> DatasetRef:
    """Ingest grey images [N, H, W] by way of IDX files."""
    folder = home / "source"
    write_idx(folder / f"{pair}-images-idx3-ubyte", pixels)
    write_idx(folder / f"{pair}-labels-idx1-ubyte", labels)
    config = ImageConfig(width=pixels.shape[2], height=pixels.shape[1], mode="L", resize="exact")
    return run_ingest_images(ImageSourceConfig(path=str(folder), format="idx"), config, home, dask)


def read_all(dataset: DatasetRef) -> pa.Table:
    return pa.concat_tables([read_partition(dataset.folder, each) for each in read_manifest(dataset).partitions])


def all_pixels(dataset: DatasetRef) -> NDArray[np.uint8]:
    layout = read_layout(dataset)
    return np.concatenate([read_pixels(dataset, each, layout) for each in read_manifest(dataset).partitions])


def read_quarantine(dataset: DatasetRef) -> list[dict[str, object]]:
    paths = sorted(path for path in read_manifest(dataset).digests if path.startswith("quarantine/"))
    return [row for path in paths for row in pq.read_table(dataset.folder / path).to_pylist()]


def nearly(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same grey picture after a small loss."""
    height, width = pixels.shape
    small = Image.fromarray(pixels).resize((width - 2, height - 2), Image.Resampling.BILINEAR)
    return np.asarray(small.resize((width, height), Image.Resampling.BILINEAR))
