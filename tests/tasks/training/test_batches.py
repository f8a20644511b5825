from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import ConfigError, TrainingError
from tasks.training.batches import Drawing, RoundLoader, Share, SliceLoader, share_of
from tasks.training.splits import SplitTensors


def _split(rows: int) -> SplitTensors:
    return SplitTensors(
        inputs=(torch.arange(rows, dtype=torch.float32)[:, None], torch.zeros(rows, 0, dtype=torch.int64)),
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
        return RoundLoader(_split(rows), Drawing(batch_size, steps, seed))

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
    loader = RoundLoader(_split(rows), Drawing(batch_size, per_pass, 0))
    seen = [row for batch in _targets(loader, 3) for row in batch]
    assert len(seen) == len(set(seen)) > rows - min(rows, batch_size)


def test_passes_differ_and_so_do_seeds() -> None:
    first = RoundLoader(_split(50), Drawing(50, 1, seed=0))
    assert _targets(first, 0) != _targets(first, 1)
    assert _targets(first, 0) != _targets(RoundLoader(_split(50), Drawing(50, 1, seed=1)), 0)


def test_numbers_and_targets_stay_together() -> None:
    loader = RoundLoader(_split(20), Drawing(6, 4, seed=5))
    for numeric, _, target in loader:
        assert numeric[:, 0].tolist() == target.tolist()


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(4, 60), size=st.integers(1, 8), world=st.integers(1, 4), skipped=st.integers(0, 4))
def test_processes_share_every_batch_and_a_resumed_one_skips_what_it_saw(
    rows: int, size: int, world: int, skipped: int
) -> None:
    split = _split(rows)
    whole = RoundLoader(split, Drawing(size * world, 5, seed=1))
    parts = [RoundLoader(split, Drawing(size * world, 5, seed=1, share=Share(rank, world))) for rank in range(world)]
    for part in parts:
        part.skip(skipped)
    shared = [_targets(part, 2) for part in parts]
    assert {len(batch) for part in shared for batch in part} == {min(size, rows // world)}
    if rows >= size * world or rows % world == 0:
        together = [[row for part in batch for row in part] for batch in zip(*shared, strict=True)]
        assert together == _targets(whole, 2)[skipped:]
    assert all(_targets(part, 2) == _targets(part, 2) for part in parts), "what was seen is skipped once"


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"multiple of the 2 processes, got 7\n  do: write 8"):
        RoundLoader(_split(20), Drawing(7, 1, seed=0, share=Share(0, 2)))
    with pytest.raises(TrainingError, match="fewer than there are processes"):
        RoundLoader(_split(1), Drawing(8, 1, seed=0, share=Share(0, 2)))


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 30), world=st.integers(1, 5))
def test_stretches_are_equally_long_and_begin_with_the_split(rows: int, world: int) -> None:
    stretches = [share_of(_split(rows), Share(rank, world)).target.tolist() for rank in range(world)]
    assert len({len(stretch) for stretch in stretches}) == 1
    assert [row for stretch in stretches for row in stretch][:rows] == list(range(rows))
    assert sum(map(len, stretches)) < rows + world


def test_slices_cover_a_split_in_order() -> None:
    loader = SliceLoader(_split(23), batch_size=10)
    assert [row for _, _, target in loader for row in target.tolist()] == list(range(23))
    assert len(loader) == 3
