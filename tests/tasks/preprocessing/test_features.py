import numpy as np
import pyarrow as pa
import pytest

from tasks.errors import ConfigError, TrainingError
from tasks.preprocessing.columns import categories
from tasks.preprocessing.config import EncodeConfig, ImputeConfig, OutlierConfig, PreprocessConfig, ScaleConfig
from tasks.preprocessing.features import fit_categorical, fit_features
from tasks.preprocessing.number_features import fit_numeric
from tasks.preprocessing.options import CategoryOptions, NumberOptions
from tasks.preprocessing.plan import Measure
from tasks.preprocessing.statistics import CategorySummary, NumericSummary
from tasks.preprocessing.targets import ClassTarget
from tests.tasks.data.tables import contract_of

WHOLE = OutlierConfig(lower=0.0, upper=1.0)
CATEGORY = CategoryOptions(ImputeConfig(method="null-code"), EncodeConfig(), min_count=2, max_vocabulary=3)
CONFIG = PreprocessConfig(
    target="b", numeric={"outliers": WHOLE, "indicator_share": 0.1}, categories={"min_count": 2, "max_vocabulary": 3}
)
TARGET = ClassTarget(column="b", source="boolean", classes=(False, True))
CONTRACT = contract_of({"x": "number", "w": "string", "b": "boolean", "i": "integer"})
X, W = Measure(CONTRACT.column("x"), "numeric"), Measure(CONTRACT.column("w"), "category")


def _numeric(values, outliers=WHOLE):
    return fit_numeric(
        X,
        NumericSummary.of(np.array(values, dtype=np.float64)),
        NumberOptions(ImputeConfig(method="median"), "auto", 0.1, outliers, ScaleConfig()),
        4,
    )


def _categorical(values):
    return fit_categorical(W, CategorySummary.of(categories(pa.array(values, pa.string()))), CATEGORY)


def _features(measures, summaries):
    return fit_features(measures, summaries, {}, TARGET, CONFIG)


def test_the_finished_feature_has_mean_0_and_deviation_1():
    values = np.array([1.0, 2.0, 3.0, 100.0, np.nan])
    feature = _numeric(values)
    finished = (
        np.clip(np.where(np.isnan(values), feature.fill, values), feature.lower, feature.upper) - feature.center
    ) / (feature.spread)
    assert feature.fill == 2.5
    assert (feature.lower, feature.upper) == (1.0, 100.0)
    assert finished.mean() == pytest.approx(0, abs=1e-12)
    assert finished.std() == pytest.approx(1)
    assert feature.edges[0] == np.float32(finished.min())
    assert feature.edges[-1] == np.float32(finished.max())
    assert list(feature.edges) == sorted(set(feature.edges))


def test_clipping_takes_quantiles_but_never_makes_a_column_constant():
    values = [*range(100), 10_000]
    clipped = _numeric(values, OutlierConfig(lower=0.01, upper=0.99))
    assert (clipped.lower, clipped.upper) == (1.0, 99.0)
    rare = _numeric([0.0] * 99 + [1.0], OutlierConfig(lower=0.02, upper=0.98))
    assert (rare.lower, rare.upper) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([np.nan, np.nan], "every value is null"),
        ([7.0, 7.0], "constant in the training split: 7.0"),
        ([7.0, np.nan], "constant"),
        ([-1.7e308, 1.7e308], "beyond float64"),
        ([0.0, 5e-324], "beyond float64"),
    ],
)
def test_columns_that_make_no_numeric_feature_say_why(values, reason):
    assert reason in _numeric(values)


def test_rare_values_stay_out_of_the_vocabulary_and_it_is_sorted():
    feature = _categorical(["b", "b", "a", "a", "rare", "ä", "ä", None, ""])
    assert feature.vocabulary == ("a", "b", "ä")
    assert feature.cardinality == 6


def test_of_too_many_values_the_most_frequent_stay():
    values = ["d"] * 5 + ["c"] * 4 + ["b"] * 3 + ["a"] * 3
    assert _categorical(values).vocabulary == ("a", "c", "d")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([None, None], "every value is null"),
        (["x", "x"], "constant in the training split: 'x'"),
        (["x", "y", "z"], "no value occurs 2 times"),
    ],
)
def test_columns_that_make_no_categorical_feature_say_why(values, reason):
    assert reason in _categorical(values)


def test_one_value_beside_nulls_is_a_feature():
    assert _categorical(["x", "x", None]).vocabulary == ("x",)


def test_nulls_give_an_indicator_even_where_the_value_is_constant():
    summaries = {"x": NumericSummary.of(np.array([1.0, np.nan, 1.0]))}
    fitted = _features([X], summaries)
    assert [(each.name, each.kind) for each in fitted.numeric] == [("x_is_null", "is_null")]
    assert fitted.categorical == []
    assert "constant" in fitted.left_out["x"]


def test_few_nulls_give_no_indicator():
    summaries = {"x": NumericSummary.of(np.array([np.nan, *range(100)]))}
    assert [each.name for each in _features([X], summaries).numeric] == ["x"]


def test_no_feature_left_is_an_error_that_says_why():
    summaries = {
        "x": NumericSummary.of(np.array([1.0, 1.0])),
        "w": CategorySummary.of(categories(pa.array([None], pa.string()))),
    }
    with pytest.raises(TrainingError, match=r"no feature is left.*`x`: constant.*`w`: every value is null"):
        _features([X, W], summaries)


def test_a_feature_that_would_be_named_like_another_column_is_refused():
    column = CONTRACT.column("x").model_copy(update={"name": "x_is_null"})
    values = NumericSummary.of(np.array([1.0, np.nan, 3.0]))
    with pytest.raises(ConfigError, match="two columns of the features dataset would be named `x_is_null`"):
        _features([X, Measure(column, "numeric")], {"x": values, "x_is_null": values})
