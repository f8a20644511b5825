from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.training.batches import RoundLoader, SliceLoader
from tasks.training.splits import SplitTensors


def _split(rows: int) -> SplitTensors:
    return SplitTensors(
        numeric=torch.arange(rows, dtype=torch.float32)[:, None],
        categorical=torch.zeros(rows, 0, dtype=torch.int64),
        target=torch.arange(rows),
    )


def _targets(loader: RoundLoader, epoch: int) -> list[list[int]]:
    loader.sampler.set_epoch(epoch)
    return [target.tolist() for _, _, target in loader]


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 60),
    batch_size=st.integers(1, 70),
    steps=st.integers(1, 9),
    seed=st.integers(0, 2**63),
    epoch=st.integers(0, 12),
)
def test_a_round_is_a_function_of_seed_and_number_alone(
    rows: int, batch_size: int, steps: int, seed: int, epoch: int
) -> None:
    def fresh() -> RoundLoader:
        return RoundLoader(_split(rows), batch_size=batch_size, steps=steps, seed=seed)

    walked = fresh()
    for earlier in range(epoch):
        _targets(walked, earlier)
    expected = _targets(walked, epoch)
    torch.rand(3)
    assert _targets(fresh(), epoch) == expected
    assert len(expected) == len(fresh()) == steps
    assert {len(batch) for batch in expected} == {min(rows, batch_size)}


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 60), batch_size=st.integers(1, 60))
def test_a_pass_shows_no_row_twice_and_leaves_out_less_than_a_batch(rows: int, batch_size: int) -> None:
    per_pass = rows // min(rows, batch_size)
    loader = RoundLoader(_split(rows), batch_size=batch_size, steps=per_pass, seed=0)
    seen = [row for batch in _targets(loader, 3) for row in batch]
    assert len(seen) == len(set(seen)) > rows - min(rows, batch_size)


def test_passes_differ_and_so_do_seeds() -> None:
    first = RoundLoader(_split(50), batch_size=50, steps=1, seed=0)
    assert _targets(first, 0) != _targets(first, 1)
    assert _targets(first, 0) != _targets(RoundLoader(_split(50), batch_size=50, steps=1, seed=1), 0)


def test_numbers_and_targets_stay_together() -> None:
    loader = RoundLoader(_split(20), batch_size=6, steps=4, seed=5)
    for numeric, _, target in loader:
        assert numeric[:, 0].tolist() == target.tolist()


def test_slices_cover_a_split_in_order() -> None:
    loader = SliceLoader(_split(23), batch_size=10)
    assert [row for _, _, target in loader for row in target.tolist()] == list(range(23))
    assert len(loader) == 3
