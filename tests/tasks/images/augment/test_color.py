import colorsys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.images.augment.color import ColorConfig, _mean_grey, _turn_hue, color
from tests.tasks.images.augment.batches import batch, seeded


@settings(max_examples=25)
@given(
    brightness=st.floats(0, 1),
    contrast=st.floats(0, 1),
    saturation=st.floats(0, 1),
    hue=st.floats(0, 0.5),
    whole=st.booleans(),
)
def test_shape_type_and_range_are_kept(brightness, contrast, saturation, hue, whole):
    images = batch() if whole else batch().float()
    config = ColorConfig(brightness=brightness, contrast=contrast, saturation=saturation, hue=hue)
    changed = color(images, config, seeded())
    assert (changed.shape, changed.dtype) == (images.shape, images.dtype)
    assert 0 <= changed.min() <= changed.max() <= 255
    assert torch.equal(color(images, config, seeded()), changed)


def test_without_any_range_the_pixels_stay():
    assert torch.equal(color(batch(), ColorConfig(), seeded()), batch())


def test_contrast_keeps_the_mean_and_saturation_the_grey():
    images = (batch().float() / 4 + 96).double()
    contrasted = color(images, ColorConfig(contrast=0.3), seeded())
    torch.testing.assert_close(_mean_grey(contrasted), _mean_grey(images))
    saturated = color(images, ColorConfig(saturation=0.3), seeded())
    luma = torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)[:, None, None]
    torch.testing.assert_close((saturated * luma).sum(dim=1), (images * luma).sum(dim=1))
    assert not torch.allclose(saturated, images)


def test_brightness_multiplies_each_image_by_its_own_factor():
    images = torch.full((50, 1, 4, 4), 100.0)
    changed = color(images, ColorConfig(brightness=0.2), seeded())
    factors = changed[:, 0, 0, 0] / 100
    assert len(factors.unique()) == 50
    assert factors.min() >= 0.8
    assert factors.max() <= 1.2
    assert (changed == changed[:, :, :1, :1]).all()


@pytest.mark.parametrize("turn", [-0.5, -0.13, 0.0, 0.2, 0.5])
def test_hues_turn_as_colorsys_turns_them(turn):
    images = torch.cat([batch(2), torch.zeros(1, 3, 12, 10, dtype=torch.uint8)]).double()
    turned = _turn_hue(images, torch.full((3, 1, 1), turn, dtype=torch.float64))
    for pixel, got in zip(
        images.permute(0, 2, 3, 1).reshape(-1, 3), turned.permute(0, 2, 3, 1).reshape(-1, 3), strict=True
    ):
        hue, saturation, value = colorsys.rgb_to_hsv(*(pixel / 255).tolist())
        expected = np.array(colorsys.hsv_to_rgb((hue + turn) % 1, saturation, value)) * 255
        np.testing.assert_allclose(got.numpy(), expected, atol=1e-9)


def test_grey_images_have_no_hue_and_no_saturation():
    color(batch(channels=1), ColorConfig(brightness=0.1, contrast=0.1), seeded())
    for config in (ColorConfig(hue=0.1), ColorConfig(saturation=0.1)):
        with pytest.raises(ValueError, match="need 3 channels, got 1"):
            color(batch(channels=1), config, seeded())


def test_the_bits_do_not_depend_on_the_number_of_threads():
    images = batch(3, 3, 200, 200)
    before = torch.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            results.append(color(images.float(), ColorConfig(contrast=0.5, saturation=0.5), seeded()))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])
