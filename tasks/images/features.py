"""Features of images: the pixels as they are and each image's class as a number, a file for each split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.data.arrow_files import ARROW
from tasks.data.partitions import (
    DATASETS,
    Manifest,
    Partition,
    WrittenPartition,
    manifest_digest,
    part_name,
    read_manifest,
    read_partition,
    stored,
    write_manifest,
    write_partition,
)
from tasks.data.split import SPLITS, read_codes
from tasks.engine import DaskConfig, map_partitions, open_client
from tasks.images.layout import IMAGE, Pixels, pixels_of, read_layout
from tasks.preprocessing.constants import ImageInput, Preprocessing
from tasks.preprocessing.fit import read_preprocessing
from tasks.preprocessing.targets import TARGET
from tasks.references import DatasetRef, PreprocessingRef, SplitRef
from tasks.storage import new_folder


@dataclass(frozen=True)
class _Piece:
    """One partition of images; `codes` say the split of each, and are None for copies, which all are of training."""

    name: str
    images: DatasetRef
    partition: Partition
    codes: tuple[SplitRef, int] | None


def run_transform_images(
    images: DatasetRef,
    split: SplitRef,
    preprocessing: PreprocessingRef,
    home: Path,
    dask: DaskConfig,
    copies: DatasetRef | None = None,
) -> DatasetRef:
    """Write the features: one column of pixels by the name of the model's input, and `target`, int64.

    Args:
        images: The dataset.
        split: Its split.
        preprocessing: Fitted on it; says the classes.
        home: The features are written under `home/datasets`.
        dask: Where the work runs.
        copies: Augmented copies, which join the training split (`tasks.images.augment.materialize`).

    Raises:
        DiskFullError: There is no space left; nothing half-written stays.
    """
    constants, layout = read_preprocessing(preprocessing), read_layout(images)
    column, classes = _image(constants).column, constants.class_target.classes
    pieces = [
        _Piece(part_name(index, ARROW), images, partition, (split, index))
        for index, partition in enumerate(read_manifest(images).partitions)
    ]
    if copies is not None:
        added = enumerate(read_manifest(copies).partitions)
        pieces += [_Piece(f"copies-{part_name(index, ARROW)}", copies, partition, None) for index, partition in added]
    # A class that was not fitted has no image.
    places = np.array([classes.index(name) if name in classes else -1 for name in layout.classes])
    with new_folder(home / DATASETS, manifest_digest) as folder, open_client(dask) as client:
        writer = _Writer(column, places, folder)
        written = [each for done in map_partitions(client, writer.write, pieces, label="transform") for each in done]
        # Split by split, so that the rows of each stand together.
        written.sort(key=lambda each: SPLITS.index(each.partition.split or ""))
        manifest = Manifest(
            columns={column: str(layout.schema.field(IMAGE).type), TARGET: "int64"},
            partitions=tuple(each.partition for each in written),
            digests={each.partition.path: each.digest for each in written},
        )
        write_manifest(folder, manifest)
    return stored(home, manifest)


@dataclass(frozen=True)
class _Writer:
    """Writes the features of one partition; `places` are the classes' positions among those that were fitted."""

    column: str
    places: NDArray[np.int64]
    folder: Path

    def write(self, piece: _Piece) -> Sequence[WrittenPartition]:
        """Write a file for each split that has images there."""
        table = read_partition(piece.images.folder, piece.partition, [IMAGE, "label"])
        features = pa.table({self.column: table[IMAGE], TARGET: self.places[table["label"].to_numpy()]})
        codes = np.zeros(table.num_rows, np.uint8) if piece.codes is None else read_codes(*piece.codes)
        chosen = [(name, np.flatnonzero(codes == code)) for code, name in enumerate(SPLITS)]
        return [
            write_partition(self.folder, f"{name}/{piece.name}", features.take(pa.array(rows)), name)
            for name, rows in chosen
            if len(rows)
        ]


def read_images(features: DatasetRef, constants: Preprocessing, split: str) -> tuple[Pixels, NDArray[np.int64]]:
    """Read one split's images into memory.

    Returns:
        Pixels uint8 [N, H, W, C] and classes int64 [N], in row order.
    """
    image = _image(constants)
    partitions = read_manifest(features).of_split(split)
    rows = sum(partition.rows for partition in partitions)
    pixels, target = np.empty((rows, *image.shape), dtype=np.uint8), np.empty(rows, dtype=np.int64)
    start = 0
    for partition in partitions:
        table = read_partition(features.folder, partition, [image.column, TARGET])
        stop = start + table.num_rows
        pixels[start:stop] = pixels_of(table[image.column], image.shape)
        target[start:stop] = table[TARGET].to_numpy()
        start = stop
    return pixels, target


def _image(constants: Preprocessing) -> ImageInput:
    assert constants.image is not None, "the caller has seen that images are learned from"
    return constants.image
