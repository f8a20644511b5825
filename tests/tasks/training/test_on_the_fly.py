from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.augmentation.config import AugmentConfig
from tasks.training.batches import Drawing, RoundLoader
from tasks.training.on_the_fly import BalancedPass, balanced_pass, batch_noise
from tasks.training.splits import SplitTensors
from tests.tasks.training.fixtures import ON_THE_FLY, constants

FITTED = constants()


def _split(rows: int = 300) -> SplitTensors:
    generator = torch.Generator().manual_seed(1)
    numeric = torch.randn(rows, 3, generator=generator)
    numeric[:, 2] = (numeric[:, 2] > 1).float()
    return SplitTensors(
        inputs=(numeric, torch.randint(1, 5, (rows, 1), generator=generator)),
        target=(torch.rand(rows, generator=generator) < 0.8).long(),
    )


def _loader(split: SplitTensors, config: AugmentConfig = ON_THE_FLY, seed: int = 0) -> RoundLoader:
    balanced, noise = balanced_pass(split, config, FITTED), batch_noise(split, config, FITTED)
    return RoundLoader(split, Drawing(50, 7, seed, balanced=balanced, change=noise))


def _round(loader: RoundLoader, number: int) -> list[list[list[float]]]:
    loader.sampler.set_epoch(number)
    return [[part.flatten().tolist() for part in batch] for batch in loader]


def test_a_round_is_a_function_of_its_number_alone() -> None:
    split, walked = _split(), _loader(_split())
    rounds = [_round(walked, number) for number in range(3)]
    assert _round(_loader(split), 2) == rounds[2]
    assert rounds[0] != rounds[1]
    assert (split.numeric == _split().numeric).all(), "the split itself is never changed"


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(1, 30), min_size=2, max_size=4),
    wanted=st.lists(st.integers(1, 80), min_size=4, max_size=4),
    seed=st.integers(0, 99),
)
def test_a_pass_has_the_wanted_classes_and_repeats_rows_evenly(counts: list[int], wanted: list[int], seed: int) -> None:
    target = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    each = BalancedPass(target, wanted[: len(counts)])
    rows = each.order(torch.Generator().manual_seed(seed))
    assert len(rows) == len(each)
    assert torch.bincount(target[rows], minlength=len(counts)).tolist() == wanted[: len(counts)]
    times = torch.bincount(rows, minlength=len(target))
    for place in range(len(counts)):
        assert int(times[target == place].max() - times[target == place].min()) <= 1


def test_under_sampling_shows_other_rows_in_each_pass_and_all_of_them_in_the_end() -> None:
    target = torch.tensor([0] * 40 + [1] * 10)
    each = BalancedPass(target, [10, 10])
    passes = [set(each.order(torch.Generator().manual_seed(number)).tolist()) for number in range(40)]
    assert passes[0] != passes[1]
    assert set.union(*passes) == set(range(50))


def test_noise_moves_numbers_and_codes_and_nothing_else() -> None:
    split = _split()
    config = ON_THE_FLY.model_copy(update={"balance": AugmentConfig().balance})
    plain, noisy = _loader(split, AugmentConfig()), _loader(split, config)
    for (numeric, codes, target), (moved, swapped, same) in zip(plain, noisy, strict=True):
        assert (target == same).all()
        assert (numeric[:, 2] == moved[:, 2]).all(), "a feature of two values stays"
        assert (numeric[:, :2] != moved[:, :2]).float().mean() > 0.9
        assert 0 < (codes != swapped).float().mean() < 0.4
        assert set(swapped.flatten().tolist()) <= {1, 2, 3, 4}
    deviation = np.std(
        (torch.cat([batch[0] for batch in noisy]) - torch.cat([batch[0] for batch in plain])).numpy()[:, 0]
    )
    assert 0.2 < deviation < 0.35


def test_without_a_wish_for_batches_nothing_is_drawn() -> None:
    for config in (AugmentConfig(), AugmentConfig(when="batch"), ON_THE_FLY.model_copy(update={"when": "dataset"})):
        assert balanced_pass(_split(), config, FITTED) is None
        assert batch_noise(_split(), config, FITTED) is None
