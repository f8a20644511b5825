import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import DataError
from tasks.images import near
from tasks.images.near import MOST_DISTANCE, band_masks, keep_one, near_pairs


def clustered(seed: int, count: int) -> np.ndarray:
    """Hashes in clusters: a few centres with a few bits turned."""
    draw = np.random.default_rng(seed)
    centres = draw.integers(0, 2**64, max(1, count // 6), dtype=np.uint64)
    hashes = centres[draw.integers(0, len(centres), count)]
    for _ in range(6):
        turn = draw.random(count) < 0.6
        hashes[turn] ^= np.uint64(1) << draw.integers(0, 64, turn.sum(), dtype=np.uint64)
    return np.unique(hashes)


@settings(max_examples=16)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 120), distance=st.sampled_from([0, 1, 2, 4, 7]))
def test_exactly_the_near_pairs_are_found_each_once(seed, count, distance):
    hashes = clustered(seed, count)
    masks = band_masks(distance, 10**6)
    found = []
    for number in range(len(masks)):
        first, second, apart = near_pairs(hashes, masks[: number + 1], distance)
        pairs = np.sort(np.stack([first, second]), axis=0)
        found += list(zip(*pairs.tolist(), apart.tolist(), strict=True))
    between = np.bitwise_count(hashes[:, None] ^ hashes[None, :])
    left, right = np.nonzero(np.triu(between <= distance, k=1))
    assert sorted(found) == sorted(zip(left.tolist(), right.tolist(), between[left, right].tolist(), strict=True))


def test_only_pairs_of_different_groups_count_across():
    hashes = np.array([0, 1, 3, 2**40], np.uint64)
    groups = np.array([0, 0, 1, 1], np.uint8)
    masks = band_masks(2, 4)
    found = set()
    for number in range(len(masks)):
        first, second, _ = near_pairs(hashes, masks[: number + 1], 2, groups)
        found |= {tuple(sorted(pair)) for pair in zip(first.tolist(), second.tolist(), strict=True)}
    assert found == {(0, 2), (1, 2), (0, 3), (1, 3)}


@pytest.mark.parametrize("distance", range(MOST_DISTANCE + 1))
@pytest.mark.parametrize("images", [10, 10**5, 10**8])
def test_each_choice_of_bands_leaves_enough_bits(distance, images):
    masks = band_masks(distance, images)
    assert len(set(masks)) == len(masks)
    assert all(0 < mask < 2**64 for mask in masks)
    for seed in range(50):
        turned = np.random.default_rng(seed).choice(64, distance, replace=False)
        changed = sum(1 << int(bit) for bit in turned)
        assert any(not changed & mask for mask in masks)


@settings(max_examples=60)
@given(
    images=st.integers(1, 30),
    ends=st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=60),
)
def test_no_two_that_stay_are_near_and_each_that_goes_is_near_to_one_that_stays(images, ends):
    pairs = sorted({(min(a, b) % images, max(a, b) % images) for a, b in ends})
    pairs = [(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]]
    first, second = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    because = keep_one(first, second, images)
    stays = because < 0
    assert not any(stays[a] and stays[b] for a, b in pairs)
    for image in np.flatnonzero(~stays):
        assert second[because[image]] == image
        assert stays[first[because[image]]]
    assert stays[0]


def test_too_many_pairs_are_an_error_that_says_what_to_do(monkeypatch):
    monkeypatch.setattr(near, "MOST_PAIRS", 10)
    with pytest.raises(DataError, match=r"more than 10 pairs are at most 1 bits apart\n  do: lower `max_distance`"):
        near_pairs(np.zeros(8, np.uint64), band_masks(1, 8)[:1], 1)
