"""What a config can ask of preprocessing: its section `preprocess`, with defaults and with options of one column."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from tasks.preprocessing.constants import CalendarPart, CyclicPart
from tasks.preprocessing.problem import TargetConfig

OutlierMethod = Literal["quantile", "range", "contract", "iqr", "zscore", "mad"]
OutlierAction = Literal["clip", "null", "flag", "quarantine"]
ScaleMethod = Literal["standard", "min-max", "robust", "max-abs", "log1p", "quantile", "yeo-johnson", "none"]
EncodeMethod = Literal["ordinal", "one-hot", "frequency", "hashing", "target"]

_QUANTILES = (0.001, 0.999)
_FACTORS: Mapping[str, float] = {"iqr": 1.5, "zscore": 3.0, "mad": 3.5}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Method(_Frozen):
    """An option that may be written as one word, its method."""

    @model_validator(mode="before")
    @classmethod
    def _word(cls, value: Any) -> Any:
        return {"method": value} if isinstance(value, str) else value


class ImputeConfig(_Method):
    """What stands in for a missing value: one word, or `{constant: VALUE}`.

    Attributes:
        method: For numbers `median`, `mean`, `mode` (the most frequent value, the least of equals), `constant`, or
            `chained` (a regression on the other numeric columns, see `ChainedConfig`), each taken of the training
            values after the outliers were dealt with. For categories `null-code` (null is a category of its own),
            `mode` or `constant`.
        constant: The value of method `constant`.
    """

    method: Literal["median", "mean", "mode", "constant", "chained", "null-code"]
    constant: float | str | None = None

    @model_validator(mode="before")
    @classmethod
    def _constant(cls, value: Any) -> Any:
        return {"method": "constant", **value} if isinstance(value, dict) and "constant" in value else value

    @model_validator(mode="after")
    def _agree(self) -> ImputeConfig:
        if (self.method == "constant") != (self.constant is not None):
            raise ValueError("`constant` goes with method `constant` and no other; write `{constant: VALUE}`")
        if isinstance(self.constant, float) and not math.isfinite(self.constant):
            raise ValueError(f"the constant must be finite, got {self.constant}")
        return self


class OutlierConfig(_Method):
    """Which values of a numeric column are outliers, judged by bounds, and what becomes of them.

    Attributes:
        method: `quantile` (bounds are the training quantiles `lower` and `upper`, by default .001 and .999; 0 and 1
            are the range seen), `range` (the numbers `lower` and `upper`), `contract` (the contract's minimum and
            maximum), `iqr` (`factor`, by default 1.5, interquartile ranges beyond the quartiles), `zscore` (`factor`,
            3, standard deviations from the mean), `mad` (`factor`, 3.5, scaled median absolute deviations from the
            median). Whole rows are judged by `row_outliers`.
        action: `clip` to the bounds; `null`: becomes missing and is then imputed; `flag`: stays, and the feature
            `<column>_is_outlier` says it; `quarantine`: the row is left out of the training split of the features,
            and counted. Values beyond what training saw are always brought to the nearest that it saw.
        lower: The lower quantile of `quantile`, or the lower bound of `range`.
        upper: The upper quantile of `quantile`, or the upper bound of `range`.
        factor: How far out the bounds of `iqr`, `zscore` and `mad` are.
    """

    method: OutlierMethod = "quantile"
    action: OutlierAction = "clip"
    lower: float | None = None
    upper: float | None = None
    factor: float | None = Field(default=None, gt=0)

    @field_validator("method", mode="before")
    @classmethod
    def _of_a_column(cls, value: Any) -> Any:
        if value == "isolation_forest":
            raise ValueError("isolation_forest judges whole rows: configure it as `preprocess.row_outliers`")
        return value

    @field_validator("action", mode="before")
    @classmethod
    def _unquoted(cls, value: Any) -> Any:
        return "null" if value is None else value  # YAML reads a bare `null` as no value

    @model_validator(mode="after")
    def _agree(self) -> OutlierConfig:
        bounded = self.method in {"quantile", "range"}
        if not bounded and (self.lower is not None or self.upper is not None):
            raise ValueError(f"`lower` and `upper` belong to methods quantile and range, not to {self.method}")
        if self.factor is not None and self.method not in _FACTORS:
            raise ValueError(f"`factor` belongs to methods {', '.join(_FACTORS)}, not to {self.method}")
        if self.method == "range" and (self.lower is None or self.upper is None):
            raise ValueError("method range needs `lower` and `upper`")
        if not bounded:
            return self
        lower, upper = self.limits
        if self.method == "quantile" and not 0 <= lower < upper <= 1:
            raise ValueError(f"quantiles must be 0 <= lower < upper <= 1, got {lower} and {upper}")
        if not (math.isfinite(lower) and math.isfinite(upper) and lower < upper):
            raise ValueError(f"lower must be less than upper and both finite, got {lower} and {upper}")
        return self

    @property
    def limits(self) -> tuple[float, float]:
        """`lower` and `upper`, with the default quantiles where they are not given."""
        lower, upper = _QUANTILES
        return (lower if self.lower is None else self.lower, upper if self.upper is None else self.upper)

    @property
    def times(self) -> float:
        """`factor`, or the method's usual one."""
        return _FACTORS[self.method] if self.factor is None else self.factor


