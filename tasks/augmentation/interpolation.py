"""SMOTE, SMOTENC and ADASYN by imbalanced-learn, with the parents of every new row kept.

imbalanced-learn says of a new row neither which row it began from nor towards which neighbour it went. For SMOTE
(Chawla et al., 2002) the subclasses here note both where the library draws them. For ADASYN (He et al., 2008), which
draws in one long method, the draws are made once more from the same seed and the neighbours that were found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from imblearn.over_sampling import ADASYN, SMOTE, SMOTENC
from numpy.typing import NDArray
from scipy import sparse
from sklearn import config_context
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from tasks.augmentation.balance import Method
from tasks.errors import ConfigError, TrainingError

Matrix = NDArray[np.float32]
Places = NDArray[np.int64]

# The one-hot neighbours of new rows are held at once for so many cells; more would only cost memory.
_PORTION_CELLS = 1 << 23
_MOST_CELLS = 1 << 28
# scikit-learn would take a gigabyte for distances at once.
_NEIGHBOUR_MEGABYTES = 64


@dataclass(frozen=True)
class Parents:
    """Where M new rows come from: `first` and `second` are int64 [M], places among the class's rows.

    Attributes:
        step: float64 [M], the way from the first to the second, in [0, 1).
    """

    first: Places
    second: Places
    step: NDArray[np.float64]


@dataclass(frozen=True)
class Request:
    """What is asked of an interpolating method.

    Attributes:
        rows: How many new rows; ADASYN's rounding may give a few more or fewer.
        neighbors: Nearest neighbours to choose from.
        seed: Decides every draw.
        label: Names the class and the column, for messages.
    """

    method: Method
    rows: int
    neighbors: int
    seed: int
    label: str


def interpolate(
    numeric: Matrix, codes: Places, others: Matrix, two_valued: NDArray[np.bool_], request: Request
) -> tuple[Matrix, Places, Parents]:
    """Make new rows of one class between neighbours of that class.

    A number lies between its parents'. A feature of two values takes the nearer parent's, so that an indicator stays
    0 or 1. A code (SMOTENC) is the most frequent one among the neighbours of the first parent.

    Args:
        numeric: The class's numeric features, float32 [N, D].
        codes: Its categorical features, int64 [N, K]; `K` is 0 unless the method is SMOTENC.
        others: Numeric features of the rows of all other classes, float32 [O, D], which ADASYN looks at.
        two_valued: bool [D].
        request: What to make.

    Returns:
        The new rows' features, float32 [M, D] and int64 [M, K], and their parents.

    Raises:
        TrainingError: The class has too few rows, or ADASYN finds none of it near another class.
        ConfigError: SMOTENC would need too much memory.
    """
    if len(numeric) <= request.neighbors:
        raise TrainingError(
            f"augment.balance: {request.label} has {len(numeric)} training rows, and interpolating between "
            f"{request.neighbors} neighbors needs {request.neighbors + 1}\n"
            "  do: lower augment.balance.neighbors, or take method `over`"
        )
    with threadpool_limits(limits=1), config_context(working_memory=_NEIGHBOUR_MEGABYTES):
        if request.method == "adasyn":
            made, parents = _adasyn(numeric, others, request)
        else:
            made, parents = _smote(numeric, codes, request)
    fresh = _between(made[:, : numeric.shape[1]], numeric, two_valued, parents)
    return fresh, made[:, numeric.shape[1] :].astype(np.int64), parents


def _between(made: Matrix, numeric: Matrix, two_valued: NDArray[np.bool_], parents: Parents) -> Matrix:
    first, second = numeric[parents.first], numeric[parents.second]
    # Rounding can lead past a parent by the last bit.
    inside = np.clip(made, np.minimum(first, second), np.maximum(first, second))
    nearer = np.where(parents.step[:, None] < 0.5, first, second)
    return np.where(two_valued, nearer, inside).astype(np.float32)


class _Recording:
    """Notes the draws of a SMOTE in `drawn`: first parents, second parents and steps."""

    drawn: list[tuple[Places, Places, NDArray[np.float64]]]

    def _generate_samples(self, members: Any, near: Any, neighbours: Places, *draws: Any) -> Any:
        rows, columns, steps = draws[:3]
        self.drawn = [*getattr(self, "drawn", []), (rows, neighbours[rows, columns], steps[:, 0])]
        return super()._generate_samples(members, near, neighbours, *draws)  # type: ignore[misc]


class _Smote(_Recording, SMOTE):  # type: ignore[misc]
    pass


class _InPortions:
    """Makes SMOTENC's new rows a portion at a time: the library holds all of their one-hot neighbours at once."""

    def _generate_samples(self, members: Any, near: Any, neighbours: Places, *draws: Any) -> Any:
        rows, columns, steps, *rest = draws
        dense_members, dense_near = members.toarray(), near.toarray()
        portion = max(1, _PORTION_CELLS // (neighbours.shape[1] * members.shape[1]))
        made = [
            super(_InPortions, self)._generate_samples(  # type: ignore[misc]
                dense_members, dense_near, neighbours, rows[part], columns[part], steps[part], *rest
            )
            for part in (slice(start, start + portion) for start in range(0, len(rows), portion))
        ]
        return sparse.csr_matrix(np.vstack(made))


class _SmoteNc(_Recording, _InPortions, SMOTENC):  # type: ignore[misc]
    pass


def _smote(numeric: Matrix, codes: Places, request: Request) -> tuple[Matrix, Parents]:
    members = np.hstack([numeric, codes.astype(np.float32)]) if codes.shape[1] else numeric
    # SMOTE looks at no other class, but the library wants two: a single row stands for all of them.
    table = np.vstack([members, members[:1]])
    target = np.append(np.ones(len(members), dtype=np.int64), 0)
    named: dict[str, Any] = {
        "sampling_strategy": {1: len(members) + request.rows},
        "random_state": np.random.RandomState(request.seed),
        "k_neighbors": request.neighbors,
    }
    if codes.shape[1]:
        _require_memory(codes, request)
        sampler = _SmoteNc(categorical_features=list(range(numeric.shape[1], members.shape[1])), **named)
    else:
        sampler = _Smote(**named)
    made, _ = sampler.fit_resample(table, target)
    first, second, step = (np.concatenate(parts) for parts in zip(*sampler.drawn, strict=True))
    return made[len(table) :].astype(np.float32), Parents(first, second, step)


def _require_memory(codes: Places, request: Request) -> None:
    width = sum(len(np.unique(column)) for column in codes.T)
    if len(codes) * width > _MOST_CELLS:
        raise ConfigError(
            f"augment.balance.method: smotenc would hold {len(codes)} rows of {request.label} times {width} one-hot "
            f"columns, {len(codes) * width * 4 / 1e9:.1f} GB; at most {_MOST_CELLS * 4 / 1e9:.1f} GB\n"
            "  do: lower preprocess.max_vocabulary, raise preprocess.min_count, or take method `over`"
        )


class _Remembering(NearestNeighbors):  # type: ignore[misc]
    """Nearest neighbours that remember their answers in `answers`."""

    def kneighbors(self, *given: Any, **named: Any) -> Any:
        found = super().kneighbors(*given, **named)
        self.answers = [*getattr(self, "answers", []), found]
        return found


def _adasyn(numeric: Matrix, others: Matrix, request: Request) -> tuple[Matrix, Parents]:
    table = np.vstack([numeric, others])
    target = (np.arange(len(table)) < len(numeric)).astype(np.int64)
    sampler = ADASYN(
        sampling_strategy={1: len(numeric) + request.rows},
        random_state=np.random.RandomState(request.seed),
        n_neighbors=_Remembering(n_neighbors=request.neighbors + 1),
    )
    try:
        made, _ = sampler.fit_resample(table, target)
    except (RuntimeError, ValueError) as error:
        raise TrainingError(
            f"augment.balance: adasyn adds rows where classes meet, and cannot for {request.label} ({error})\n"
            "  do: take method `smote`"
        ) from error
    fresh = made[len(table) :].astype(np.float32)
    parents = _drawn_again(sampler.nn_.answers, target, request)
    expected = numeric[parents.first] * (1 - parents.step[:, None]) + numeric[parents.second] * parents.step[:, None]
    assert np.allclose(fresh, expected, rtol=1e-3, atol=1e-3), "the parents are not those that ADASYN drew"
    return fresh, parents


def _drawn_again(answers: list[Places], target: Places, request: Request) -> Parents:
    """Repeat ADASYN's draws: as many rows from each first parent as the share of strangers around it."""
    around, within = (answer[:, 1:] for answer in answers)
    strangers = (target[around] == 0).sum(axis=1) / request.neighbors
    first = np.repeat(np.arange(len(within)), np.rint(strangers / strangers.sum() * request.rows).astype(np.int64))
    generator = np.random.RandomState(request.seed)
    second = within[first, generator.choice(request.neighbors, size=len(first))]
    return Parents(first, second, generator.uniform(size=(len(first), 1))[:, 0])
