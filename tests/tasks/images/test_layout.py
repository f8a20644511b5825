import numpy as np
import pyarrow as pa
import pytest

from tasks.errors import IntegrityError
from tasks.images.layout import ImageLayout, pixel_column, pixels_of
from tests.tasks.images.pictures import picture

LAYOUT = ImageLayout(width=8, height=6, mode="RGB", classes=("a",))


def test_pixels_go_into_a_column_and_out_of_any_slice_of_it_without_a_copy():
    pixels = np.stack([picture(seed) for seed in range(5)])
    column = pixel_column(pixels)
    np.testing.assert_array_equal(pixels_of(column, LAYOUT.shape), pixels)
    np.testing.assert_array_equal(pixels_of(column.slice(2, 2), LAYOUT.shape), pixels[2:4])
    np.testing.assert_array_equal(pixels_of(pa.chunked_array([column[:1], column[1:]]), LAYOUT.shape), pixels)
    assert pixels_of(column[:0], LAYOUT.shape).shape == (0, 6, 8, 3)
    assert np.shares_memory(pixels_of(column, LAYOUT.shape), pixels)


def test_pixels_of_another_shape_are_an_error():
    with pytest.raises(IntegrityError, match=r"column of images: expected 144 bytes per image for \(6, 8, 3\), got "):
        pixels_of(pixel_column(np.zeros((2, 6, 8, 1), np.uint8)), LAYOUT.shape)


def test_a_partition_holds_some_sixteen_mebibytes_and_at_least_one_image():
    assert LAYOUT.images_per_partition == 8192
    assert LAYOUT.model_copy(update={"width": 224, "height": 224}).images_per_partition == 111
    assert LAYOUT.model_copy(update={"width": 4096, "height": 4096}).images_per_partition == 1
