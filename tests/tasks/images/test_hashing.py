import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.fft import dctn

from tasks.images.hashing import distances, hash_perceptually, hash_pixels
from tests.tasks.images.pictures import smooth

KINDS = ("difference", "frequency")


def grey(*pictures: np.ndarray) -> np.ndarray:
    return np.stack(pictures)[..., None]


def test_the_pixel_hash_tells_every_pixel_apart():
    pixels = grey(*(smooth(seed) for seed in range(20)))
    other = pixels.copy()
    other[3, 5, 6] ^= 1
    same = [a == b for a, b in zip(hash_pixels(pixels), hash_pixels(other), strict=True)]
    assert same == [index != 3 for index in range(20)]
    assert {len(each) for each in hash_pixels(pixels)} == {32}


@pytest.mark.parametrize("kind", KINDS)
def test_like_pictures_are_near_and_others_far(kind):
    pictures = [smooth(seed) for seed in range(40)]
    brighter = [np.clip(each.astype(int) * 0.9 + 12, 0, 255).astype(np.uint8) for each in pictures]
    small = [np.asarray(Image.fromarray(each).resize((24, 24), Image.Resampling.BILINEAR)) for each in pictures]
    hashes = hash_perceptually(grey(*pictures), kind)
    # A picture with a plain edge has ties that brightness decides; few bits hang on them.
    assert distances(hashes, hash_perceptually(grey(*brighter), kind)).mean() < 3
    assert distances(hashes, hash_perceptually(grey(*small), kind)).mean() < 5
    assert distances(hashes, np.roll(hashes, 1)).mean() > 20


@pytest.mark.parametrize("kind", KINDS)
def test_grey_pictures_hash_alike_in_one_channel_and_in_three(kind):
    pixels = grey(*(smooth(seed) for seed in range(10)))
    np.testing.assert_array_equal(
        hash_perceptually(pixels, kind), hash_perceptually(np.repeat(pixels, 3, axis=3), kind)
    )


@settings(max_examples=20)
@given(height=st.integers(1, 70), width=st.integers(1, 70), kind=st.sampled_from(KINDS), seed=st.integers(0, 99))
def test_a_hash_does_not_depend_on_the_batch(height, width, kind, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (5, height, width, 3), dtype=np.uint8)
    one_by_one = np.concatenate([hash_perceptually(pixels[index : index + 1], kind) for index in range(5)])
    np.testing.assert_array_equal(hash_perceptually(pixels, kind), one_by_one)


def test_no_image_has_no_hash():
    assert hash_perceptually(np.empty((0, 8, 8, 1), np.uint8), "frequency").shape == (0,)
    assert hash_pixels(np.empty((0, 8, 8, 1), np.uint8)) == []


def test_the_difference_hash_says_where_grey_rises():
    rising = np.tile(np.arange(0, 252, 4, dtype=np.uint8), (63, 1))
    assert hash_perceptually(grey(rising), "difference")[0] == 2**64 - 1
    assert hash_perceptually(grey(rising[:, ::-1]), "difference")[0] == 0


def test_the_frequency_hash_is_the_sign_of_the_low_frequencies_about_their_median():
    pictures = [smooth(seed) for seed in range(30)]
    spectra = np.stack([dctn(each.astype(float))[1:9, 1:9].ravel() for each in pictures])
    expected = np.packbits(spectra > np.median(spectra, axis=1, keepdims=True), axis=1).view(">u8")[:, 0]
    # Rounding to whole numbers may turn a bit that lies on the median.
    assert distances(hash_perceptually(grey(*pictures), "frequency"), expected.astype(np.uint64)).max() <= 2
