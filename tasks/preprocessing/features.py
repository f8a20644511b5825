"""From summaries of the training split to features, or to the reason why a column gives none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tasks.errors import ConfigError, TrainingError
from tasks.preprocessing.config import PreprocessConfig
from tasks.preprocessing.constants import Bounds, CategoricalFeature, NumericFeature
from tasks.preprocessing.encoding import Encoded, fit_encoding
from tasks.preprocessing.imputation import category_fill
from tasks.preprocessing.joint_numbers import Joint
from tasks.preprocessing.number_features import bare_feature, fit_numeric, indicator_of
from tasks.preprocessing.options import CategoryOptions, category_options, number_options
from tasks.preprocessing.outliers import outlier_bounds
from tasks.preprocessing.plan import Measure
from tasks.preprocessing.statistics import CategorySummary, NumericSummary, Summaries
from tasks.preprocessing.targets import Target


@dataclass
class Fitted:
    """Features as they are gathered.

    Attributes:
        left_out: Why a column gives no feature, by name.
        quarantine: The ranges outside of which rows are left out of training.
    """

    numeric: list[NumericFeature] = field(default_factory=list)
    categorical: list[CategoricalFeature] = field(default_factory=list)
    encodings: list[Encoded] = field(default_factory=list)
    quarantine: list[Bounds] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def fit_features(
    measures: Sequence[Measure],
    summaries: Summaries,
    joints: Mapping[str, Joint],
    target: Target,
    config: PreprocessConfig,
) -> Fitted:
    """Return the features, and by name why others were left out. Encoded categories stand behind the other numbers.

    Args:
        measures: What was summarised.
        summaries: By name.
        joints: By name, for categories with target encoding.
        target: The fitted target.
        config: The options.

    Raises:
        TrainingError: No feature is left, or an option cannot serve the values that training has.
    """
    fitted = Fitted()
    for measure in measures:
        if measure.role != "feature":
            continue
        if measure.kind == "cyclic":
            fitted.numeric += _cyclic(measure)
            continue
        summary = summaries[measure.name]
        if isinstance(summary, NumericSummary):
            _add_number(fitted, measure, summary, config)
        else:
            _add_category(fitted, measure, summary, joints.get(measure.name), (target, config))
    for encoded in fitted.encodings:
        fitted.numeric += encoded.features
    if not fitted.numeric and not fitted.categorical:
        raise TrainingError(
            f"no feature is left to train on: {_listed(fitted.left_out)}\n"
            "  do: look at the columns in the source; the training split may be too small"
        )
    _require_distinct(fitted, {*config.keep, *target.stored})
    return fitted


def _cyclic(measure: Measure) -> list[NumericFeature]:
    shared = {"column": measure.column.name, "source": measure.source, "part": measure.part}
    return [
        NumericFeature(name=f"{measure.name}_sin", kind="sine", **shared),
        NumericFeature(name=f"{measure.name}_cos", kind="cosine", **shared),
    ]


def _add_number(fitted: Fitted, measure: Measure, summary: NumericSummary, config: PreprocessConfig) -> None:
    options = number_options(measure, config)
    feature = fit_numeric(measure, summary, options, config.bins)
    if isinstance(feature, str):
        fitted.left_out[measure.name] = feature
    else:
        fitted.numeric.append(feature)
    fitted.numeric += indicator_of(measure, summary, options, feature)
    if isinstance(feature, str) or options.outliers.action not in {"flag", "quarantine"}:
        return
    lower, upper = outlier_bounds(options.outliers, summary, measure.column)
    if options.outliers.action == "quarantine":
        fitted.quarantine.append(Bounds(column=measure.column.name, lower=lower, upper=upper))
        return
    update = {"name": f"{measure.name}_is_outlier", "kind": "is_outlier", "lower": lower, "upper": upper}
    fitted.numeric.append(bare_feature(measure).model_copy(update=update))


def _add_category(
    fitted: Fitted,
    measure: Measure,
    summary: CategorySummary,
    joint: Joint | None,
    given: tuple[Target, PreprocessConfig],
) -> None:
    target, config = given
    options = category_options(measure, config)
    feature = fit_categorical(measure, summary, options)
    if isinstance(feature, str):
        fitted.left_out[measure.name] = feature
    elif options.encode.method == "ordinal":
        fitted.categorical.append(feature)
    else:
        fitted.encodings.append(fit_encoding(feature, options.encode, summary, joint, target, config.bins))


def fit_categorical(measure: Measure, summary: CategorySummary, options: CategoryOptions) -> CategoricalFeature | str:
    """Return the category of a column with its vocabulary, or why it makes none.

    A value belongs to the vocabulary if it occurs at least `min_count` times, nulls that count as it included; where
    that is unsure because counts were pruned, only if it surely does. Of too many the most frequent stay, among equals
    the first by code point.
    """
    if summary.nulls == summary.rows:
        return "every value is null in the training split"
    if len(summary.values) == 1 and not summary.nulls:
        return f"constant in the training split: {summary.values[0].as_py()!r}"
    fill = category_fill(options.impute, summary)
    counted = summary.filled(fill)
    if len(counted.values) == 1 and not counted.nulls:
        return f"constant in the training split once null counts as {fill!r}"
    frequent = np.flatnonzero(counted.counts >= options.min_count)
    if not len(frequent):
        return f"no value occurs {options.min_count} times in the training split"
    most = np.argsort(-counted.counts[frequent], kind="stable")[: options.max_vocabulary]
    kept = np.sort(frequent[most])
    return CategoricalFeature(
        name=measure.name,
        column=measure.column.name,
        source=measure.source,
        part=measure.part,
        vocabulary=tuple(counted.values.take(kept).to_pylist()),
        fill=fill,
    )


def _require_distinct(fitted: Fitted, taken: set[str]) -> None:
    for name in [*(each.name for each in fitted.numeric), *(each.name for each in fitted.categorical)]:
        if name in taken:
            raise ConfigError(
                f"preprocess: two columns of the features dataset would be named `{name}`\n"
                "  do: rename the raw column of that name, or leave it out with preprocess.exclude"
            )
        taken.add(name)


def _listed(reasons: Mapping[str, str]) -> str:
    shown = [f"`{name}`: {reason}" for name, reason in list(reasons.items())[:5]]
    return "; ".join(shown) + (f"; and {len(reasons) - 5} more" if len(reasons) > 5 else "")
