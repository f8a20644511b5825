"""The options of each column, from the column's own and the defaults, and the refusal of those that cannot serve it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from data_contracts.contract import Column, Contract
from data_contracts.yaml_lines import nearest
from tasks.data.schema import known_column, require_visible
from tasks.errors import ConfigError
from tasks.preprocessing.config import EncodeConfig, ImputeConfig, OutlierConfig, PreprocessConfig, ScaleConfig
from tasks.preprocessing.outliers import contract_bounds
from tasks.preprocessing.plan import INSTANTS, Measure, plan_measures
from tasks.preprocessing.targets import stored_columns

N_IMPUTED, N_CLIPPED = "n_imputed", "n_clipped"
ROW_IS_OUTLIER = "row_is_outlier"

_OPTIONS = {
    "number": ("impute", "indicator", "outliers", "scale"),
    "boolean": ("impute", "indicator", "scale"),
    "category": ("impute", "encode", "min_count", "max_vocabulary"),
    "instant": ("scale", "encode", "min_count", "max_vocabulary"),
}
_NUMBER_FILLS = ("median", "mean", "mode", "{constant: NUMBER}", "chained")
_CATEGORY_FILLS = ("null-code", "mode", "{constant: TEXT}")
_BOOLEAN_SCALES = ("standard", "min-max", "max-abs", "none")
_USUAL = OutlierConfig()


@dataclass(frozen=True)
class NumberOptions:
    """How one numeric measure becomes features; the words are `tasks.preprocessing.config.NumericConfig`'s."""

    impute: ImputeConfig
    indicator: bool | Literal["auto"]
    indicator_share: float
    outliers: OutlierConfig
    scale: ScaleConfig


@dataclass(frozen=True)
class CategoryOptions:
    """How one category becomes features; the words are `tasks.preprocessing.config.CategoriesConfig`'s."""

    impute: ImputeConfig
    encode: EncodeConfig
    min_count: int
    max_vocabulary: int


def number_options(measure: Measure, config: PreprocessConfig) -> NumberOptions:
    """Return the options of a numeric measure; a calendar part has no outliers and no indicator of its own."""
    own, defaults = config.of(measure.column.name), config.numeric
    scale = own.scale or defaults.scale
    if measure.part is not None:
        # Parts are bounded and few: the defaults of ordinary columns, such as a contract's bounds, do not fit them.
        return NumberOptions(
            ImputeConfig(method="median"), indicator=False, indicator_share=1, outliers=_USUAL, scale=scale
        )
    outliers = own.outliers or defaults.outliers
    if measure.column.logical_type == "boolean":
        outliers = _USUAL
        scale = scale if scale.method in _BOOLEAN_SCALES else ScaleConfig()
    elif outliers.method == "contract" and contract_bounds(measure.column) == (None, None):
        outliers = _USUAL
    return NumberOptions(
        impute=own.impute or defaults.impute,
        indicator=defaults.indicator if own.indicator is None else own.indicator,
        indicator_share=defaults.indicator_share,
        outliers=outliers,
        scale=scale,
    )


def category_options(measure: Measure, config: PreprocessConfig) -> CategoryOptions:
    """Return the options of a categorical measure; a missing calendar part always keeps its own code."""
    own, defaults = config.of(measure.column.name), config.categories
    impute = own.impute or defaults.impute
    textual = own.impute is None and impute.method == "constant" and measure.column.logical_type != "string"
    if measure.part is not None or textual:
        impute = ImputeConfig(method="null-code")
    return CategoryOptions(
        impute=impute,
        encode=own.encode or defaults.encode,
        min_count=own.min_count or defaults.min_count,
        max_vocabulary=own.max_vocabulary or defaults.max_vocabulary,
    )


def require_preprocessing(contract: Contract, config: PreprocessConfig) -> list[Measure]:
    """Check the section `preprocess` against a contract, before anything runs.

    Returns:
        What is to be summarised (`tasks.preprocessing.plan.plan_measures`).

    Raises:
        ConfigError: A name that is not there, or an option given a column that it cannot serve; the message names the
            column, the option and those that fit.
        TrainingError: No column is left to make features of.
    """
    measures = plan_measures(contract, config)
    features = {measure.column.name: measure for measure in measures if measure.role != "target"}
    for name in config.columns:
        column = known_column("preprocess.columns", name, contract)
        if name not in features:
            raise ConfigError(
                f"preprocess.columns.{name}: the column is no feature (it is the target, excluded or not included), so "
                "options have no effect\n  do: remove them, or make it a feature"
            )
        _require_fitting(column, config)
    _require_defaults(config)
    _require_neighbours(features, config)
    _require_kept(contract, config, measures)
    return measures


