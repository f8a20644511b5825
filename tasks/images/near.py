"""Pairs of near hashes without comparing each with each: hashes that differ in few bits agree in whole bands of bits.

Cut 64 bits into m bands: of two hashes at most d bits apart, at least m - d bands are the same, whichever bits differ.
So every such pair is found among the hashes that agree in some choice of m - d bands (Manku, Jain and Das Sarma,
"Detecting near-duplicates for web crawling", WWW 2007); nothing is missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, count, pairwise
from math import comb

import numpy as np
from numpy.typing import NDArray

from tasks.errors import DataError
from tasks.images.hashing import BITS, Hashes, distances

MOST_DISTANCE = 10
# 20 bytes a pair; a hash and a distance that find more say nothing about images.
MOST_PAIRS = 20_000_000
# What sorting one hash costs, in comparisons of two.
_SORT_COST = 30

Positions = NDArray[np.int64]


def band_masks(max_distance: int, images: int) -> list[int]:
    """Return the choices of bands to compare, each as a mask of 64 bits; how many bands is decided by what costs least.

    Args:
        max_distance: The most bits that may differ.
        images: How many hashes there are.
    """

    def cost(bands: int) -> float:
        bits = BITS * (bands - max_distance) // bands
        return comb(bands, max_distance) * (images * _SORT_COST + images * images / (2 << bits))

    bands = min(range(max_distance + 1, max_distance + 4), key=cost)
    edges = [BITS * band // bands for band in range(bands + 1)]
    masks = [(1 << stop) - (1 << start) for start, stop in pairwise(edges)]
    return [sum(chosen) for chosen in combinations(masks, bands - max_distance)]


def near_pairs(
    hashes: Hashes, masks: Sequence[int], max_distance: int, groups: NDArray[np.uint8] | None = None
) -> tuple[Positions, Positions, NDArray[np.uint8]]:
    """Return the pairs at most `max_distance` bits apart that agree under the last mask and under none before it.

    Args:
        hashes: uint64 [N].
        masks: What `band_masks` returned, up to the one to look under.
        max_distance: The most bits that may differ.
        groups: uint8 [N]; given, only pairs from different groups count.

    Returns:
        Indices of the left and of the right hash, and how many bits differ.

    Raises:
        DataError: There are more than `MOST_PAIRS`.
    """
    order = np.argsort(hashes & np.uint64(masks[-1]), kind="stable")
    ordered = hashes[order]
    keys = ordered & np.uint64(masks[-1])
    found: list[tuple[Positions, Positions]] = []
    left = np.arange(len(order))
    for offset in count(1):
        left = left[: np.searchsorted(left, len(order) - offset)]
        left = left[keys[left] == keys[left + offset]]
        if not len(left):
            break
        near = left[distances(ordered[left], ordered[left + offset]) <= max_distance]
        for mask in masks[:-1]:
            near = near[((ordered[near] ^ ordered[near + offset]) & np.uint64(mask)) != 0]
        first, second = order[near], order[near + offset]
        if groups is not None:
            apart = groups[first] != groups[second]
            first, second = first[apart], second[apart]
        found.append((first, second))
        require_few(sum(len(each) for each, _ in found), max_distance)
    nothing = np.empty(0, dtype=np.int64)
    first, second = (np.concatenate([nothing, *(pair[side] for pair in found)]) for side in (0, 1))
    return first, second, distances(hashes[first], hashes[second])


def require_few(pairs: int, max_distance: int) -> None:
    """Check that near pairs are few enough to hold.

    Raises:
        DataError: They are not.
    """
    if pairs > MOST_PAIRS:
        raise DataError(
            f"near-duplicate images: more than {MOST_PAIRS:,} pairs are at most {max_distance} bits apart\n"
            "  do: lower `max_distance`, or take `hash: frequency`, which tells more images apart"
        )


def keep_one(first: Positions, second: Positions, images: int) -> Positions:
    """Decide which images stay, taking them in order: one goes if it is near to an earlier one that stays.

    So no two that stay are near each other, and each that goes is near to one that stays.

    Args:
        first: The earlier image of each pair: its position.
        second: The later.
        images: How many images there are.

    Returns:
        int64 [images], for each image that goes the index of the pair it goes for, -1 for those that stay.
    """
    because = np.full(images, -1, dtype=np.int64)
    gone = bytearray(images)
    order = np.lexsort((first, second))
    # A later image's fate hangs on the earlier ones', so this is a loop; its pairs are few.
    for pair, earlier, later in zip(order.tolist(), first[order].tolist(), second[order].tolist(), strict=True):
        if not gone[earlier] and not gone[later]:
            gone[later] = 1
            because[later] = pair
    return because