class ScaleConfig(_Method):
    """How a numeric column is brought to scale, after outliers and missing values were dealt with.

    Attributes:
        method: `standard` (mean 0, deviation 1), `min-max` (training range to 0..1), `robust` (median 0, interquartile
            range 1), `max-abs`, `log1p` (log(1 + x), then standard; needs values above -1), `quantile` (to the
            rank among the training values, linear between `knots`), `yeo-johnson` (the power transform of greatest
            likelihood, then standard), or `none`.
        to: For `quantile`: `uniform` from 0 to 1, or `normal`.
        knots: For `quantile`: at how many training quantiles the curve is laid.
    """

    method: ScaleMethod = "standard"
    to: Literal["uniform", "normal"] = "uniform"
    knots: int = Field(default=100, ge=2, le=1_000)


class EncodeConfig(_Method):
    """How a category becomes numbers.

    All of them look the value up in the training vocabulary, so all of them export; a value outside it is unseen.

    Attributes:
        method: `ordinal` (an integer code, for embeddings), `one-hot` (a column for each value of the vocabulary, and
            for null where training had nulls), `frequency` (the share of the training rows), `hashing` (`buckets`
            columns; each value of the vocabulary belongs to the one that its SHA-256 picks, unseen values share one
            more, since ONNX has no operator that hashes text), `target` (the mean of the target among the training
            rows of that value, smoothed towards the mean of all: of each class but the first, of each label, or of the
            standardized number).
        buckets: For `hashing`.
        smoothing: For `target`: the mean of all weighs as much as so many rows.
        folds: For `target`: a training row is encoded from the rows of the other folds, so its own target never
            enters its features; all other rows from the whole training split.
    """

    method: EncodeMethod = "ordinal"
    buckets: int = Field(default=32, ge=2, le=1_024)
    smoothing: float = Field(default=20.0, gt=0)
    folds: int = Field(default=5, ge=2, le=20)


class NumericConfig(_Frozen):
    """Defaults for numeric columns.

    Attributes:
        impute: What stands in for null. Calendar parts always take the median.
        indicator: Whether the feature `<column>_is_null` is added; `auto` where at least `indicator_share` of the
            training rows are null. Values that outliers' action `null` removed count as null.
        indicator_share: For `auto`; 1 for none.
        outliers: Calendar parts are always clipped to the quantiles .001 and .999.
        scale: Calendar parts too.
    """

    impute: ImputeConfig = ImputeConfig(method="median")
    indicator: bool | Literal["auto"] = "auto"
    indicator_share: float = Field(default=0.005, gt=0, le=1)
    outliers: OutlierConfig = OutlierConfig()
    scale: ScaleConfig = ScaleConfig()


class CategoriesConfig(_Frozen):
    """Defaults for categorical columns.

    Attributes:
        impute: What stands in for null.
        encode: How values become numbers.
        min_count: A category that occurs less often in training counts as unseen.
        max_vocabulary: At most so many categories of a column, the most frequent ones.
    """

    impute: ImputeConfig = ImputeConfig(method="null-code")
    encode: EncodeConfig = EncodeConfig()
    min_count: PositiveInt = 20
    max_vocabulary: PositiveInt = 10_000