def _kind(column: Column, config: PreprocessConfig) -> str:
    if column.logical_type in INSTANTS:
        return "instant"
    if column.logical_type == "string" or column.name in config.categorical:
        return "category"
    return "boolean" if column.logical_type == "boolean" else "number"


def _require_fitting(column: Column, config: PreprocessConfig) -> None:
    own, kind = config.of(column.name), _kind(column, config)
    place = f"preprocess.columns.{column.name}"
    what = f"`{column.name}` is {_said(column, kind)}"
    for option in own.model_fields_set:
        if option not in _OPTIONS[kind]:
            close = nearest(option, _OPTIONS[kind])
            hint = f" (did you mean `{close}`?)" if close else ""
            raise ConfigError(f"{place}.{option}: {what}; the options that fit are {', '.join(_OPTIONS[kind])}{hint}")
    if own.impute is not None:
        _require_fill(f"{place}.impute", what, own.impute, category=kind == "category")
        if kind == "category" and column.logical_type != "string" and own.impute.method == "constant":
            _require_whole(f"{place}.impute", what, own.impute)
    if kind == "boolean" and own.scale is not None and own.scale.method not in _BOOLEAN_SCALES:
        raise ConfigError(
            f"{place}.scale: {what}, for which {own.scale.method} has no meaning; the options that fit are "
            f"{', '.join(_BOOLEAN_SCALES)}"
        )
    if own.outliers is not None and own.outliers.method == "contract" and contract_bounds(column) == (None, None):
        raise ConfigError(
            f"{place}.outliers: the contract sets no minimum and no maximum for `{column.name}`\n"
            "  do: add them to the contract's logicalTypeOptions, or take quantile, range, iqr, zscore or mad"
        )


def _said(column: Column, kind: str) -> str:
    as_category = " and categorical" if kind == "category" and column.logical_type != "string" else ""
    return f"of type {column.logical_type}{as_category}"


def _require_fill(place: str, what: str, impute: ImputeConfig, *, category: bool) -> None:
    fitting = _CATEGORY_FILLS if category else _NUMBER_FILLS
    method = "{constant: " + ("TEXT" if category else "NUMBER") + "}" if impute.method == "constant" else impute.method
    wrong = isinstance(impute.constant, str) and not category
    if method not in fitting or wrong:
        given = f"the constant {impute.constant!r}" if wrong else impute.method
        raise ConfigError(f"{place}: {what}, which {given} cannot serve; the options that fit are {', '.join(fitting)}")


def _require_whole(place: str, what: str, impute: ImputeConfig) -> None:
    if not (isinstance(impute.constant, float) and impute.constant.is_integer()):
        raise ConfigError(f"{place}: {what}, so the constant must be a whole number, got {impute.constant!r}")


def _require_defaults(config: PreprocessConfig) -> None:
    numbers, texts = "the default of all numeric columns", "the default of all categories"
    _require_fill("preprocess.numeric.impute", numbers, config.numeric.impute, category=False)
    _require_fill("preprocess.categories.impute", texts, config.categories.impute, category=True)


def _require_neighbours(features: dict[str, Measure], config: PreprocessConfig) -> None:
    """Check that there are several numeric columns where one is to be told from the others."""
    numbers = [
        each for each in features.values() if each.kind == "numeric" and each.role == "feature" and not each.part
    ]
    chained = [each.name for each in numbers if number_options(each, config).impute.method == "chained"]
    if chained and len(numbers) < 2:
        raise ConfigError(
            f"preprocess: impute chained predicts `{chained[0]}` from the other numeric columns, and there is none; "
            f"the options that fit are {', '.join(_NUMBER_FILLS[:-1])}"
        )
    if config.row_outliers is not None and not numbers:
        raise ConfigError("preprocess.row_outliers: there is no numeric column to judge rows by\n  do: remove the key")


def _require_kept(contract: Contract, config: PreprocessConfig, measures: list[Measure]) -> None:
    target = stored_columns(config.target)
    taken = {measure.name for measure in measures if measure.role == "feature"} | set(target)
    if config.row_outliers is not None:
        taken.add(ROW_IS_OUTLIER)
    added = {N_IMPUTED, N_CLIPPED} if config.count_repairs else set()
    require_visible("preprocess.keep", config.keep, contract)
    for name in config.keep:
        known_column("preprocess.keep", name, contract)
        if name in taken or name in added:
            what = "the target's column" if name in target else "a feature"
            raise ConfigError(
                f"preprocess.keep: {what} is named `{name}` too, and the features dataset has one column of a name\n"
                "  do: leave the column out of the features with preprocess.exclude, or do not keep it"
            )
    both = sorted(taken & added)
    if both:
        raise ConfigError(f"preprocess.count_repairs: a feature is named `{both[0]}` too\n  do: rename the raw column")
