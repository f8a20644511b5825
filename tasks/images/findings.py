"""Which images are duplicates, of which others, and how that is written down for people."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.data.partitions import Partition, part_name, read_manifest, read_partition, write_partition
from tasks.engine import Client, map_partitions
from tasks.images.ingest import QUARANTINE, QUARANTINE_SCHEMA
from tasks.images.layout import read_layout
from tasks.references import DatasetRef

DUPLICATES = "duplicates.parquet"
LABEL_CONFLICT = "duplicate.label_conflict"
KEPT, EXACT, NEAR, CONFLICT = range(4)

Positions = NDArray[np.int64]
_PLACE = ["source_file", "source_row", "label"]


@dataclass(frozen=True)
class Findings:
    """What was found of every image of a dataset, by its position; ten bytes an image.

    Attributes:
        reasons: uint8 [N]: `KEPT`, or why the image goes.
        twins: int64 [N]: position of the image it is like; -1 where it stays.
        distances: uint8 [N]: in how many bits their perceptual hashes differ.
    """

    reasons: NDArray[np.uint8]
    twins: Positions
    distances: NDArray[np.uint8]

    @staticmethod
    def none(images: int) -> Findings:
        """Return that every image stays."""
        return Findings(np.zeros(images, np.uint8), np.full(images, -1, np.int64), np.zeros(images, np.uint8))

    def record(
        self, positions: Positions, reason: int, twins: Positions, distances: NDArray[np.integer] | int = 0
    ) -> None:
        """Note why images go."""
        self.reasons[positions] = reason
        self.twins[positions] = twins
        self.distances[positions] = distances

    def count(self, reason: int) -> int:
        """Return how many images have a reason."""
        return int((self.reasons == reason).sum())


def write_findings(client: Client, images: DatasetRef, findings: Findings, folder: Path) -> list[str]:
    """Write `duplicates.parquet` and the images of conflicting labels for the quarantine, each where there is any.

    A duplicate has its `kind` (`exact` or `near`), `distance` in bits, `source_file`, `source_row` and class, and the
    `like_file`, `like_row` and `like_label` of the image for which it goes.

    Returns:
        The files, relative to the folder.
    """
    gone = np.flatnonzero(findings.reasons != KEPT)
    if not len(gone):
        return []
    own, twin = (read_places(client, images, each) for each in (gone, findings.twins[gone]))
    classes = read_layout(images).classes
    reasons = findings.reasons[gone]
    written = []
    duplicate = pa.array(reasons != CONFLICT)
    if duplicate.true_count:
        table = pa.table(
            {
                "kind": pa.array(np.where(reasons == EXACT, "exact", "near"), pa.string()),
                "distance": findings.distances[gone],
                "source_file": own["source_file"],
                "source_row": own["source_row"],
                "label": _names(own, classes),
                "like_file": twin["source_file"],
                "like_row": twin["source_row"],
                "like_label": _names(twin, classes),
            }
        ).filter(duplicate)
        written.append(write_partition(folder, DUPLICATES, table).partition.path)
    conflict = pa.array(reasons == CONFLICT)
    if conflict.true_count:
        table = _quarantined(own.filter(conflict), twin.filter(conflict), classes)
        written.append(write_partition(folder, f"{QUARANTINE}/{part_name(0)}", table).partition.path)
    return written


def _quarantined(own: pa.Table, twin: pa.Table, classes: tuple[str, ...]) -> pa.Table:
    details = [
        f"same pixels as {row['source_file']}, row {row['source_row']}, of class {classes[row['label']]}"
        for row in twin.to_pylist()
    ]
    columns = [
        [LABEL_CONFLICT] * own.num_rows,
        details,
        _names(own, classes),
        own["source_file"],
        own["source_row"],
    ]
    return pa.table(dict(zip(QUARANTINE_SCHEMA.names, columns, strict=True)), schema=QUARANTINE_SCHEMA)


def _names(places: pa.Table, classes: tuple[str, ...]) -> list[str]:
    return [classes[label] for label in places["label"].to_pylist()]


def read_places(client: Client, images: DatasetRef, positions: Positions) -> pa.Table:
    """Return where images came from, with their labels: a row for each position, in the positions' order."""
    partitions = read_manifest(images).partitions
    wanted, inverse = np.unique(positions, return_inverse=True)
    starts = np.cumsum([0, *(partition.rows for partition in partitions)])
    ends = np.searchsorted(wanted, starts)
    items = [
        (partition, wanted[first:stop] - start)
        for partition, start, (first, stop) in zip(partitions, starts[:-1], pairwise(ends), strict=True)
        if first < stop
    ]
    found = map_partitions(client, partial(_places, folder=images.folder), items, label="name images")
    return pa.concat_tables(found).take(pa.array(inverse))


def _places(item: tuple[Partition, Positions], *, folder: Path) -> pa.Table:
    partition, rows = item
    return read_partition(folder, partition, _PLACE).take(pa.array(rows))
