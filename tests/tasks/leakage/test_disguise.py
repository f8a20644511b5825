import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from tasks.leakage.disguise import FeatureSample, Judge, _area
from tasks.leakage.disguise_numbers import NumberJudge
from tasks.leakage.words import value_words

ROWS = 4_000


def _judge(target: np.ndarray | list, column, train_share: float = 0.8, seed: int = 0):
    train = np.random.default_rng(seed).random(len(target)) < train_share
    judge = Judge(train, value_words(pa.array(target)))
    assert judge.can_judge
    return judge.judge(FeatureSample.of(pa.chunked_array([pa.array(column)])))


@pytest.fixture
def late() -> np.ndarray:
    return np.random.default_rng(1).random(ROWS) < 0.2


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=60))
def test_the_area_is_that_of_the_roc_curve(rows):
    scores, positive = np.array([score for score, _ in rows]), np.array([label for _, label in rows])
    if positive.all() or not positive.any():
        return
    table = [np.bincount(scores[positive == label], minlength=6) for label in (True, False)]
    rates = np.linspace(0, 1, 6)
    assert _area(rates, *table) == pytest.approx(roc_auc_score(positive, scores))


def test_a_number_that_follows_the_target(late):
    random = np.random.default_rng(2)
    assert _judge(late, random.normal(late * 30.0, 4.0)).feature > 0.99
    # Neither a straight line nor a growing one: far from zero on both sides.
    assert _judge(late, random.normal(0, 1, ROWS) + late * random.choice([-20.0, 20.0], ROWS)).feature > 0.98
    assert 0.6 < _judge(late, random.normal(late * 1.0, 1.0)).feature < 0.9
    assert 0.4 < _judge(late, random.normal(size=ROWS)).feature < 0.6


def test_a_category_or_a_code_that_names_the_target(late):
    random = np.random.default_rng(3)
    codes = random.integers(0, 500, ROWS) * 2 + late
    assert _judge(late, [f"c{code}" for code in codes]).feature > 0.98
    assert _judge(late, codes).feature > 0.98
    assert _judge(late, [f"c{code // 2}" for code in codes]).feature < 0.6


def test_unique_values_tell_nothing(late):
    assert _judge(late, [f"n{number}" for number in range(ROWS)]).feature == 0.5
    assert _judge(late, np.random.default_rng(4).permutation(ROWS)).feature < 0.6


def test_being_null_can_tell_all(late):
    values = pa.array(np.random.default_rng(5).normal(size=ROWS), mask=~late)
    told = _judge(late, values)
    assert told.null == 1.0
    assert told.feature > 0.98
    assert _judge(late, np.ones(ROWS)).null is None
    assert _judge(late, pa.nulls(ROWS, pa.float64())).feature == 0.5


def test_several_classes_are_averaged():
    random = np.random.default_rng(6)
    target = random.integers(0, 3, ROWS)
    assert _judge(target, [f"is {each}" for each in target]).feature == 1.0
    one = _judge(target, target == 2)
    assert one.feature == pytest.approx((1 + 0.75 + 0.75) / 3, abs=0.03)


def test_text_target_and_dictionaries(late):
    target = np.where(late, "yes", "no").tolist()
    assert _judge(target, pa.array(target).dictionary_encode()).feature == 1.0


def test_a_class_too_rare_in_validation_is_not_judged():
    train = np.arange(100) < 80
    target = value_words(pa.array(np.arange(100) % 20 == 0))
    assert not Judge(train, target).can_judge


def _explained(target: np.ndarray, column) -> float:
    train = np.random.default_rng(0).random(len(target)) < 0.8
    judge = NumberJudge(train, target)
    assert judge.can_judge
    return judge.judge(FeatureSample.of(pa.chunked_array([pa.array(column)]))).feature


def test_a_feature_that_orders_a_number_explains_its_ranks():
    random = np.random.default_rng(7)
    price = random.lognormal(sigma=3.0, size=ROWS)
    assert _explained(price, price) > 0.99
    # Any growing or falling function of it, whatever its outliers do.
    assert _explained(price, -np.log(price)) > 0.99
    assert _explained(price, np.where(price > 1e4, 1e12, price)) > 0.99
    assert 0.3 < _explained(price, np.log(price) + random.normal(scale=3.0, size=ROWS)) < 0.7
    assert abs(_explained(price, random.normal(size=ROWS))) < 0.1


def test_a_code_explains_a_number_only_if_it_comes_again():
    random = np.random.default_rng(8)
    codes = random.integers(0, 50, ROWS)
    price = codes * 7 % 50 + random.normal(scale=0.01, size=ROWS)
    assert _explained(price, [f"c{code}" for code in codes]) > 0.98
    assert _explained(price, codes) > 0.98
    assert abs(_explained(price, [f"n{number}" for number in range(ROWS)])) < 0.01


def test_few_rows_or_equal_numbers_are_not_judged():
    train = np.arange(100) < 80
    assert not NumberJudge(np.arange(100) < 81, np.arange(100.0)).can_judge
    assert not NumberJudge(train, np.where(train, np.arange(100.0), 3.0)).can_judge
    assert NumberJudge(train, np.arange(100.0)).can_judge
