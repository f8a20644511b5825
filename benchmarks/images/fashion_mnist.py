"""Decoding, searching for duplicates and augmenting Fashion-MNIST, in images and in CPU seconds.

    python -m benchmarks.images.fashion_mnist

Needs Debian's package dataset-fashion-mnist. PNG files and photographs are made of its images; a plain loop over
Pillow, which checks nothing and writes nothing, stands beside our ingest of the same files.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import numpy as np
import torch
from PIL import Image, ImageOps

from pipelines.samples.fashion_mnist import write_fashion_mnist
from tasks.data.partitions import read_manifest
from tasks.engine import DaskConfig
from tasks.images.augment.compose import Augmentation, ImageAugmentConfig
from tasks.images.augment.materialize import ImageCopiesConfig, run_augment_images
from tasks.images.duplicates import ImageDuplicatesConfig, NearDuplicatesConfig, run_deduplicate_images
from tasks.images.fit import run_fit_images
from tasks.images.ingest import ImageConfig, ImageSourceConfig, run_ingest_images
from tasks.images.layout import read_layout, read_pixels
from tasks.images.split import ImageSplitConfig, run_split_images
from tasks.references import DatasetRef

Result = TypeVar("Result")

GREY = ImageConfig(width=28, height=28, mode="L", resize="exact")
PHOTO = ImageConfig(width=224, height=224)
SPLIT = ImageSplitConfig(given={"t10k": "test"}, train=0.9, validation=0.1, test=0)
NEAR = NearDuplicatesConfig()
FAMILIES: dict[str, dict[str, Any]] = {
    "flip": {"flip": {"horizontal": 0.5, "vertical": 0.5}},
    "affine": {"affine": {"rotation": 10, "scale": (0.9, 1.1), "translation": 0.05}},
    "crop": {"crop": {"padding": 2}},
    "brightness and contrast": {"color": {"brightness": 0.2, "contrast": 0.2}},
    "noise": {"noise": {"std": 0.05}},
    "erasing": {"erasing": {}},
    "mixup": {"mixup": {}},
    "cutmix": {"cutmix": {}},
}
USUAL = {
    name: value for each in ("flip", "affine", "crop", "noise", "erasing") for name, value in FAMILIES[each].items()
}
BATCH = 512


def timed(name: str, images: int, work: Callable[[], Result]) -> Result:
    """Print one row of the table."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"| {name} | {images:,} | {images / wall:,.0f} | {cpu:.2f} | {cpu / images * 1e6:.1f} |", flush=True)
    return result


def data_tasks(folder: Path, dask: DaskConfig) -> DatasetRef:
    """Measure every data task on all 70,000 images; returns the ingested dataset."""
    write_fashion_mnist(folder / "idx")
    source = ImageSourceConfig(path=str(folder / "idx"), format="idx")
    home = folder / "home"
    images = timed("ingest gzipped IDX", 70_000, lambda: run_ingest_images(source, GREY, home, dask))
    exact, near = ImageDuplicatesConfig(), ImageDuplicatesConfig(near=NEAR)
    timed("drop exact duplicates", 70_000, lambda: run_deduplicate_images(images, exact, home, dask))
    timed("drop near-duplicates too", 70_000, lambda: run_deduplicate_images(images, near, home, dask))
    split = timed("split", 70_000, lambda: run_split_images(images, SPLIT, home, dask))
    timed("fit: channels and classes", split.rows["train"], lambda: run_fit_images(images, split, home, dask))
    copies = ImageCopiesConfig(augment=ImageAugmentConfig.model_validate(USUAL))
    timed("augmented copies", split.rows["train"], lambda: run_augment_images(images, split, copies, home, dask))
    return images


def encoded(folder: Path, pixels: np.ndarray, dask: DaskConfig) -> None:
    """Measure PNG files of the images as they are, and photographs of them enlarged, beside a plain loop."""
    for name, count, side, config in (("PNG, 28 x 28", 10_000, 28, GREY), ("JPEG, 1,024 x 1,024", 400, 1024, PHOTO)):
        suffix, root = (".png" if side == 28 else ".jpg"), folder / name[:3]
        (root / "all").mkdir(parents=True)
        for index, image in enumerate(pixels[:count]):
            large = Image.fromarray(image[..., 0]).resize((side, side), Image.Resampling.BICUBIC)
            large.convert(config.mode).save(root / "all" / f"{index:05d}{suffix}", quality=90)
        source = ImageSourceConfig(path=str(root), format="folders")
        timed(f"ingest {name}", count, partial(run_ingest_images, source, config, folder / "home", dask))
        timed(f"plain loop {name}", count, partial(plain_loop, root / "all", config))


def plain_loop(folder: Path, config: ImageConfig) -> np.ndarray:
    """Decode one file after the other, as one writes it without further thought."""
    size = (config.width, config.height)
    return np.stack([np.asarray(ImageOps.fit(Image.open(path), size)) for path in sorted(folder.iterdir())])


def on_the_fly(pixels: np.ndarray) -> None:
    """Measure each family on batches of float32, as training would call it."""
    levels = torch.tensor(pixels.transpose(0, 3, 1, 2).astype(np.float32))
    targets = torch.arange(len(levels)) % 10
    for name, config in {**FAMILIES, "flip, affine, crop, noise, erasing": USUAL}.items():
        augment = Augmentation(ImageAugmentConfig.model_validate(config), classes=10)
        generator = torch.Generator().manual_seed(0)
        timed(f"on the fly: {name}", len(levels), partial(epoch, augment, levels, targets, generator))


def epoch(augment: Augmentation, levels: torch.Tensor, targets: torch.Tensor, generator: torch.Generator) -> None:
    """Augment every image once, a batch at a time."""
    for start in range(0, len(levels), BATCH):
        augment(levels[start : start + BATCH], targets[start : start + BATCH], generator)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    threads = parser.parse_args().threads
    torch.set_num_threads(1)
    print("| work | images | images per second | CPU s | CPU microseconds per image |\n|---|---|---|---|---|")
    with TemporaryDirectory() as folder:
        dask = DaskConfig(threads=threads)
        images = data_tasks(Path(folder), dask)
        layout = read_layout(images)
        pixels = np.concatenate([read_pixels(images, each, layout) for each in read_manifest(images).partitions[:4]])
        encoded(Path(folder), pixels, dask)
        on_the_fly(pixels)


if __name__ == "__main__":
    main()
