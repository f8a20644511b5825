import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.images.statistics import ChannelStatistics


def images_of(seed: int, count: int, channels: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 5, 7, channels), dtype=np.uint8)


@settings(max_examples=30)
@given(seed=st.integers(0, 999), cuts=st.tuples(st.integers(0, 9), st.integers(0, 9)), channels=st.sampled_from([1, 3]))
def test_merging_is_exact_associative_and_order_free(seed, cuts, channels):
    pixels = images_of(seed, 9, channels)
    a, b, c = (ChannelStatistics.of(part) for part in np.split(pixels, sorted(cuts)))
    whole = ChannelStatistics.of(pixels)
    assert a.merge(b).merge(c) == a.merge(b.merge(c)) == c.merge(a).merge(b) == whole
    np.testing.assert_allclose(whole.mean, pixels.mean(axis=(0, 1, 2)), rtol=1e-13)
    np.testing.assert_allclose(whole.std, pixels.std(axis=(0, 1, 2)), rtol=1e-12)


def test_a_constant_channel_is_only_centred():
    pixels = np.full((3, 4, 4, 1), 200, np.uint8)
    statistics = ChannelStatistics.of(pixels)
    assert (statistics.mean, statistics.std) == ((200.0,), (1.0,))
