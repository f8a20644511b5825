"""Preprocessing: the fitted constants, and nothing else. The transform and the ONNX graph are both made from them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt

from tasks.preprocessing.targets import ClassTarget, Target

PADDING, NULL, UNSEEN = 0, 1, 2
FIRST_CODE = 3

Source = Literal["number", "integer", "boolean", "string", "timestamp"]
CalendarPart = Literal["month", "day_of_month", "day_of_week", "day_of_year", "hour", "minute_of_day"]
CyclicPart = Literal["month", "day_of_week", "hour", "day_of_year", "minute_of_day"]
Kind = Literal["number", "is_null", "is_outlier", "sine", "cosine", "encoded", "row_outlier"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Curve(_Frozen):
    """An ascending function of one number, applied in float64 before centring.

    `log1p` is log(1 + x). `yeo-johnson` with power p is, for x >= 0, ((1 + x)^p - 1) / p, or log(1 + x) for p = 0;
    below 0 it is -((1 - x)^(2 - p) - 1) / (2 - p), or -log(1 - x) for p = 2 (Yeo and Johnson, 2000). `knots` is linear
    between the points (knots[i], heights[i]) and flat outside; knots ascend strictly.
    """

    kind: Literal["log1p", "yeo-johnson", "knots"]
    power: float = 1.0
    knots: tuple[float, ...] = ()
    heights: tuple[float, ...] = ()


class NumericFeature(_Frozen):
    """One float32 column of the features; `kind` says which.

    With `x` the raw value as float64 (a boolean is 0 or 1, a timestamp gives its calendar `part`; dates are
    timestamps at midnight; all in UTC), NaN for null:

    - `number`: with `outside` `null`, an `x` beyond `lower` or `upper` is missing; what is missing becomes `fill` (with
      `chained`, what the chain predicts); then `x` is clipped to `lower` and `upper`, and the feature is
      `(curve(x) - center) / spread` computed in float64 and rounded once to float32.
    - `is_null`: 1.0 where the raw value is missing in the same sense, else 0.0.
    - `is_outlier`: 1.0 where `x` is less than `lower` or greater than `upper`, else 0.0.
    - `sine`, `cosine`: of the calendar part's share of its cycle (`tasks.preprocessing.calendar.cycle`); 0.0 for null.
    - `encoded`: output `output` of the encoding named `encoding`.
    - `row_outlier`: 1.0 where the forest calls the row an outlier; it has no column.

    Attributes:
        edges: Ascending bin edges of the finished feature (its training quantiles) for piecewise-linear embeddings.
    """

    name: str
    column: str
    source: Source
    kind: Kind = "number"
    part: CalendarPart | None = None
    outside: Literal["clip", "null"] = "clip"
    fill: float = 0.0
    chained: bool = False
    lower: float = 0.0
    upper: float = 0.0
    curve: Curve | None = None
    center: float = 0.0
    spread: float = 1.0
    encoding: str | None = None
    output: int = 0
    edges: tuple[float, ...] = ()


class CategoricalFeature(_Frozen):
    """One integer column of the features: the code of a category.

    Null and the empty string have code `NULL`, a value outside the vocabulary `UNSEEN`, and the i-th value of the
    vocabulary `FIRST_CODE + i`; `PADDING` is never produced. Values of integers, booleans (`0`, `1`) and calendar
    parts stand in the vocabulary as decimal text. The vocabulary is sorted by code point.

    Attributes:
        fill: The value that null and the empty string count as; None where they have their own code.
    """

    name: str
    column: str
    source: Source
    part: CalendarPart | None = None
    vocabulary: tuple[str, ...]
    fill: str | None = None

    @property
    def cardinality(self) -> int:
        """Number of codes, reserved ones included."""
        return FIRST_CODE + len(self.vocabulary)

    @property
    def null_code(self) -> int:
        """The code of null: `NULL`, or that of `fill`."""
        if self.fill is None:
            return NULL
        return FIRST_CODE + self.vocabulary.index(self.fill) if self.fill in self.vocabulary else UNSEEN


class Encoding(_Frozen):
    """A category looked up in a table of numbers, from which features of kind `encoded` take their columns.

    Attributes:
        category: How the value gets its code; its name is the encoding's.
        outputs: Names of the float32 columns.
        positions: For `one-hot` and `hashing`, by code from 0: the output that is 1.0, the others being 0.0; -1: none.
        values: For `frequency` and `target`, for each output the number by code from 0.
    """

    category: CategoricalFeature
    method: Literal["one-hot", "frequency", "hashing", "target"]
    outputs: tuple[str, ...]
    positions: tuple[int, ...] = ()
    values: tuple[tuple[float, ...], ...] = ()


class Chain(_Frozen):
    """Imputation by chained equations, over the features named, as `z = (x - center) / spread` of their clipped values.

    Round after round, and in each in the order of `targets`, a missing `z[target]` becomes
    `weights[target] . z + intercept`, clipped to the target's bounds.

    Attributes:
        features: Names of `number` features.
        center: By feature; these are the chain's own, not those of the finished features.
        spread: By feature.
        targets: Positions in `features`, in the order in which they are predicted.
        weights: For each target, one weight for each feature; 0 for the target itself.
        intercepts: For each target.
    """

    features: tuple[str, ...]
    center: tuple[float, ...]
    spread: tuple[float, ...]
    targets: tuple[int, ...]
    weights: tuple[tuple[float, ...], ...]
    intercepts: tuple[float, ...]
    rounds: int


class Tree(_Frozen):
    """One tree of a forest; node 0 is the root. A row goes left where its feature is at most the threshold.

    Attributes:
        features: By node, a position in the forest's features; -1 for a leaf.
        thresholds: By node, numbers that float32 holds exactly.
        left: By node.
        right: By node.
        depths: By node; for a leaf the expected path length, in whole 1/256 so that sums are exact.
    """

    features: tuple[int, ...]
    thresholds: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    depths: tuple[float, ...]


class Forest(_Frozen):
    """An isolation forest over finished numeric features: a row of a total path below `threshold` is an outlier."""

    features: tuple[str, ...]
    trees: tuple[Tree, ...]
    threshold: float
    action: Literal["flag", "quarantine"]


class Bounds(_Frozen):
    """A raw numeric column and the range outside of which its rows are left out of training."""

    column: str
    lower: float
    upper: float


class ImageInput(_Frozen):
    """Images as a model takes them: uint8 pixels of one shape, and what centres and scales each channel.

    Attributes:
        column: Name of the input.
        height: Rows.
        width: Pixels of a row.
        mode: `RGB` has three channels, `L` (grey) one.
        mean: Of each channel over the training split, in levels of 0 to 255.
        deviation: Of each channel, in the same levels; above 0.
    """

    column: str = "image"
    height: PositiveInt
    width: PositiveInt
    mode: Literal["RGB", "L"]
    mean: tuple[float, ...]
    deviation: tuple[PositiveFloat, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        return self.height, self.width, len(self.mean)


class Preprocessing(_Frozen):
    """Everything fitted on the training split. Raw column order follows the contract.

    Attributes:
        numeric: Features in the order of the float32 matrix's columns.
        categorical: Features in the order of the int64 matrix's columns.
        encodings: What the features of kind `encoded` come from.
        chain: What predicts the missing values of `chained` features.
        forest: What calls rows outliers.
        quarantine: Rows outside any of these are left out of the features' training split; the graph has no part in it.
        keep: Raw columns carried untouched into the features dataset.
        count_repairs: Whether the features dataset has the columns `n_imputed` and `n_clipped`.
        format: Of the features' files.
        image: Set where images are what is learned from; there are no features beside it.
    """

    numeric: tuple[NumericFeature, ...]
    categorical: tuple[CategoricalFeature, ...]
    target: Target
    encodings: tuple[Encoding, ...] = ()
    chain: Chain | None = None
    forest: Forest | None = None
    quarantine: tuple[Bounds, ...] = ()
    keep: tuple[str, ...] = ()
    count_repairs: bool = False
    format: Literal["arrow", "parquet"] = "arrow"
    image: ImageInput | None = None

    @property
    def class_target(self) -> ClassTarget:
        """The target of a problem of classes; the config refuses what needs one elsewhere."""
        assert isinstance(self.target, ClassTarget), self.target.problem
        return self.target

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns that the features need, each once, in order of first use."""
        numeric = [feature.column for feature in self.numeric if feature.kind != "row_outlier"]
        return tuple(dict.fromkeys([*numeric, *(feature.column for feature in self.categorical)]))
