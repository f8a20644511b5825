"""Splits of images: as the source gives them by groups, the rest by a stable hash of the pixels or of the group."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tasks.data.accounting import WITHOUT_TARGET
from tasks.data.arrow_files import ARROW
from tasks.data.assignment import assign_by_hash
from tasks.data.partitions import Partition, part_name, read_manifest, read_partition, write_partition
from tasks.data.split import SPLITS
from tasks.engine import DaskConfig, map_partitions, open_client
from tasks.errors import DataError
from tasks.references import DatasetRef, SplitRef
from tasks.storage import DigestName, new_folder

SplitName = Literal["train", "validation", "test"]


class ImageSplitConfig(BaseModel):
    """How images are split.

    Attributes:
        method: `content` hashes the pixels, so the same picture always falls into the same split; `group` hashes the
            image's group, so that images of one group stay together.
        given: Splits of whole groups, which no hash changes: `{t10k: test}`.
        train: Share of the rest (of its groups, by `group`) for training.
        validation: Share for validation.
        test: Share for the test; 0 where `given` has the test's groups.
        salt: Changes which images the hash picks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Literal["content", "group"] = "content"
    given: Mapping[str, SplitName] = {}
    train: float = Field(default=0.7, ge=0, le=1)
    validation: float = Field(default=0.15, ge=0, le=1)
    test: float = Field(default=0.15, ge=0, le=1)
    salt: str = ""

    @model_validator(mode="after")
    def _agree(self) -> ImageSplitConfig:
        if abs(sum(self.shares) - 1) > 1e-9:
            raise ValueError(f"train, validation and test must add up to 1, got {sum(self.shares)}")
        nothing = [
            name
            for name, share in zip(SPLITS, self.shares, strict=True)
            if not share and name not in self.given.values()
        ]
        if nothing:
            raise ValueError(f"{' and '.join(nothing)}: a share of 0, and no group is given to it")
        return self

    @property
    def shares(self) -> tuple[float, float, float]:
        """The shares in the order of `SPLITS`."""
        return self.train, self.validation, self.test


def run_split_images(images: DatasetRef, config: ImageSplitConfig, home: Path, dask: DaskConfig) -> SplitRef:
    """Give every image its split: one uint8 for each, a file for each partition.

    An image's split depends on its own pixels or group alone, so it never moves when images are added.

    Raises:
        DataError: A split comes out empty, a group that is given one does not occur, or an image lacks its group.
        DiskFullError: There is no space left; nothing half-written stays.
    """
    partitions = read_manifest(images).partitions
    named = DigestName()
    with new_folder(home / "splits", named) as folder, open_client(dask) as client:
        work = partial(_split_partition, images=images, config=config, folder=folder)
        done = map_partitions(client, work, list(enumerate(partitions)), label="split images")
        counts = np.sum([count for count, _ in done], axis=0)
        rows = {name: int(count) for name, count in zip(SPLITS, counts, strict=True)}
        _require_groups(config, set().union(*(groups for _, groups in done)))
        _require_rows(rows, config)
    return SplitRef(path=str(home / "splits" / named.digest), digest=named.digest, rows={**rows, WITHOUT_TARGET: 0})


def split_images(table: pa.Table, config: ImageSplitConfig) -> NDArray[np.uint8]:
    """Return the split of each image: its place in `SPLITS`.

    Args:
        table: Columns `content` and `group`, and for messages `source_file`.
        config: How to split.

    Raises:
        DataError: By `group`, an image has none.
    """
    if config.method == "group" and table["group"].null_count:
        lost = table.filter(table["group"].is_null())["source_file"].unique().to_pylist()
        raise DataError(
            f"split.method: `group`, but {table['group'].null_count:,} images of one partition have no group, such as "
            f"those of {', '.join(lost[:5])}\n  do: mend `source.group_pattern` or `source.group_column`"
        )
    codes = assign_by_hash([table[config.method]], shares=config.shares, salt=config.salt)
    groups = np.asarray(table["group"].to_numpy(), dtype=object)
    for group, split in config.given.items():
        codes[groups == group] = SPLITS.index(split)
    return codes


def _split_partition(
    numbered: tuple[int, Partition], *, images: DatasetRef, config: ImageSplitConfig, folder: Path
) -> tuple[NDArray[np.int64], set[str]]:
    """Write one partition's splits; returns the rows of each, int64 [3], and which of the given groups occur."""
    index, partition = numbered
    table = read_partition(images.folder, partition, ["content", "group", "source_file"])
    codes = split_images(table, config)
    write_partition(folder, part_name(index, ARROW), pa.table({"split": codes}))
    return np.bincount(codes, minlength=len(SPLITS)), set(config.given) & set(table["group"].unique().to_pylist())


def _require_groups(config: ImageSplitConfig, occurring: set[str]) -> None:
    lost = sorted(set(config.given) - occurring)
    if lost:
        raise DataError(
            f"split.given: no image has the group {', '.join(f'`{group}`' for group in lost[:5])}\n"
            "  do: mend the name, or `source.group_pattern` or `source.group_column`, which give images their groups"
        )


def _require_rows(rows: Mapping[str, int], config: ImageSplitConfig) -> None:
    empty = [name for name in SPLITS if not rows[name]]
    if empty:
        raise DataError(
            f"split: no image falls into {' and '.join(empty)} (images: {dict(rows)}, method `{config.method}`)\n"
            "  do: give more images, other shares or another `salt`; by group there must be many groups"
        )
