"""The search for duplicates over all partitions, in bounded memory.

Each partition leaves the hashes of its images in a file. Images whose hashes must be compared fall into the same
bucket, and a worker holds one bucket at a time; the number of buckets grows with the dataset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.data.arrow_files import ARROW
from tasks.data.hashing import LANES, hash_rows
from tasks.data.partitions import Partition, part_name, read_manifest, read_partition, write_partition
from tasks.engine import Client, map_partitions
from tasks.images.hashing import Hashes, PerceptualHash, hash_perceptually
from tasks.images.layout import ImageLayout, read_layout, read_pixels
from tasks.images.near import Positions, band_masks, near_pairs
from tasks.references import DatasetRef

IMAGES_PER_BUCKET = 2_000_000
# Groups of images are numbered from 0; an image of this group is left out of the search.
LEFT_OUT = 255

Groups = NDArray[np.uint8]
_WHOLE = 2**64 - 1
_GROUPS = Partition(path=f"groups{ARROW}", row_group=0, rows=0)
# Odd, with its bits in no order: the product's upper half depends on every bit of a masked hash.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class HashFiles:
    """The hashes of every image of a dataset, a file for each partition.

    Attributes:
        folder: Where they lie.
        starts: Position of the first image of each partition, and the number of images behind them.
    """

    folder: Path
    starts: tuple[int, ...]

    @property
    def images(self) -> int:
        """How many images there are."""
        return self.starts[-1]

    @property
    def buckets(self) -> int:
        """How many buckets keep one within bounds."""
        return max(1, -(-self.images // IMAGES_PER_BUCKET))

    def read(self, columns: Sequence[str], key: str, mask: int, bucket: int) -> dict[str, NDArray[np.uint64]]:
        """Read the images of one bucket of `key & mask`, in order, with their `position`."""
        parts: list[dict[str, NDArray[np.uint64]]] = []
        for index, start in enumerate(self.starts[:-1]):
            table = read_partition(self.folder, Partition(path=part_name(index, ARROW), row_group=0, rows=0), columns)
            read = {name: table[name].to_numpy() for name in columns}
            mine = np.flatnonzero(((read[key] & np.uint64(mask)) * _SPREAD >> np.uint64(32)) % self.buckets == bucket)
            parts.append({name: values[mine] for name, values in read.items()} | {"position": mine + start})
        return {name: np.concatenate([part[name] for part in parts]) for name in (*columns, "position")}


def write_hashes(client: Client, images: DatasetRef, kind: PerceptualHash | None, folder: Path) -> HashFiles:
    """Hash every image of a dataset.

    Args:
        client: Who does the work.
        images: The dataset.
        kind: The perceptual hash; None for none, where only equal images are looked for.
        folder: Where the files go.
    """
    partitions = read_manifest(images).partitions
    work = partial(_hash_partition, images=images, layout=read_layout(images), kind=kind, folder=folder)
    map_partitions(client, work, list(enumerate(partitions)), label="hash images")
    starts = np.cumsum([0, *(partition.rows for partition in partitions)])
    return HashFiles(folder, tuple(int(start) for start in starts))


def _hash_partition(
    numbered: tuple[int, Partition],
    *,
    images: DatasetRef,
    layout: ImageLayout,
    kind: PerceptualHash | None,
    folder: Path,
) -> None:
    index, partition = numbered
    table = read_partition(images.folder, partition, ["label", "content"])
    low, high = (hash_rows([table["content"]], table.num_rows, lane) for lane in LANES)
    hashes = {"low": low, "high": high, "label": table["label"].to_numpy().astype(np.uint64)}
    if kind is not None:
        hashes["perceptual"] = hash_perceptually(read_pixels(images, partition, layout), kind)
    write_partition(folder, part_name(index, ARROW), pa.table(hashes))


def equal_groups(bucket: int, *, files: HashFiles) -> tuple[Positions, Positions, NDArray[np.uint64]]:
    """Return the images of one bucket that share their pixels with another.

    Returns:
        Their positions in order within each group, the number of each one's group, ascending, and their labels.
    """
    read = files.read(["low", "high", "label"], "low", _WHOLE, bucket)
    order = np.lexsort((read["position"], read["high"], read["low"]))
    group = np.cumsum(_starts(read["low"][order], read["high"][order])) - 1
    several = np.bincount(group)[group] > 1
    chosen = order[several]
    return read["position"][chosen].astype(np.int64), group[several], read["label"][chosen]


@dataclass(frozen=True)
class NearSearch:
    """What a search for near hashes compares.

    Attributes:
        masks: The choices of bands (`tasks.images.near.band_masks`).
        max_distance: The most bits that may differ.
        across: Only pairs of different groups count.
        backwards: Positions are counted from the dataset's end, so that `first` means last.
    """

    files: HashFiles
    masks: tuple[int, ...]
    max_distance: int
    across: bool = False
    backwards: bool = False

    @staticmethod
    def prepare(files: HashFiles, groups: Groups, max_distance: int) -> NearSearch:
        """Leave the groups where the workers find them, and choose the masks.

        Args:
            files: The hashes.
            groups: uint8 [images], each image's group, or `LEFT_OUT`.
            max_distance: The most bits that may differ.
        """
        write_partition(files.folder, _GROUPS.path, pa.table({"group": groups}))
        return NearSearch(files, tuple(band_masks(max_distance, files.images)), max_distance)

    def tasks(self) -> list[tuple[int, int]]:
        """Return every bucket of every mask."""
        return [(mask, bucket) for mask in range(len(self.masks)) for bucket in range(self.files.buckets)]

    def pairs(self, task: tuple[int, int]) -> pa.Table:
        """Return the near pairs of one bucket of one mask, of the first image of each hash and group.

        Returns:
            Positions `first` and `second`, the smaller first, and `distance` in bits.
        """
        number, bucket = task
        hashes, positions, groups = self._first_of_each(self.masks[number], bucket)
        left, right, apart = near_pairs(
            hashes, self.masks[: number + 1], self.max_distance, groups if self.across else None
        )
        ends = np.sort(np.stack([positions[left], positions[right]]), axis=0)
        return pa.table({"first": ends[0], "second": ends[1], "distance": apart})

    def same(self, bucket: int) -> pa.Table:
        """Return the images of one bucket whose hash an earlier one has: its position `second`, the other's `first`."""
        hashes, positions, _ = self._read(_WHOLE, bucket)
        order = np.lexsort((positions, hashes))
        starts = _starts(hashes[order])
        leaders = order[np.flatnonzero(starts)][np.cumsum(starts) - 1]
        return pa.table({"first": positions[leaders[~starts]], "second": positions[order[~starts]]})

    def _read(self, mask: int, bucket: int) -> tuple[Hashes, Positions, Groups]:
        read = self.files.read(["perceptual"], "perceptual", mask, bucket)
        positions = read["position"].astype(np.int64)
        groups = read_partition(self.files.folder, _GROUPS)["group"].to_numpy()[positions]
        there = groups != LEFT_OUT
        if self.backwards:
            positions = self.files.images - 1 - positions
        return read["perceptual"][there], positions[there], groups[there]

    def _first_of_each(self, mask: int, bucket: int) -> tuple[Hashes, Positions, Groups]:
        hashes, positions, groups = self._read(mask, bucket)
        order = np.lexsort((positions, groups, hashes))
        first = order[_starts(hashes[order], groups[order])]
        return hashes[first], positions[first], groups[first]


def _starts(*sorted_columns: NDArray[Any]) -> NDArray[np.bool_]:
    """Return where a new combination of values begins."""
    starts = np.zeros(len(sorted_columns[0]), dtype=np.bool_)
    starts[:1] = True
    for values in sorted_columns:
        starts[1:] |= values[1:] != values[:-1]
    return starts
