import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.preprocessing.config import ImputeConfig, OutlierConfig, ScaleConfig
from tasks.preprocessing.number_features import fit_numeric
from tasks.preprocessing.numbers import finished, settled
from tasks.preprocessing.options import NumberOptions
from tasks.preprocessing.outliers import outlier_bounds, treated
from tasks.preprocessing.plan import Measure
from tasks.preprocessing.statistics import NumericSummary
from tests.tasks.data.tables import contract_of

COLUMN = contract_of({"x": "number"}).column("x")
VALUES = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 1000.0])


def _bounds(values=VALUES, column=COLUMN, **config):
    return outlier_bounds(OutlierConfig(**config), NumericSummary.of(values), column)


def test_yamls_bare_null_is_the_word():
    assert OutlierConfig.model_validate({"action": None}) == OutlierConfig(action="null")


def test_bounds_are_those_of_the_textbooks():
    low, high = np.quantile(VALUES, [0.25, 0.75])
    assert _bounds(method="iqr", factor=3) == (low - 3 * (high - low), high + 3 * (high - low))
    assert _bounds(method="zscore", factor=2) == pytest.approx(
        (VALUES.mean() - 2 * VALUES.std(), VALUES.mean() + 2 * VALUES.std())
    )
    unit = 1.4826 * np.median(np.abs(VALUES - np.median(VALUES)))
    assert _bounds(method="mad") == pytest.approx((4.5 - 3.5 * unit, 4.5 + 3.5 * unit))
    assert _bounds(method="range", lower=0, upper=9) == (0, 9)
    assert _bounds(method="quantile", lower=0, upper=0.9) == (1.0, np.quantile(VALUES, 0.9, method="inverted_cdf"))


def test_the_contracts_bounds_and_the_range_where_it_sets_none():
    column = COLUMN.model_copy(update={"options": {"maximum": 10}})
    assert _bounds(column=column, method="contract") == (1.0, 10.0)


def test_bounds_that_leave_one_value_are_the_whole_range():
    assert _bounds(np.array([5.0] * 99 + [6.0]), method="iqr") == (5.0, 6.0)


@pytest.mark.parametrize(
    ("action", "kept"),
    [
        ("clip", [2.0, 3.0, 5.0, 5.0]),
        ("null", [2.0, 3.0, 5.0]),
        ("quarantine", [2.0, 3.0, 5.0]),
        ("flag", [2, 3, 5, 99]),
    ],
)
def test_what_training_keeps(action, kept):
    config = OutlierConfig(method="range", lower=0, upper=5, action=action)
    left = treated(config, NumericSummary.of(np.array([2.0, 3.0, 5.0, 99.0])).distribution, (0.0, 5.0))
    assert np.repeat(left.values, left.counts).tolist() == kept


@given(
    values=st.lists(st.floats(-1e6, 1e6) | st.just(np.nan), min_size=1, max_size=60),
    method=st.sampled_from(["quantile", "iqr", "zscore", "mad"]),
    action=st.sampled_from(["clip", "null", "flag", "quarantine"]),
    impute=st.sampled_from(["median", "mean", "mode", "constant"]),
    scale=st.sampled_from(["standard", "min-max", "robust", "max-abs", "quantile", "yeo-johnson", "none"]),
)
@settings(max_examples=200, deadline=None)
def test_whatever_the_options_the_feature_is_finite_for_any_number(values, method, action, impute, scale):
    constant = 3.0 if impute == "constant" else None
    options = NumberOptions(
        ImputeConfig(method=impute, constant=constant),
        "auto",
        0.1,
        OutlierConfig(method=method, action=action),
        ScaleConfig(method=scale),
    )
    array = np.array(values)
    feature = fit_numeric(Measure(COLUMN, "numeric"), NumericSummary.of(array), options, 8)
    if isinstance(feature, str):
        return
    extremes = np.array([np.nan, np.inf, -np.inf, 1e308, -1e308, 0.0, -0.0, 5e-324])
    for x in (array, extremes):
        clipped, missing = settled(feature, x)
        assert missing[np.isnan(x)].all()
        assert np.isfinite(finished(feature, clipped)).all()
    assert list(feature.edges) == sorted(set(feature.edges))


def test_a_mean_is_taken_after_the_outliers_went():
    options = NumberOptions(
        ImputeConfig(method="mean"),
        "auto",
        0.1,
        OutlierConfig(method="range", lower=0, upper=10, action="null"),
        ScaleConfig(),
    )
    feature = fit_numeric(Measure(COLUMN, "numeric"), NumericSummary.of(VALUES), options, 4)
    assert feature.fill == pytest.approx(4.0)
    assert feature.outside == "null"
