"""Augment: a features dataset whose training split has rows added or left out; nothing else is touched."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from serving.bundle.places import RemotePath
from tasks.augmentation.accounting import AUGMENTATION, AugmentationAccounting
from tasks.augmentation.balance import INTERPOLATING, planned_rows
from tasks.augmentation.classes import group_names
from tasks.augmentation.config import AugmentConfig
from tasks.augmentation.draws import Draws
from tasks.augmentation.noise import Noise
from tasks.augmentation.partitions import TRAIN, Counts, Outcome, Part, Plan, measure_part, parts_of, write_part
from tasks.augmentation.rows import AUGMENTED, PARENT, PARENT_2
from tasks.augmentation.statistics import TrainingStatistics, rows_before
from tasks.augmentation.suspects import suspected_positions
from tasks.augmentation.synthesis import Synthesis, require_interpolation, write_interpolated
from tasks.data.partitions import DATASETS, Manifest, manifest_digest, read_manifest, stored, write_manifest
from tasks.engine import DaskConfig, map_partitions, merge_partitions, open_client
from tasks.errors import ConfigError, IntegrityError, TrainingError
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.fit import read_preprocessing
from tasks.references import DatasetRef, LabelNoiseRef, PreprocessingRef
from tasks.storage import copy_file, digest_file, is_remote, naming_lost, new_folder, write_json

# What disks answer that know no links, or none to there.
_NO_LINKS = frozenset({errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS})


@dataclass(frozen=True)
class _Input:
    """What is augmented: the dataset's folder and manifest, and the training split's partitions."""

    folder: Path
    manifest: Manifest
    parts: list[Part]
    constants: Preprocessing


def run_augment(
    features: DatasetRef,
    preprocessing: PreprocessingRef,
    config: AugmentConfig,
    home: Path,
    dask: DaskConfig,
    label_noise: LabelNoiseRef | None = None,
) -> DatasetRef:
    """Write a features dataset with an augmented training split.

    First label noise is left out, then the classes are balanced, then noisy copies are added of every row that is
    then there. Files of the other splits are the same files. Every training row has the columns `_parent` (int64, its
    position in the training split of `features`, or that of the row that it was made from), `_parent_2` (the other
    parent of an interpolated row, else -1) and `_augmented` (bool). `augmentation.json` accounts for all rows.

    Args:
        features: A features dataset.
        preprocessing: What made it.
        config: What to do. With `when: batch` only label noise is left out here.
        home: The dataset is written under `home/datasets`.
        dask: Where partitions are measured and written; interpolation happens in this process.
        label_noise: The report whose suspected rows are left out; None leaves every row in.

    Returns:
        The new dataset, or `features` itself if there is nothing to do.

    Raises:
        ConfigError: The method does not fit the features, a class is unknown, or memory would not do.
        TrainingError: A class has too few rows for what is asked, or nothing would be left.
        IntegrityError: The dataset is augmented already, the label noise is of another one, or the row accounting does
            not add up.
        DiskFullError: There is no space left; nothing half-written stays.
    """
    if label_noise is None and not config.rewrites:
        return features
    manifest, constants = read_manifest(features), read_preprocessing(preprocessing)
    suspects = np.empty(0, dtype=np.int64) if label_noise is None else suspected_positions(label_noise, features)
    given = _Input(features.folder, manifest, parts_of(manifest.of_split(TRAIN), suspects), constants)
    _require_fresh(given)
    asked = config if config.rewrites else AugmentConfig()
    if asked.balance.method in INTERPOLATING:
        require_interpolation(asked.balance, constants)
    with new_folder(home / DATASETS, manifest_digest) as folder, open_client(dask) as client:
        work = partial(measure_part, source=given.folder, constants=constants)
        found = merge_partitions(client, work, given.parts, TrainingStatistics.merge, label="augment: measure")
        balanced = asked.balance.method != "none"
        wanted = planned_rows(found.counts, asked.balance, constants.class_target) if balanced else found.counts
        plan = _plan(found, wanted, asked, constants)
        write = partial(write_part, source=given.folder, plan=plan, folder=folder)
        numbered = list(zip(given.parts, rows_before(found.classes), strict=True))
        outcomes = map_partitions(client, write, numbered, label="augment")
        made = _interpolated(given, found, wanted, asked, plan, folder)
        accounting = _accounting(asked, found, outcomes, made, constants)
        new = _finish(folder, given, [*outcomes, *made], accounting)
    return stored(home, new)


def _require_fresh(given: _Input) -> None:
    if AUGMENTATION in given.manifest.digests:
        raise IntegrityError(
            f"{given.folder}: the dataset is augmented already; expected features as the transform writes them\n"
            "  do: augment the dataset that it was made from"
        )
    for name in (PARENT, PARENT_2, AUGMENTED):
        if name in given.manifest.columns:
            raise ConfigError(
                f"augment: a column is named `{name}`, which augmentation writes\n  do: rename it, or leave it out"
            )
    if not given.parts:
        raise TrainingError(
            f"dataset {given.folder}: the training split has no row to augment\n  do: give it a larger share in split"
        )


def _plan(found: TrainingStatistics, wanted: Counts, config: AugmentConfig, constants: Preprocessing) -> Plan:
    noise, balance = config.noise, config.balance
    draws = Draws.of(found.counts, wanted, balance.seed) if balance.method in {"over", "under"} else None
    fitted = None if noise is None else Noise.of(noise, found.spread, found.codes)
    return Plan(constants, draws, fitted, noise.copies if noise else 0, noise.seed if noise else 0)


def _interpolated(
    given: _Input, found: TrainingStatistics, wanted: Counts, config: AugmentConfig, plan: Plan, folder: Path
) -> list[Outcome]:
    counts = found.counts
    if config.balance.method not in INTERPOLATING or np.array_equal(counts, wanted):
        return []
    synthesis = Synthesis(config.balance, counts, wanted, found.spread.two_valued)
    return write_interpolated(given.parts, given.folder, synthesis, plan, folder)


def _accounting(
    config: AugmentConfig,
    found: TrainingStatistics,
    outcomes: Sequence[Outcome],
    made: Sequence[Outcome],
    constants: Preprocessing,
) -> AugmentationAccounting:
    names = group_names(constants.target)
    nothing = np.zeros(len(names), dtype=np.int64)

    def by_name(counts: Counts) -> Mapping[str, int]:
        return {name: int(count) for name, count in zip(names, counts, strict=True)}

    def shown(every: Mapping[str, Counts]) -> Mapping[str, Mapping[str, int]]:
        return {reason: by_name(counts) for reason, counts in every.items() if counts.any()}

    each = [*outcomes, *made]
    left_out = {"label_noise": found.left_out, "under": sum((one.dropped for one in outcomes), nothing)}
    added = {
        "over": sum((one.repeated for one in outcomes), nothing),
        "noise": sum((one.noisy for one in each), nothing),
    }
    if made:
        added[config.balance.method] = sum((one.repeated for one in made), nothing)
    return AugmentationAccounting(
        before=by_name(found.counts + found.left_out),
        left_out=shown(left_out),
        added=shown(added),
        after=by_name(sum((one.after for one in each), nothing)),
    ).reconciled()


def _finish(folder: Path, given: _Input, outcomes: Sequence[Outcome], accounting: AugmentationAccounting) -> Manifest:
    """Share the other splits' files, and write the accounting and the manifest."""
    kept = [partition for partition in given.manifest.partitions if partition.split != TRAIN]
    written = [file for outcome in outcomes for file in outcome.files]
    if not written:
        raise TrainingError(
            "augment: no training row is left\n  do: look at the label noise report; its model may be too weak"
        )
    digests = {file.partition.path: file.digest for file in written}
    for path in sorted({partition.path for partition in kept}):
        _share(given.folder / path, folder / path)
        digests[path] = given.manifest.digests[path]
    write_json(folder / AUGMENTATION, accounting.model_dump(mode="json"))
    digests[AUGMENTATION] = digest_file(folder / AUGMENTATION)
    partitions = (*(file.partition for file in written), *kept)
    # The columns are those that every split has; the training split's own three are described by `run_augment`.
    manifest = Manifest(columns=given.manifest.columns, partitions=partitions, digests=digests)
    write_manifest(folder, manifest)
    return manifest


def _share(source: Path, target: Path) -> None:
    """Make a file appear in another folder: the same file where the disk can do that, else a copy."""
    with naming_lost(source, "a file of the features is"):
        if isinstance(source, RemotePath) and isinstance(target, RemotePath):
            source.store.copy([str(source)], [str(target)])
        elif is_remote(source) or is_remote(target):
            copy_file(source, target)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            _link(source, target)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        copy_file(source, target)
