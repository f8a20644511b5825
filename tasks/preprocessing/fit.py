"""Fit: statistics of the training split, turned into the constants of preprocessing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from data_contracts.contract import Contract
from tasks.data.partitions import Partition, read_manifest
from tasks.data.split import read_split_partition
from tasks.engine import DaskConfig, merge_partitions, open_client
from tasks.preprocessing.columns import category_values, numeric_values
from tasks.preprocessing.constants import CalendarPart, Preprocessing
from tasks.preprocessing.features import FeatureRules, fit_features, fit_target
from tasks.preprocessing.plan import Measure, feature_columns, plan_measures
from tasks.preprocessing.reference import describe
from tasks.preprocessing.statistics import CategorySummary, NumericSummary, Summaries, merge_summaries
from tasks.references import DatasetRef, PreprocessingRef, SplitRef
from tasks.storage import digest_folder, naming_lost, new_folder, write_json

PREPROCESSING = "preprocessing.json"
REFERENCE = "reference.json"


class PreprocessConfig(BaseModel):
    """What becomes a feature, and how.

    Attributes:
        target: The column to predict.
        include: The raw columns to make features of; by default all but the target.
        exclude: Raw columns to leave out, such as keys.
        categorical: Integer or boolean columns whose values are names, not amounts.
        calendar_numeric: Parts of dates and timestamps that become numeric features.
        calendar_categorical: Parts of dates and timestamps that become categories.
        min_count: A category that occurs less often in training counts as unseen.
        max_vocabulary: At most so many categories of a column, the most frequent ones.
        clip: Quantiles to which a numeric column is clipped; (0, 1) is the range seen in training.
        bins: Number of bins between the `edges` of a numeric feature.
        indicators: The least share of nulls for which a numeric column gets a feature that says it is null; 1 for none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: str
    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    calendar_numeric: tuple[CalendarPart, ...] = ("minute_of_day", "day_of_year")
    calendar_categorical: tuple[CalendarPart, ...] = ("day_of_week", "month")
    min_count: PositiveInt = 20
    max_vocabulary: PositiveInt = 10_000
    clip: tuple[float, float] = (0.001, 0.999)
    bins: int = Field(default=48, ge=1, le=1_000)
    indicators: float = Field(default=0.005, gt=0, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> PreprocessConfig:
        lower, upper = self.clip
        if not 0 <= lower < upper <= 1:
            raise ValueError(f"clip must be two quantiles, 0 <= lower < upper <= 1, got {lower} and {upper}")
        return self


def run_fit(
    clean: DatasetRef, split: SplitRef, contract: Contract, config: PreprocessConfig, home: Path, dask: DaskConfig
) -> PreprocessingRef:
    """Fit preprocessing on the training split alone.

    Writes `preprocessing.json`, the constants, and `reference.json`, the training split's statistics for each raw
    column and what was left out of the features and why.

    Raises:
        ConfigError: The config names a column that the contract lacks, or a type that cannot be what it asks for.
        TrainingError: The target has one class in the training split, or no feature is left.
        DiskFullError: There is no space left; nothing half-written stays.
    """
    columns = feature_columns(contract, config.target, config.include, config.exclude)
    measures = plan_measures(
        columns,
        contract.column(config.target),
        config.categorical,
        config.calendar_numeric,
        config.calendar_categorical,
    )
    summaries = _summarise(clean, split, measures, dask)
    rules = FeatureRules(config.min_count, config.max_vocabulary, config.clip, config.bins, config.indicators)
    target = fit_target(contract.column(config.target), summaries)
    numeric, categorical, left_out = fit_features(measures, summaries, rules)
    preprocessing = Preprocessing(numeric=tuple(numeric), categorical=tuple(categorical), target=target)
    folder = home / "preprocessing"
    with new_folder(folder, digest_folder) as fresh:
        write_json(fresh / PREPROCESSING, preprocessing.model_dump(mode="json"))
        write_json(fresh / REFERENCE, describe(measures, summaries, left_out, split.rows["train"]))
        digest = digest_folder(fresh)
    return PreprocessingRef(path=str(folder / digest), digest=digest)


def _summarise(clean: DatasetRef, split: SplitRef, measures: Sequence[Measure], dask: DaskConfig) -> Summaries:
    partitions = list(enumerate(read_manifest(clean).partitions))
    work = partial(_summarise_partition, clean=clean, split=split, measures=measures)
    with open_client(dask) as client:
        return merge_partitions(client, work, partitions, merge_summaries, label="fit")


def _summarise_partition(
    numbered: tuple[int, Partition], *, clean: DatasetRef, split: SplitRef, measures: Sequence[Measure]
) -> Summaries:
    columns = list(dict.fromkeys(measure.column.name for measure in measures))
    table = read_split_partition(numbered, clean, split, "train", columns)
    summaries: dict[str, NumericSummary | CategorySummary] = {}
    for measure in measures:
        column = table[measure.column.name]
        summaries[measure.name] = (
            NumericSummary.of(numeric_values(column, measure.part))
            if measure.kind == "numeric"
            else CategorySummary.of(category_values(column, measure.part))
        )
    return summaries


def read_preprocessing(preprocessing: PreprocessingRef) -> Preprocessing:
    """Read fitted constants.

    Raises:
        IntegrityError: The file is gone.
    """
    path = Path(preprocessing.path) / PREPROCESSING
    with naming_lost(path, "the fitted constants are"):
        return Preprocessing.model_validate_json(path.read_bytes())