class ColumnConfig(_Frozen):
    """Options of one column; what is left out is as in `NumericConfig` or `CategoriesConfig`."""

    impute: ImputeConfig | None = None
    indicator: bool | Literal["auto"] | None = None
    outliers: OutlierConfig | None = None
    scale: ScaleConfig | None = None
    encode: EncodeConfig | None = None
    min_count: PositiveInt | None = None
    max_vocabulary: PositiveInt | None = None


class ChainedConfig(_Frozen):
    """Imputation by chained equations, for the columns with `impute: chained`.

    Each such column is regressed (ridge) on all other numeric columns; missing values start at the median and are
    predicted column after column, `rounds` times, which the graph repeats: expected values, not several draws.

    Attributes:
        sample_rows: Training rows that the regressors are fitted on, about; drawn by `seed`.
        rounds: How often all columns are predicted.
        ridge: Penalty on the squared weights, for standardised columns, in rows.
        seed: Which rows.
    """

    sample_rows: PositiveInt = 20_000
    rounds: int = Field(default=5, ge=1, le=20)
    ridge: float = Field(default=1.0, gt=0)
    seed: NonNegativeInt = 0


class RowOutlierConfig(_Frozen):
    """Rows that are unusual as a whole: an isolation forest over all finished numeric columns.

    Attributes:
        action: `flag`: the feature `row_is_outlier` says it, with the trees in the exported graph; `quarantine`:
            such rows are left out of the training split of the features, and counted.
        contamination: The share of the training rows to call outliers.
        trees: Trees of the forest.
        sample_rows: Training rows that it is fitted on, about; each tree sees 128 of them.
        seed: Which rows, and which cuts.
    """

    method: Literal["isolation_forest"] = "isolation_forest"
    action: Literal["flag", "quarantine"]
    contamination: float = Field(default=0.01, gt=0, le=0.5)
    trees: int = Field(default=50, ge=1, le=200)
    sample_rows: PositiveInt = 20_000
    seed: NonNegativeInt = 0


class PreprocessConfig(TargetConfig):
    """What is predicted, what becomes a feature, and how.

    Attributes:
        include: The raw columns to make features of; by default all but the target.
        exclude: Raw columns to leave out, such as keys.
        categorical: Integer or boolean columns whose values are names, not amounts.
        calendar_numeric: Parts of dates and timestamps that become numeric features.
        calendar_categorical: Parts of dates and timestamps that become categories.
        calendar_cyclic: Parts that become two features, sine and cosine, so that December stands beside January.
        numeric: Defaults for numeric columns.
        categories: Defaults for categorical columns.
        columns: Options of single columns, by raw name.
        chained: Of imputation by chained equations.
        row_outliers: Rows that are outliers as a whole; by default none is looked for.
        bins: Number of bins between the `edges` of a numeric feature.
        exact: Read columns of more than 32,768 different values twice more, so that their quantiles, means and
            deviations are exact; without it they come from a sketch whose error is counted (some 0.03 % in rank).
        keep: Raw columns to carry untouched into the features dataset; they are no features.
        count_repairs: Add the int16 columns `n_imputed` and `n_clipped` to the features dataset: how many numeric
            columns of the row were missing, and how many lay outside their bounds.
        format: Of the features' files: `arrow`, the quickest for training, or `parquet` for other programs.
    """

    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    calendar_numeric: tuple[CalendarPart, ...] = ("minute_of_day", "day_of_year")
    calendar_categorical: tuple[CalendarPart, ...] = ("day_of_week", "month")
    calendar_cyclic: tuple[CyclicPart, ...] = ()
    numeric: NumericConfig = NumericConfig()
    categories: CategoriesConfig = CategoriesConfig()
    columns: Mapping[str, ColumnConfig] = {}
    chained: ChainedConfig = ChainedConfig()
    row_outliers: RowOutlierConfig | None = None
    bins: int = Field(default=48, ge=1, le=1_000)
    exact: bool = False
    keep: tuple[str, ...] = ()
    count_repairs: bool = False
    format: Literal["arrow", "parquet"] = "arrow"

    def of(self, column: str) -> ColumnConfig:
        """Return the options that were given for one raw column."""
        return self.columns.get(column, ColumnConfig())
