"""Duplicates among images: the same pixels, and pictures that look the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tasks.data.accounting import ACCOUNTING, RowAccounting, read_accounting
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
from tasks.engine import Client, DaskConfig, map_partitions, open_client
from tasks.errors import DataError
from tasks.images.findings import CONFLICT, EXACT, KEPT, LABEL_CONFLICT, NEAR, Findings, write_findings
from tasks.images.hashing import PerceptualHash
from tasks.images.layout import LAYOUT, read_layout, write_layout
from tasks.images.near import MOST_DISTANCE, keep_one, require_few
from tasks.images.search import LEFT_OUT, HashFiles, NearSearch, equal_groups, write_hashes
from tasks.references import DatasetRef
from tasks.storage import digest_file, new_folder, remove_folder, write_json

Keep = Literal["first", "last", "none"]


class NearDuplicatesConfig(BaseModel):
    """How pictures that look the same are found, by a 64-bit perceptual hash.

    A hash sees shapes, not details: among pictures that are all of one pose (products cut out on a plain background,
    letters, scans) two may be alike without being the same. Look at `duplicates.parquet` before you rely on it there.

    Attributes:
        hash: `frequency` (pHash) or `difference` (dHash: cheaper, and far coarser on a plain background).
        max_distance: Images whose hashes differ in at most so many bits are near-duplicates. Half of a `frequency`
            hash's bits are always set, so its distances are even.
        keep: Which stay. `first` and `last` walk through the images in that direction and drop what is near to one
            that stays; `none` drops every image that has a near-duplicate.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hash: PerceptualHash = "frequency"
    max_distance: int = Field(default=2, ge=0, le=MOST_DISTANCE)
    keep: Keep = "first"


