"""Fit: the channels' statistics and the classes of the training split, as the constants of preprocessing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.data.partitions import Partition, read_manifest, read_partition
from tasks.data.split import SPLITS, read_codes
from tasks.engine import DaskConfig, merge_partitions, open_client
from tasks.errors import TrainingError
from tasks.images.layout import CLASS, IMAGE, ImageLayout, pixels_of, read_layout
from tasks.images.statistics import ChannelStatistics
from tasks.preprocessing.constants import ImageInput, Preprocessing
from tasks.preprocessing.fit import PREPROCESSING, REFERENCE
from tasks.preprocessing.targets import ClassTarget
from tasks.references import DatasetRef, PreprocessingRef, SplitRef
from tasks.storage import DigestName, new_folder, write_json

_SHOWN = 5


@dataclass(frozen=True)
class _Found:
    """The channels of the training images, and how many images of each class each split has, int64 [3, classes]."""

    channels: ChannelStatistics
    classes: NDArray[np.int64]

    def merge(self, other: _Found) -> _Found:
        return _Found(self.channels.merge(other.channels), self.classes + other.classes)


def run_fit_images(images: DatasetRef, split: SplitRef, home: Path, dask: DaskConfig) -> PreprocessingRef:
    """Fit preprocessing on the training split alone; which classes the other splits have is looked at too.

    Writes `preprocessing.json`, the constants, and `reference.json`, what the training split looked like. Classes keep
    the dataset's order; those without any image are left out.

    Raises:
        TrainingError: The training split has one class, or lacks a class that another split has.
        DiskFullError: There is no space left; nothing half-written stays.
    """
    layout = read_layout(images)
    with open_client(dask) as client:
        work = partial(_look, images=images, split=split, layout=layout)
        numbered = list(enumerate(read_manifest(images).partitions))
        found = merge_partitions(client, work, numbered, _Found.merge, label="fit")
    _require_classes(found.classes, layout)
    train = found.classes[SPLITS.index("train")]
    constants = Preprocessing(
        numeric=(),
        categorical=(),
        target=ClassTarget(
            column=CLASS,
            source="string",
            classes=tuple(name for name, count in zip(layout.classes, train, strict=True) if count),
        ),
        image=ImageInput(
            column=IMAGE,
            height=layout.height,
            width=layout.width,
            mode=layout.mode,
            mean=found.channels.mean,
            deviation=found.channels.std,
        ),
    )
    named = DigestName()
    with new_folder(home / "preprocessing", named) as folder:
        write_json(folder / PREPROCESSING, constants.model_dump(mode="json"))
        write_json(folder / REFERENCE, _reference(constants, train[train > 0]))
    return PreprocessingRef(path=str(home / "preprocessing" / named.digest), digest=named.digest)


def _look(numbered: tuple[int, Partition], *, images: DatasetRef, split: SplitRef, layout: ImageLayout) -> _Found:
    index, partition = numbered
    table, codes = read_partition(images.folder, partition, [IMAGE, "label"]), read_codes(split, index)
    size = len(layout.classes)
    places = codes.astype(np.int64) * size + table["label"].to_numpy()
    train = pixels_of(table[IMAGE], layout.shape)[codes == SPLITS.index("train")]
    counts = np.bincount(places, minlength=len(SPLITS) * size).reshape(len(SPLITS), size)
    return _Found(ChannelStatistics.of(train), counts)


def _require_classes(counts: NDArray[np.int64], layout: ImageLayout) -> None:
    train = counts[SPLITS.index("train")]
    lost = [
        f"`{name}` ({counts[:, place].sum():,} images in the other splits)"
        for place, name in enumerate(layout.classes)
        if not train[place] and counts[:, place].any()
    ]
    if lost:
        raise TrainingError(
            f"classes: the training split has no image of {', '.join(lost[:_SHOWN])}; a model cannot know what it has "
            "never seen\n  do: give training a larger share, another `split.salt`, or name in `source.classes` only "
            "the classes that are to be told apart"
        )
    present = [name for name, count in zip(layout.classes, train, strict=True) if count]
    if len(present) < 2:
        raise TrainingError(
            f"classes: the training split has one class, `{present[0]}`, in {train.sum():,} images; there is nothing "
            "to tell apart\n  do: give images of at least two classes, or mend `source.class_folder` or "
            "`source.label_column`"
        )


def _reference(constants: Preprocessing, counts: NDArray[np.int64]) -> dict[str, Any]:
    """Describe the training split, in the words of `tasks.preprocessing.reference`."""
    image, target = constants.image, constants.class_target
    assert image is not None
    rows = int(counts.sum())
    return {
        "split": "train",
        "rows": rows,
        "columns": {image.column: {"logical_type": "image", "rows": rows, "mean": image.mean, "std": image.deviation}},
        "target": {
            "name": target.column,
            "logical_type": "string",
            "rows": rows,
            "distinct": len(counts),
            "values": dict(zip(map(str, target.classes), counts.tolist(), strict=True)),
        },
        "left_out": {},
    }
