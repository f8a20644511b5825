import torch

from tasks.images.augment.noise import NoiseConfig, noise
from tests.tasks.images.augment.batches import batch, seeded


def test_noise_has_no_mean_and_the_deviation_that_was_drawn():
    images = torch.full((200, 1, 20, 20), 128.0)
    added = noise(images, NoiseConfig(std=0.1), seeded()) - images
    assert abs(added.mean().item()) < 0.2
    deviations = added.std(dim=(1, 2, 3))
    assert 0 <= deviations.min() < 2
    assert 23 < deviations.max() < 28


def test_type_and_range_are_kept_and_some_images_stay():
    images = batch(300, 1, 4, 4)
    changed = noise(images, NoiseConfig(std=1, probability=0.5), seeded())
    assert changed.dtype == torch.uint8
    assert 0.4 < (changed == images).all(dim=(1, 2, 3)).float().mean() < 0.6
    loud = noise(images.float(), NoiseConfig(std=1), seeded())
    assert 0 <= loud.min() < loud.max() <= 255
