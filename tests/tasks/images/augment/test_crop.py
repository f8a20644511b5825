import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.images.augment.crop import CropConfig, crop
from tests.tasks.images.augment.batches import batch, seeded


@settings(max_examples=25)
@given(padding=st.integers(1, 6), fill=st.sampled_from(["zeros", "reflect"]), seed=st.integers(0, 99))
def test_each_result_is_a_frame_of_the_padded_image(padding, fill, seed):
    images = batch(6, 2, 8, 7, seed)
    cut = crop(images, CropConfig(padding=padding, fill=fill), seeded(seed))
    mode = "reflect" if fill == "reflect" else "constant"
    padded = torch.nn.functional.pad(images, (padding,) * 4, mode=mode)
    frames = padded.unfold(2, 8, 1).unfold(3, 7, 1)  # [N, C, rows, columns, 8, 7]
    found = (frames == cut[:, :, None, None]).all(dim=(1, 4, 5))
    assert found.any(dim=2).any(dim=1).all()
    assert cut.is_contiguous()


def test_every_offset_is_drawn_and_the_rest_stays():
    images = torch.zeros(3000, 1, 5, 5, dtype=torch.uint8)
    images[:, :, 2, 2] = 255
    places = crop(images, CropConfig(padding=2), seeded()).flatten(1).argmax(dim=1)
    counts = torch.bincount(places, minlength=25)
    assert counts.min() > 70
    some = crop(images, CropConfig(padding=2, probability=0.3), seeded())
    assert 0.65 < (some == images).all(dim=(1, 2, 3)).float().mean() < 0.8


def test_too_much_to_mirror_is_an_error():
    with pytest.raises(ValueError, match=r"crop.padding 7: must be below the images' 8 x 7 pixels"):
        crop(batch(2, 1, 8, 7), CropConfig(padding=7, fill="reflect"), seeded())
