import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, PowerTransformer, QuantileTransformer, RobustScaler

from tasks.errors import TrainingError
from tasks.preprocessing.config import ScaleConfig
from tasks.preprocessing.constants import Curve
from tasks.preprocessing.scaling import apply_curve, fit_center_and_spread, fit_curve
from tasks.preprocessing.sketch import Distribution

RANDOM = np.random.default_rng(3)
SKEWED = np.round(RANDOM.lognormal(size=600), 2)
SIGNED = np.round(RANDOM.normal(size=600) ** 3 + 0.5, 2)


def _scaled(values, **config):
    options, distribution = ScaleConfig(**config), Distribution.of(values)
    curve = fit_curve("x", options, distribution)
    bent = Distribution.counted(apply_curve(curve, distribution.values), distribution.counts)
    center, spread = fit_center_and_spread(options, bent)
    return (apply_curve(curve, values) - center) / spread, curve


@pytest.mark.parametrize("values", [SKEWED, SIGNED])
@pytest.mark.parametrize(
    ("method", "reference"),
    [
        ("min-max", MinMaxScaler()),
        ("max-abs", MaxAbsScaler()),
        ("robust", RobustScaler()),
        ("yeo-johnson", PowerTransformer("yeo-johnson")),
    ],
)
def test_scales_are_scikit_learns(values, method, reference):
    expected = reference.fit_transform(values[:, None])[:, 0]
    np.testing.assert_allclose(_scaled(values, method=method)[0], expected, rtol=1e-5, atol=1e-6)


def test_standard_and_log1p_have_mean_0_and_deviation_1():
    for method in ("standard", "log1p"):
        finished, _ = _scaled(SKEWED, method=method)
        assert finished.mean() == pytest.approx(0, abs=1e-12)
        assert finished.std() == pytest.approx(1)
    np.testing.assert_array_equal(_scaled(SKEWED, method="none")[0], SKEWED)


@pytest.mark.parametrize("to", ["uniform", "normal"])
def test_quantile_scaling_is_near_scikit_learns_away_from_the_ends(to):
    values = RANDOM.normal(size=1_000)
    finished, curve = _scaled(values, method="quantile", to=to, knots=1_000)
    reference = QuantileTransformer(n_quantiles=1_000, output_distribution=to).fit_transform(values[:, None])[:, 0]
    inner = np.abs(values) < 1.5
    np.testing.assert_allclose(finished[inner], reference[inner], atol=0.01)
    assert np.diff(curve.knots).min() > 0
    assert np.diff(curve.heights).min() > 0


def test_equal_values_get_the_middle_of_their_ranks():
    finished, _ = _scaled(np.array([0.0] * 50 + [1.0] * 50), method="quantile")
    assert set(finished.tolist()) == {0.25, 0.75}


def test_log1p_of_less_than_minus_one_says_what_fits():
    with pytest.raises(TrainingError, match=r"feature x: scale log1p .* training has -1.0; .*\n  do: .*yeo-johnson"):
        _scaled(np.array([-1.0, 3.0]), method="log1p")


def test_where_the_quartiles_coincide_robust_takes_the_deviation():
    values = np.array([5.0] * 90 + [6.0] * 10)
    assert _scaled(values, method="robust")[0].max() == pytest.approx(1 / values.std())


@given(power=st.sampled_from([0.0, 1.0, 2.0]) | st.floats(-3, 5), values=st.lists(st.floats(-1e3, 1e3), min_size=2))
@settings(max_examples=100, deadline=None)
def test_curves_ascend(power, values):
    x = np.sort(np.array(values))
    bent = apply_curve(Curve(kind="yeo-johnson", power=power), x)
    assert (np.diff(bent) >= -1e-9 * np.abs(bent[1:])).all()