class ImageDuplicatesConfig(BaseModel):
    """Which duplicates are dropped.

    Attributes:
        exact: Which of the images with the same pixels stays; `ignore` looks for none. If their labels differ, none
            can be right for sure: all of them go to the quarantine, by the rule `duplicate.label_conflict`.
        near: How near-duplicates are found; none are looked for without it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    exact: Literal["first", "last", "none", "ignore"] = "first"
    near: NearDuplicatesConfig | None = None


def run_deduplicate_images(
    images: DatasetRef, config: ImageDuplicatesConfig, home: Path, dask: DaskConfig
) -> DatasetRef:
    """Write the images that stay, with the accounting and a table of what was dropped for which image that stays.

    Raises:
        DataError: There are too many near pairs to mean anything, or no image stays.
        DiskFullError: There is no space left; nothing half-written stays.
    """
    perceptual = None if config.near is None else config.near.hash
    layout = read_layout(images)
    with new_folder(home / DATASETS, manifest_digest) as folder, open_client(dask) as client:
        files = write_hashes(client, images, perceptual, folder / ".hashes")
        findings = Findings.none(files.images)
        if config.exact != "ignore":
            _find_exact(client, files, config.exact, findings)
        if config.near is not None:
            _find_near(client, files, config.near, findings)
        remove_folder(files.folder)
        _require_some(findings)
        written = _rewrite(client, images, findings, files.starts, folder)
        accounting = _continued(read_accounting(images), findings)
        write_json(folder / ACCOUNTING, accounting.model_dump(mode="json"))
        write_layout(folder, layout)
        paths = [LAYOUT, ACCOUNTING, *write_findings(client, images, findings, folder)]
        manifest = Manifest(
            columns=read_manifest(images).columns,
            partitions=tuple(each.partition for each in written),
            digests={each.partition.path: each.digest for each in written}
            | {path: digest_file(folder / path) for path in paths},
        )
        write_manifest(folder, manifest)
    return stored(home, manifest)


def _require_some(findings: Findings) -> None:
    if not findings.count(KEPT):
        raise DataError(
            f"duplicate images: none of {len(findings.reasons):,} images stays\n"
            "  do: take `keep: first` or `exact: first`, or a smaller `max_distance`"
        )


def _find_exact(client: Client, files: HashFiles, keep: Keep, findings: Findings) -> None:
    work = partial(equal_groups, files=files)
    for positions, group, labels in map_partitions(client, work, range(files.buckets), label="equal images"):
        if not len(positions):
            continue
        starts = np.flatnonzero(np.diff(group, prepend=-1))
        which = np.repeat(np.arange(len(starts)), np.diff([*starts, len(group)]))
        first, last = positions[starts][which], positions[[*(starts[1:] - 1), -1]][which]
        conflict = np.logical_or.reduceat(labels != labels[starts][which], starts)[which]
        stays = last if keep == "last" else first
        # Where none stays, the first and the last of a group stand for each other.
        twin = np.where(positions == stays, np.where(stays == first, last, first), stays)
        gone = (conflict | (keep == "none")) | (positions != stays)
        findings.record(positions[gone & ~conflict], EXACT, twin[gone & ~conflict])
        findings.record(positions[conflict], CONFLICT, twin[conflict])


def _find_near(client: Client, files: HashFiles, config: NearDuplicatesConfig, findings: Findings) -> None:
    groups = np.where(findings.reasons == KEPT, 0, LEFT_OUT).astype(np.uint8)
    search = NearSearch.prepare(files, groups, config.max_distance)
    search = replace(search, backwards=config.keep == "last")
    pairs = pa.concat_tables(map_partitions(client, search.pairs, search.tasks(), label="near images"))
    require_few(pairs.num_rows, config.max_distance)
    same = pa.concat_tables(map_partitions(client, search.same, range(files.buckets), label="near images: same hash"))
    first, second, apart = (pairs[name].to_numpy() for name in ("first", "second", "distance"))
    leaders, followers = (same[name].to_numpy() for name in ("first", "second"))
    if config.keep == "none":
        findings.record(np.concatenate([first, second]), NEAR, np.concatenate([second, first]), np.tile(apart, 2))
        findings.record(np.concatenate([leaders, followers]), NEAR, np.concatenate([followers, leaders]))
        return
    because = keep_one(first, second, files.images)
    gone = np.flatnonzero(because >= 0)
    twins, distance = np.full(files.images, -1), np.zeros(files.images, np.uint8)
    twins[gone], distance[gone] = first[because[gone]], apart[because[gone]]
    # Images of one hash share a fate: if their first one goes, they go for the same image as it does.
    twins[followers] = np.where(twins[leaders] < 0, leaders, twins[leaders])
    distance[followers] = distance[leaders]
    gone = np.flatnonzero(twins >= 0)
    twins, distance = twins[gone], distance[gone]
    if search.backwards:
        gone, twins = files.images - 1 - gone, files.images - 1 - twins
    findings.record(gone, NEAR, twins, distance)


def _rewrite(
    client: Client, images: DatasetRef, findings: Findings, starts: tuple[int, ...], folder: Path
) -> list[WrittenPartition]:
    partitions = read_manifest(images).partitions
    masks = [findings.reasons[start:stop] == KEPT for start, stop in pairwise(starts)]
    work = partial(_rewrite_partition, source=images.folder, folder=folder)
    numbered = list(zip(range(len(partitions)), partitions, masks, strict=True))
    done = map_partitions(client, work, numbered, label="drop duplicates")
    return [written for written in done if written is not None]


def _rewrite_partition(
    item: tuple[int, Partition, NDArray[np.bool_]], *, source: Path, folder: Path
) -> WrittenPartition | None:
    index, partition, stays = item
    if not stays.any():
        return None
    table = read_partition(source, partition)
    return write_partition(folder, part_name(index), table if stays.all() else table.filter(pa.array(stays)))


def _continued(before: RowAccounting, findings: Findings) -> RowAccounting:
    conflicts = findings.count(CONFLICT)
    quarantined: Mapping[str, int] = before.quarantined
    if conflicts:
        quarantined = dict(sorted({**quarantined, LABEL_CONFLICT: conflicts}.items()))
    return before.model_copy(
        update={
            "kept": findings.count(KEPT),
            "quarantined": quarantined,
            "duplicates": before.duplicates + findings.count(EXACT) + findings.count(NEAR),
        }
    ).reconciled()
