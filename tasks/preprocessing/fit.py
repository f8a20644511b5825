"""Fit: statistics of the training split, turned into the constants of preprocessing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data_contracts.contract import Contract
from tasks.data.partitions import Partition, read_manifest
from tasks.data.split import SPLITS, read_codes
from tasks.engine import DaskConfig, merge_partitions, open_client
from tasks.preprocessing.chained import fit_chain
from tasks.preprocessing.columns import Categories
from tasks.preprocessing.config import PreprocessConfig
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.features import Fitted, fit_features
from tasks.preprocessing.finish import finished_matrix
from tasks.preprocessing.forest import fit_forest
from tasks.preprocessing.joint import folds_of
from tasks.preprocessing.joint_numbers import Joint, joint_of, merged
from tasks.preprocessing.options import category_options, number_options, require_preprocessing
from tasks.preprocessing.plan import Measure, target_measures
from tasks.preprocessing.problem import require_target
from tasks.preprocessing.raw_rows import RawRows, read_as_it_stands
from tasks.preprocessing.reference import describe
from tasks.preprocessing.refine import refine_features, refine_summaries
from tasks.preprocessing.sample import RowSample, draw
from tasks.preprocessing.statistics import CategorySummary, NumericSummary, Summaries, merge_summaries
from tasks.preprocessing.target import fit_target
from tasks.references import DatasetRef, PreprocessingRef, SplitRef
from tasks.storage import DigestName, naming_lost, new_folder, write_json

__all__ = ["read_out_of_fold", "read_preprocessing", "run_fit"]

PREPROCESSING = "preprocessing.json"
REFERENCE = "reference.json"
OUT_OF_FOLD = "out_of_fold.json"


@dataclass(frozen=True)
class TrainingSummary:
    """What one pass over the training split finds.

    Attributes:
        columns: By measure.
        joints: By measure with target encoding.
        samples: By purpose, `chain` and `forest`.
    """

    columns: Summaries
    joints: Mapping[str, Joint]
    samples: Mapping[str, RowSample]

    def merge(self, later: TrainingSummary) -> TrainingSummary:
        """Return what was found in both sets of rows together."""
        return TrainingSummary(
            merge_summaries(self.columns, later.columns),
            {name: merged(joint, later.joints[name]) for name, joint in self.joints.items()},
            {name: sample.merge(later.samples[name]) for name, sample in self.samples.items()},
        )


@dataclass(frozen=True)
class _Summariser:
    """The first pass over the training split.

    Attributes:
        folds: By measure with target encoding.
        shares: By sample, the share of the training rows to draw, and the seed.
    """

    clean: DatasetRef
    split: SplitRef
    measures: Sequence[Measure]
    folds: Mapping[str, int]
    shares: Mapping[str, tuple[float, int]]

    def summarise(self, numbered: tuple[int, Partition]) -> TrainingSummary:
        """Summarise the training rows of one partition."""
        index, partition = numbered
        train = read_codes(self.split, index) == SPLITS.index("train")
        columns = list(dict.fromkeys(measure.column.name for measure in self.measures))
        table, kept = read_as_it_stands(self.clean.folder, partition, columns)
        rows = RawRows(table, kept[train])
        target = self._target(rows) if self.folds else None
        summaries: dict[str, NumericSummary | CategorySummary] = {}
        joints: dict[str, Joint] = {}
        for measure in self.measures:
            name = measure.name
            if measure.kind == "numeric":
                summaries[name] = NumericSummary.of(rows.numbers(measure.column.name, measure.part))
            elif measure.kind == "category":
                found = rows.categories(measure.column.name, measure.part)
                summaries[name] = CategorySummary.of(found)
                if (folds := self.folds.get(name)) and target is not None:
                    joints[name] = joint_of(found, target, folds_of(index, len(train), folds)[train], folds)
        return TrainingSummary(summaries, joints, self._samples(index, rows))

    def _target(self, rows: RawRows) -> Categories | NDArray[np.float64]:
        """Return the target as what it is joined with categories as."""
        targets = target_measures(self.measures)
        if len(targets) == 1 and targets[0].kind == "category":
            return rows.categories(targets[0].column.name)
        return np.stack([rows.numbers(each.column.name) for each in targets], axis=1)

    def _samples(self, index: int, rows: RawRows) -> dict[str, RowSample]:
        names = [measure.column.name for measure in numeric_columns(self.measures)]
        samples = {}
        for purpose, (share, seed) in self.shares.items():
            drawn = draw(index, len(rows), share, seed)
            samples[purpose] = RowSample(np.stack([rows.numbers(name)[drawn] for name in names], axis=1))
        return samples


def numeric_columns(measures: Sequence[Measure]) -> list[Measure]:
    """Return the raw numeric columns among the features, without calendar parts."""
    return [each for each in measures if each.kind == "numeric" and each.role == "feature" and each.part is None]


def run_fit(
    clean: DatasetRef, split: SplitRef, contract: Contract, config: PreprocessConfig, home: Path, dask: DaskConfig
) -> PreprocessingRef:
    """Fit preprocessing on the training split alone.

    Writes `preprocessing.json`, the constants; `reference.json`, the training split's statistics for each raw column
    and what was left out of the features and why; and with target encoding `out_of_fold.json`, for each encoding and
    fold the values that training rows of that fold take.

    Raises:
        ConfigError: The config names a column that the contract lacks, or asks for what a column cannot serve.
        TrainingError: The target does not change in the training split or does not fit the problem, no feature is
            left, or an option cannot serve the values that training has.
        DiskFullError: There is no space left; nothing half-written stays.
    """
    measures = require_preprocessing(contract, config)
    partitions = list(enumerate(read_manifest(clean).partitions))
    with open_client(dask) as client:
        summarise = _summariser(clean, split, measures, config).summarise
        found = merge_partitions(client, summarise, partitions, TrainingSummary.merge, label="fit")
        columns = found.columns
        if config.exact:
            columns = refine_summaries(client, (clean, split, partitions), measures, columns, config)
        targets = [measure.column for measure in target_measures(measures)]
        target = fit_target(targets, columns, config, require_target(contract, config))
        fitted = fit_features(measures, columns, found.joints, target, config)
        if config.exact:
            fitted.numeric = refine_features(client, (clean, split, partitions), fitted.numeric, columns, config)
    names = [measure.name for measure in numeric_columns(measures)]
    chain = None
    if "chain" in found.samples:
        chain = fit_chain(fitted.numeric, names, found.samples["chain"].rows, config.chained)
    preprocessing = Preprocessing(
        numeric=tuple(fitted.numeric),
        categorical=tuple(fitted.categorical),
        target=target,
        encodings=tuple(encoded.encoding for encoded in fitted.encodings),
        chain=chain,
        quarantine=tuple(fitted.quarantine),
        keep=config.keep,
        count_repairs=config.count_repairs,
        format=config.format,
    )
    if config.row_outliers is not None:
        sample = pa.table({name: found.samples["forest"].rows[:, index] for index, name in enumerate(names)})
        judged, matrix = finished_matrix(preprocessing, RawRows(sample))
        preprocessing = fit_forest(preprocessing, judged, matrix, config.row_outliers)
    reference = describe(measures, columns, fitted.left_out, split.rows["train"])
    return _write(home, preprocessing, reference, fitted)


def _write(home: Path, preprocessing: Preprocessing, reference: Mapping[str, Any], fitted: Fitted) -> PreprocessingRef:
    folder = home / "preprocessing"
    tables = {
        encoded.encoding.category.name: [table.tolist() for table in encoded.folds]
        for encoded in fitted.encodings
        if encoded.folds
    }
    named = DigestName()
    with new_folder(folder, named) as fresh:
        write_json(fresh / PREPROCESSING, preprocessing.model_dump(mode="json"))
        write_json(fresh / REFERENCE, reference)
        if tables:
            write_json(fresh / OUT_OF_FOLD, tables)
    return PreprocessingRef(path=str(folder / named.digest), digest=named.digest)


def _summariser(
    clean: DatasetRef, split: SplitRef, measures: Sequence[Measure], config: PreprocessConfig
) -> _Summariser:
    folds: dict[str, int] = {}
    for measure in measures:
        if measure.kind == "category" and measure.role == "feature":
            encode = category_options(measure, config).encode
            folds |= {measure.name: encode.folds} if encode.method == "target" else {}
    train, shares = split.rows["train"], {}
    if any(number_options(each, config).impute.method == "chained" for each in numeric_columns(measures)):
        shares["chain"] = (config.chained.sample_rows / train, config.chained.seed)
    if config.row_outliers is not None:
        shares["forest"] = (config.row_outliers.sample_rows / train, config.row_outliers.seed)
    return _Summariser(clean, split, measures, folds, shares)


def read_preprocessing(preprocessing: PreprocessingRef) -> Preprocessing:
    """Read fitted constants.

    Raises:
        IntegrityError: The file is gone.
    """
    path = preprocessing.folder / PREPROCESSING
    with naming_lost(path, "the fitted constants are"):
        return Preprocessing.model_validate_json(path.read_bytes())


def read_out_of_fold(preprocessing: PreprocessingRef) -> dict[str, NDArray[np.float64]]:
    """Read what training rows take in place of target encodings: by encoding, float64 [folds, outputs, codes]."""
    path = preprocessing.folder / OUT_OF_FOLD
    if not path.exists():
        return {}
    return {name: np.array(values) for name, values in json.loads(path.read_bytes()).items()}
