import torch

from tasks.images.augment.flip import FlipConfig, flip
from tests.tasks.images.augment.batches import batch, seeded


def test_always_flipped_twice_is_as_before():
    images = batch()
    for config, axis in ((FlipConfig(horizontal=1), 3), (FlipConfig(vertical=1), 2)):
        once = flip(images, config, seeded())
        assert torch.equal(once, images.flip(axis))
        assert torch.equal(flip(once, config, seeded()), images)


def test_each_image_is_flipped_or_not_by_the_probability():
    images = batch(2000, 1, 3, 3)
    flipped = flip(images, FlipConfig(horizontal=0.25), seeded())
    turned = (flipped == images.flip(3)).all(dim=(1, 2, 3))
    same = (flipped == images).all(dim=(1, 2, 3))
    assert (turned | same).all()
    assert 0.2 < (turned & ~same).float().mean() < 0.3
