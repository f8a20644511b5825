from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tasks.augmentation.config import AugmentConfig
from tasks.augmentation.rows import PARENT
from tasks.errors import ConfigError
from tasks.training.fold_job import FoldJob, FoldPlan, fold_of_rows
from tasks.training.job import TrainJob
from tests.tasks.training.fixtures import TINY, write_problem
from tests.tasks.training.small_jobs import TREES, MemoryJob, small_job


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> TrainJob:
    folder = tmp_path_factory.mktemp("folds")
    problem = write_problem(folder)
    return TrainJob(
        problem.features, problem.preprocessing, TINY, folder / "home", folder / "work", AugmentConfig().for_training
    )


def test_rows_of_one_group_are_learned_from_or_held_out_together(job: TrainJob) -> None:
    plan = FoldPlan(k=2, seed=0, group="c")
    whole = job.material()
    fold = fold_of_rows(job, whole, plan)
    groups = whole.train.categorical[:, 0].numpy()
    assert all(len(np.unique(fold[groups == each])) == 1 for each in np.unique(groups))
    parts = [FoldJob.of(job, plan, held_out).material() for held_out in range(2)]
    seen = [set(part.train.categorical[:, 0].tolist()) for part in parts]
    assert seen[0] | seen[1] == set(groups.tolist())
    assert not seen[0] & seen[1]
    assert sum(len(part.train) for part in parts) == len(whole.train)
    for part in parts:
        assert part.validation.target.equal(whole.validation.target)
    assert len({whole.digest, *(part.digest for part in parts)}) == 3


def test_a_group_that_the_features_do_not_carry_is_named(job: TrainJob) -> None:
    with pytest.raises(ConfigError, match=r"`day` is not a column of the features dataset\n  do: carry it there"):
        FoldJob.of(job, FoldPlan(k=2, seed=0, group="day"), 0).material()


def test_too_many_folds_for_the_groups_are_refused(job: TrainJob) -> None:
    with pytest.raises(ConfigError, match="9 folds need at least 9 groups, and the training split has 4"):
        FoldJob.of(job, FoldPlan(k=9, seed=0, group="c"), 0).material()


class _Doubled(MemoryJob):
    """Its rows were made in pairs, each pair from one row of the data."""

    def training_column(self, name: str) -> pa.ChunkedArray | None:
        return pa.chunked_array([np.arange(300) // 2]) if name == PARENT else None


def test_rows_that_augmentation_made_stay_with_their_originals(tmp_path: Path) -> None:
    small = small_job(tmp_path, "binary", TREES)
    job = _Doubled(**small.__dict__)
    fold = fold_of_rows(job, job.material(), FoldPlan(k=3, seed=1))
    assert (fold[::2] == fold[1::2]).all()
    assert set(fold) == {0, 1, 2}
