import numpy as np
import pyarrow as pa
import pytest
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.linear_model import Ridge

from tasks.preprocessing.chained import fit_chain, predict_missing
from tasks.preprocessing.config import ChainedConfig
from tasks.preprocessing.constants import NumericFeature
from tasks.preprocessing.raw_rows import RawRows

NAMES = ("a", "b", "c")
RANDOM = np.random.default_rng(5)


def _rows(rows=2_000):
    a = RANDOM.normal(size=rows)
    truth = np.stack([a, 2 * a + 0.1 * RANDOM.normal(size=rows), a**2 - a], axis=1) * [1, 10, 3] + [0, 50, 7]
    holes = RANDOM.random(truth.shape) < [0.05, 0.2, 0.0]
    return truth, np.where(holes, np.nan, truth)


def _features(sample, chained=(True, True, True)):
    return [
        NumericFeature(
            name=f"{name}_feature",
            column=name,
            source="number",
            fill=float(np.nanmedian(sample[:, index])),
            lower=float(np.nanmin(sample[:, index])),
            upper=float(np.nanmax(sample[:, index])),
            chained=chained[index],
        )
        for index, name in enumerate(NAMES)
    ]


def _predicted(chain, features, sample):
    table = pa.table({name: sample[:, index] for index, name in enumerate(NAMES)})
    return predict_missing(chain, {each.name: each for each in features}, RawRows(table))


def test_missing_values_are_nearly_those_of_scikit_learns_iterative_imputer():
    truth, sample = _rows()
    features = _features(sample)
    chain = fit_chain(features, NAMES, sample, ChainedConfig(rounds=10, ridge=1e-3))
    assert [chain.features[target] for target in chain.targets] == ["a_feature", "b_feature"]
    found = _predicted(chain, features, sample)
    bounds = {"min_value": np.nanmin(sample, axis=0), "max_value": np.nanmax(sample, axis=0)}
    reference = IterativeImputer(Ridge(1e-6), initial_strategy="median", max_iter=10, tol=1e-9, **bounds)
    expected = reference.fit_transform(sample)
    for index in (0, 1):
        gone = np.isnan(sample[:, index])
        spread = truth[:, index].std()
        ours = found[f"{NAMES[index]}_feature"][gone]
        assert np.abs(ours - expected[gone, index]).mean() < 0.05 * spread
        median = np.abs(np.nanmedian(sample[:, index]) - truth[gone, index]).mean()
        assert np.abs(ours - truth[gone, index]).mean() < 0.5 * median


def test_only_what_is_asked_for_and_missing_is_predicted():
    _, sample = _rows(200)
    features = _features(sample, chained=(False, True, True))
    chain = fit_chain(features, NAMES, sample, ChainedConfig())
    assert chain.targets == (1,)
    assert chain.weights[0][1] == 0.0
    assert list(_predicted(chain, features, sample)) == ["b_feature"]
    assert fit_chain(_features(sample, chained=(False, False, True)), NAMES, sample, ChainedConfig()) is None


def test_predictions_stay_within_the_bounds_of_training():
    _, sample = _rows(300)
    features = _features(sample)
    chain = fit_chain(features, NAMES, sample, ChainedConfig())
    far = np.array([[1e9, np.nan, 7.0], [-1e9, np.nan, 7.0], [np.nan, np.nan, np.nan]])
    found = _predicted(chain, features, far)["b_feature"]
    assert found.min() >= features[1].lower - 1e-9
    assert found.max() <= features[1].upper + 1e-9


@pytest.mark.parametrize("rows", [0, 1])
def test_a_sample_of_hardly_any_rows_gives_no_chain(rows):
    sample = np.full((rows, 3), np.nan)
    features = [
        each.model_copy(update={"fill": 0.0, "lower": -1.0, "upper": 1.0}) for each in _features(np.zeros((1, 3)))
    ]
    assert fit_chain(features, NAMES, sample, ChainedConfig()) is None
