import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.images.augment.erasing import ErasingConfig, erase
from tests.tasks.images.augment.batches import batch, seeded


@settings(max_examples=25)
@given(low=st.floats(0.01, 0.5), more=st.floats(0, 0.4), ratio=st.floats(0.2, 5), seed=st.integers(0, 99))
def test_one_rectangle_of_about_the_drawn_area_is_black(low, more, ratio, seed):
    images = torch.full((8, 3, 40, 30), 200, dtype=torch.uint8)
    config = ErasingConfig(probability=1, area=(low, low + more), ratio=(ratio, ratio))
    black = (erase(images, config, seeded(seed)) == 0).all(dim=1)
    for mask in black:
        rows, columns = mask.any(dim=1), mask.any(dim=0)
        assert mask.sum() == rows.sum() * columns.sum()
        assert mask.sum() >= 1
        # Rounding both sides moves the area by at most half a row and half a column; long boxes are cut at the edge.
        assert mask.sum() <= (low + more) * 1200 + rows.sum() / 2 + columns.sum() / 2 + 1


def test_the_rest_stays_and_noise_fills_every_pixel():
    images = batch(200, 2, 16, 16)
    changed = erase(images, ErasingConfig(probability=0.5, area=(0.3, 0.3), ratio=(1, 1), fill="noise"), seeded())
    assert changed.dtype == torch.uint8
    touched = (changed != images).any(dim=1)
    assert 0.4 < touched.flatten(1).any(dim=1).float().mean() < 0.6
    share = touched.flatten(1).float().mean(dim=1)
    assert (share[share > 0] > 0.25).all()
    assert share.max() <= 81 / 256


@pytest.mark.parametrize("change", [{"area": (0.5, 0.2)}, {"area": (0, 1)}, {"ratio": (2, 1)}, {"probability": 1.5}])
def test_ranges_that_cannot_be_meant_are_refused(change):
    with pytest.raises(ValidationError):
        ErasingConfig(**change)
