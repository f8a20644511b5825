"""Augmented copies of the training split, written as a dataset of their own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt, model_validator

from tasks.data.hashing import LANES, hash_rows
from tasks.data.partitions import (
    DATASETS,
    Manifest,
    Partition,
    WrittenPartition,
    manifest_digest,
    read_manifest,
    read_partition,
    stored,
    write_manifest,
    write_partition,
)
from tasks.data.split import SPLITS, read_codes
from tasks.engine import DaskConfig, map_partitions, open_client
from tasks.errors import DataError
from tasks.images.augment.compose import Augmentation, ImageAugmentConfig
from tasks.images.hashing import hash_pixels
from tasks.images.layout import IMAGE, LAYOUT, ImageLayout, Pixels, pixel_column, pixels_of, read_layout, write_layout
from tasks.references import DatasetRef, SplitRef
from tasks.storage import digest_file, new_folder

# Images that draw from the generator together; part of the result, so never changed for speed.
_BATCH = 256


class ImageCopiesConfig(BaseModel):
    """Augmented copies that are written once, before training.

    Attributes:
        copies: Of each training image.
        seed: Decides every draw.
        augment: What is done. Mixing gives soft targets and works on the batches of training, so not here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    copies: PositiveInt = 1
    seed: NonNegativeInt = 0
    augment: ImageAugmentConfig

    @model_validator(mode="after")
    def _keeps_labels(self) -> ImageCopiesConfig:
        if self.augment.mixes:
            raise ValueError(
                "mixup and cutmix give soft targets, which copies on disk do not have; use them on the fly"
            )
        return self


@dataclass(frozen=True)
class _Part:
    """One partition to augment: its number, its place in the dataset and which copy."""

    index: int
    partition: Partition
    start: int
    copy: int


def run_augment_images(
    images: DatasetRef, split: SplitRef, config: ImageCopiesConfig, home: Path, dask: DaskConfig
) -> DatasetRef:
    """Write augmented copies of the training split; the originals stay where they are.

    The columns are those of the images, and `parent_row` (the parent's position in `images`) and `copy` (from 1).
    `content` is the copy's own hash; `source_file`, `source_row` and `group` are the parent's.

    Raises:
        DataError: The training split has no image.
        DiskFullError: There is no space left; nothing half-written stays.
    """
    layout = read_layout(images)
    partitions = read_manifest(images).partitions
    starts = np.cumsum([0, *(partition.rows for partition in partitions)]).tolist()
    parts = [
        _Part(index, partition, starts[index], copy)
        for copy in range(1, config.copies + 1)
        for index, partition in enumerate(partitions)
    ]
    schema = layout.schema.append(pa.field("parent_row", pa.int64())).append(pa.field("copy", pa.int32()))
    with new_folder(home / DATASETS, manifest_digest) as folder, open_client(dask) as client:
        work = partial(_write_copies, source=(images, split), layout=layout, config=config, folder=folder)
        done = [each for each in map_partitions(client, work, parts, label="augment images") if each is not None]
        if not done:
            raise DataError("augment images: the training split has no image\n  do: give it a larger share")
        write_layout(folder, layout)
        manifest = Manifest(
            columns={field.name: str(field.type) for field in schema},
            partitions=tuple(each.partition for each in done),
            digests={each.partition.path: each.digest for each in done} | {LAYOUT: digest_file(folder / LAYOUT)},
        )
        write_manifest(folder, manifest)
    return stored(home, manifest)


def _write_copies(
    part: _Part,
    *,
    source: tuple[DatasetRef, SplitRef],
    layout: ImageLayout,
    config: ImageCopiesConfig,
    folder: Path,
) -> WrittenPartition | None:
    images, split = source
    rows = np.flatnonzero(read_codes(split, part.index) == SPLITS.index("train"))
    if not len(rows):
        return None
    table = read_partition(images.folder, part.partition).take(pa.array(rows))
    generator = torch.Generator().manual_seed(_seed(config.seed, part))
    augmented = augment_copies(pixels_of(table[IMAGE], layout.shape), config.augment, generator)
    columns = {name: table[name] for name in layout.schema.names}
    columns |= {IMAGE: pixel_column(augmented), "content": pa.array(hash_pixels(augmented))}
    columns |= {
        "parent_row": pa.array(rows + part.start),
        "copy": pa.array(np.full(len(rows), part.copy, np.int32)),
    }
    return write_partition(folder, f"copy-{part.copy:03d}-{part.index:05d}.parquet", pa.table(columns), split="train")


def augment_copies(pixels: Pixels, config: ImageAugmentConfig, generator: torch.Generator) -> Pixels:
    """Augment images, uint8 [N, H, W, C], a few at a time; the draws do not depend on the number of threads."""
    augmentation = Augmentation(config, classes=1)
    augmented = np.empty_like(pixels)
    for start in range(0, len(pixels), _BATCH):
        batch = torch.tensor(pixels[start : start + _BATCH].transpose(0, 3, 1, 2).copy())
        changed = augmentation.change(batch, generator).permute(0, 2, 3, 1)
        augmented[start : start + _BATCH] = changed.numpy()
    return augmented


def _seed(seed: int, part: _Part) -> int:
    numbers = [pa.array([number]) for number in (seed, part.copy, part.index)]
    return int(hash_rows(numbers, 1, LANES[0])[0]) >> 1
