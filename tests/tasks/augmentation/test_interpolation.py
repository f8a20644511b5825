from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.augmentation import interpolation
from tasks.augmentation.interpolation import Request, interpolate
from tasks.errors import ConfigError, TrainingError

REQUEST = Request(method="smote", rows=40, neighbors=3, seed=5, label="class `rare` of `kind`")
NO_CODES = np.zeros((30, 0), dtype=np.int64)
NONE = np.zeros(2, dtype=bool)


def _members(rows: int = 30, centre: float = 0.0) -> np.ndarray:
    return np.random.default_rng(1).normal(loc=centre, size=(rows, 2)).astype(np.float32)


@pytest.mark.parametrize("method", ["smote", "adasyn"])
def test_a_new_row_is_where_its_parents_and_its_step_say(method: str) -> None:
    members = _members()
    made, codes, parents = interpolate(members, NO_CODES, _members(50, 1.0), NONE, replace(REQUEST, method=method))
    step = parents.step[:, None]
    expected = members[parents.first] * (1 - step) + members[parents.second] * step
    np.testing.assert_allclose(made, expected, atol=1e-5)
    assert codes.shape == (len(made), 0)
    apart = np.linalg.norm(members[:, None] - members, axis=2)
    ranks = apart.argsort(axis=1).argsort(axis=1)
    assert ranks[parents.first, parents.second].max() <= REQUEST.neighbors
    assert (parents.first != parents.second).all()


def test_codes_are_the_most_frequent_of_the_neighbours_also_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    members = _members()
    codes = np.where(members[:, :1] > 0, 3, 7).astype(np.int64)
    asked = replace(REQUEST, method="smotenc", rows=200)
    made, voted, parents = interpolate(members, codes, members[:0], NONE, asked)
    assert set(voted[:, 0]) == {3, 7}
    far = np.abs(members[parents.first, 0]) > 1
    assert (voted[far, 0] == codes[parents.first[far], 0]).mean() > 0.95
    monkeypatch.setattr(interpolation, "_PORTION_CELLS", 100)
    again, portioned, _ = interpolate(members, codes, members[:0], NONE, asked)
    assert (again == made).all()
    # Ties are broken by draws, which come in another order.
    assert (portioned == voted).mean() > 0.8


def test_codes_are_valid_where_the_numbers_say_nothing() -> None:
    flat = np.zeros((30, 2), dtype=np.float32)
    codes = np.random.default_rng(0).integers(3, 6, (30, 2))
    made, voted, _ = interpolate(flat, codes, flat[:0], NONE, replace(REQUEST, method="smotenc"))
    assert (made == 0).all()
    assert set(voted.ravel()) <= {3, 4, 5}


def test_a_feature_of_two_values_is_the_nearer_parents() -> None:
    members = _members()
    members[:, 1] = members[:, 1] > 0
    made, _, parents = interpolate(members, NO_CODES, members[:0], np.asarray([False, True]), REQUEST)
    nearer = np.where(parents.step < 0.5, parents.first, parents.second)
    assert (made[:, 1] == members[nearer, 1]).all()


def test_what_cannot_be_made_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrainingError, match=r"class `rare` of `kind` has 3 training rows, .* needs 4"):
        interpolate(_members(3), NO_CODES[:3], _members(), NONE, REQUEST)
    far = replace(REQUEST, method="adasyn")
    with pytest.raises(TrainingError, match="adasyn adds rows where classes meet, and cannot for class `rare`"):
        interpolate(_members(), NO_CODES, _members(50, 100.0), NONE, far)
    monkeypatch.setattr(interpolation, "_MOST_CELLS", 100)
    codes = np.arange(30)[:, None]
    with pytest.raises(ConfigError, match="smotenc would hold 30 rows of class `rare` of `kind` times 30 one-hot"):
        interpolate(_members(), codes, _members()[:0], NONE, replace(REQUEST, method="smotenc"))
