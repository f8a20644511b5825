import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.images.augment.affine import AffineConfig, _sampling_matrix, affine
from tests.tasks.images.augment.batches import batch, seeded


def sampled(images: torch.Tensor, angle: float, scale: float, right: float = 0.0, down: float = 0.0) -> torch.Tensor:
    drawn = tuple(torch.full((len(images),), value) for value in (angle, scale, right, down))
    matrix = _sampling_matrix(drawn, images.shape[2] / images.shape[3])
    grid = torch.nn.functional.affine_grid(matrix, list(images.shape), align_corners=False)
    return torch.nn.functional.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def test_without_any_range_the_pixels_stay():
    images = batch()
    assert torch.equal(affine(images, AffineConfig(), seeded()), images)


def test_a_quarter_turn_turns_and_does_not_shear():
    images = batch(height=9, width=9).float()
    torch.testing.assert_close(sampled(images, math.pi / 2, 1.0), images.rot90(-1, (2, 3)), atol=0.01, rtol=0)
    # A bar in the middle of what is not square stays a bar of its length and thickness.
    wide = torch.zeros(1, 1, 21, 41)
    wide[:, :, 8:13, 18:23] = 255
    torch.testing.assert_close(sampled(wide, math.pi / 2, 1.0), wide, atol=0.05, rtol=0)


def test_a_shift_moves_by_its_share_of_the_sides():
    images = batch(height=10, width=20).float()
    moved = sampled(images, 0.0, 1.0, right=0.1, down=0.2)
    torch.testing.assert_close(moved[:, :, 2:, 2:], images[:, :, :-2, :-2], atol=0.01, rtol=0)
    assert not moved[:, :, :2].abs().max() > 0.01


def test_a_factor_above_one_makes_the_picture_grow():
    images = torch.zeros(1, 1, 20, 20)
    images[:, :, 8:12, 8:12] = 255
    assert sampled(images, 0.0, 2.0).sum() == pytest.approx(4 * images.sum().item(), rel=0.01)


@settings(max_examples=25)
@given(
    rotation=st.floats(0, 180),
    scale=st.floats(0.5, 2),
    translation=st.floats(0, 1),
    padding=st.sampled_from(["zeros", "border", "reflection"]),
    whole=st.booleans(),
)
def test_shape_type_and_range_are_kept(rotation, scale, translation, padding, whole):
    images = batch(4) if whole else batch(4).float()
    config = AffineConfig(rotation=rotation, scale=(scale, 2), translation=translation, padding=padding)
    changed = affine(images, config, seeded())
    assert (changed.shape, changed.dtype) == (images.shape, images.dtype)
    assert 0 <= changed.min() <= changed.max() <= 255
    if padding != "zeros":
        flat = torch.full_like(images, 90)
        torch.testing.assert_close(affine(flat, config, seeded()), flat, atol=1e-3, rtol=0)


def test_half_of_the_images_stay_by_their_probability():
    images = batch(400, 1, 5, 5)
    changed = affine(images, AffineConfig(probability=0.5, rotation=90), seeded())
    assert 0.4 < (changed == images).all(dim=(1, 2, 3)).float().mean() < 0.6


@pytest.mark.parametrize("change", [{"scale": (1.2, 0.8)}, {"scale": (0, 1)}, {"rotation": 181}, {"translation": 2}])
def test_ranges_that_cannot_be_meant_are_refused(change):
    with pytest.raises(ValidationError):
        AffineConfig(**change)
