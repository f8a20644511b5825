from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.errors import DataError
from tasks.explanation.columns import ColumnFeatures, by_column, column_features
from tasks.explanation.importance import Judge, importances, most_moving
from tasks.models.predictor import Predictor
from tasks.prediction.decision import Decision
from tasks.preprocessing.constants import CategoricalFeature, NumericFeature, Preprocessing
from tasks.preprocessing.targets import ClassTarget, NumberTarget

NUMBER = NumberTarget(column="y", source="number", center=0.0, spread=1.0)
ROWS = 400
COLUMNS = [ColumnFeatures("a", (0, 1), ()), ColumnFeatures("idle", (2,), ()), ColumnFeatures("c", (), (0,))]


class Known(Predictor):
    """2 a0 a1 + (c = 3): two features of one column that only mean something together, and a category."""

    def scores(self, *inputs: NDArray[Any]) -> NDArray[np.float64]:
        numeric, categorical = inputs
        return (2 * numeric[:, :1].astype(np.float64) * numeric[:, 1:2]) + (categorical == 3)


def rows_of(seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    return random.normal(size=(ROWS, 3)).astype(np.float32), random.integers(3, 5, (ROWS, 1))


def draws(repeats: int = 5) -> list[NDArray[np.int64]]:
    return [np.random.default_rng(repeat).permutation(ROWS) for repeat in range(repeats)]


def test_what_is_used_counts_and_what_is_not_does_not() -> None:
    inputs = rows_of(0)
    truth = Known().scores(*inputs)[:, 0]
    whole, found = importances(Known(), inputs, truth, COLUMNS, Judge(NUMBER, Decision(), "rmse"), draws())
    assert whole == 0.0
    assert [each.column for each in found] == ["a", "c", "idle"]
    assert (found[2].mean, found[2].deviation) == (0.0, 0.0)
    # Two independent copies of a 0/1 number differ by sqrt(1/2) in the quadratic mean.
    assert found[1].mean == pytest.approx(np.sqrt(0.5), rel=0.05)
    assert found[0].deviation > 0


def test_all_features_of_a_column_move_together() -> None:
    inputs = rows_of(1)
    rows = draws(1)[0]
    numeric, categorical = inputs[0].copy(), inputs[1].copy()
    COLUMNS[0].put((numeric, categorical), inputs, rows)
    assert (numeric[:, :2] == inputs[0][rows][:, :2]).all()
    assert (numeric[:, 2] == inputs[0][:, 2]).all()
    assert (categorical == inputs[1]).all()
    COLUMNS[2].put((numeric, categorical), inputs, rows)
    assert (categorical == inputs[1][rows]).all()


def test_of_many_columns_those_that_move_the_scores_are_looked_at() -> None:
    inputs = rows_of(3)
    shuffled = draws(1)[0]
    assert most_moving(Known(), inputs, COLUMNS, 3, shuffled) == COLUMNS
    assert most_moving(Known(), inputs, COLUMNS, 2, shuffled) == [COLUMNS[0], COLUMNS[2]]
    assert most_moving(Known(), inputs, COLUMNS, 1, shuffled) == [COLUMNS[0]]


def test_the_inputs_stay_as_they_are() -> None:
    inputs = rows_of(4)
    kept = [each.copy() for each in inputs]
    importances(Known(), inputs, np.zeros(ROWS), COLUMNS, Judge(NUMBER, Decision(), "rmse"), draws())
    assert all((each == before).all() for each, before in zip(inputs, kept, strict=True))


def test_a_gain_in_a_metric_of_which_more_is_better_is_a_loss_elsewhere() -> None:
    inputs = rows_of(2)
    truth = Known().scores(*inputs)[:, 0]
    by_error, by_share = (
        importances(Known(), inputs, truth, COLUMNS, Judge(NUMBER, Decision(), metric), draws())[1]
        for metric in ("mae", "r2")
    )
    assert [each.column for each in by_error] == [each.column for each in by_share]
    assert all(each.mean >= 0 for each in (*by_error, *by_share))


def test_a_metric_that_the_rows_do_not_allow() -> None:
    target = ClassTarget(column="y", source="boolean", classes=(False, True))
    with pytest.raises(DataError, match="`roc_auc` is undefined for the 400 rows"):
        Judge(target, Decision(), "roc_auc").value(np.zeros(ROWS, np.int64), np.zeros((ROWS, 2)))


def test_columns_have_their_features() -> None:
    constants = Preprocessing(
        numeric=(
            NumericFeature(name="day_hour", column="day", source="timestamp"),
            NumericFeature(name="x", column="x", source="number"),
            NumericFeature(name="x_null", column="x", source="number", kind="is_null"),
            NumericFeature(name="odd", column="", source="number", kind="row_outlier"),
        ),
        categorical=(CategoricalFeature(name="day_month", column="day", source="timestamp", vocabulary=()),),
        target=NUMBER,
    )
    columns = column_features(constants)
    assert columns == [
        ColumnFeatures("day", (0,), (0,)),
        ColumnFeatures("x", (1, 2), ()),
        ColumnFeatures("odd", (3,), ()),
    ]
    assert by_column(np.array([[1.0, 2.0, 3.0, 4.0, 10.0]]), columns, 4).tolist() == [[11.0, 5.0, 4.0]]
