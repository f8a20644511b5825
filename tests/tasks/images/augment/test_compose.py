import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.images.augment.compose import Augmentation, ImageAugmentConfig
from tests.tasks.images.augment.batches import batch, seeded

EVERYTHING = {
    "flip": {"horizontal": 0.5, "vertical": 0.5},
    "affine": {"rotation": 20, "scale": (0.8, 1.2), "translation": 0.1},
    "crop": {"padding": 2, "fill": "reflect"},
    "color": {"brightness": 0.2, "contrast": 0.2, "saturation": 0.2, "hue": 0.1},
    "noise": {"std": 0.1},
    "erasing": {"probability": 0.5},
    "mixup": {"probability": 0.4, "alpha": 0.3},
    "cutmix": {"probability": 0.4},
}
TARGETS = torch.arange(16) % 5


@settings(max_examples=40)
@given(names=st.sets(st.sampled_from(sorted(EVERYTHING))), whole=st.booleans(), seed=st.integers(0, 99))
def test_the_same_state_gives_the_same_batch_in_shape_type_and_range(names, whole, seed):
    images = batch() if whole else batch().float()
    augment = Augmentation(ImageAugmentConfig(**{name: EVERYTHING[name] for name in names}), classes=5)
    changed, soft = augment(images, TARGETS, seeded(seed))
    again, soft_again = augment(images, TARGETS, seeded(seed))
    assert torch.equal(changed, again)
    assert torch.equal(soft, soft_again)
    assert (changed.shape, changed.dtype, soft.shape) == (images.shape, images.dtype, (16, 5))
    assert 0 <= changed.min() <= changed.max() <= 255
    torch.testing.assert_close(soft.sum(dim=1), torch.ones(16))
    assert torch.equal(images, batch() if whole else batch().float())


def test_off_is_the_identity():
    augment = Augmentation(ImageAugmentConfig(), classes=5)
    generator = seeded()
    state = generator.get_state()
    changed, soft = augment(batch(), TARGETS, generator)
    assert torch.equal(changed, batch())
    assert torch.equal(soft.argmax(dim=1), TARGETS)
    assert set(soft.unique().tolist()) == {0, 1}
    assert torch.equal(generator.get_state(), state)


def test_soft_targets_are_taken_as_they_are():
    given_ = torch.rand(16, 5, generator=seeded())
    _, soft = Augmentation(ImageAugmentConfig(**EVERYTHING), 5)(batch(), given_ / given_.sum(1, keepdim=True), seeded())
    torch.testing.assert_close(soft.sum(dim=1), torch.ones(16))


def test_an_image_gets_one_mix_at_most_by_their_probabilities():
    images = torch.linspace(0, 255, 1000)[:, None, None, None].expand(1000, 1, 8, 8).contiguous()
    config = ImageAugmentConfig(mixup={"probability": 0.3}, cutmix={"probability": 0.5, "alpha": 1})
    mixed, soft = Augmentation(config, 1000)(images, torch.arange(1000), seeded())
    levels = torch.tensor([len(each.unique()) for each in mixed])
    blended = (levels == 1) & (mixed[:, 0, 0, 0] != images[:, 0, 0, 0])
    assert levels.max() == 2
    assert 0.25 < blended.float().mean() < 0.35
    assert 0.4 < (levels == 2).float().mean() < 0.55
    assert ((soft > 0).sum(dim=1) <= 2).all()


def test_another_seed_gives_another_batch():
    augment = Augmentation(ImageAugmentConfig(**EVERYTHING), classes=5)
    assert not torch.equal(augment(batch(), TARGETS, seeded(1))[0], augment(batch(), TARGETS, seeded(2))[0])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_batch_on_the_gpu_stays_there():
    images = batch().cuda()
    generator = torch.Generator(device="cuda").manual_seed(1)
    changed, soft = Augmentation(ImageAugmentConfig(**EVERYTHING), 5)(images, TARGETS.cuda(), generator)
    assert changed.is_cuda
    assert soft.is_cuda
    assert changed.dtype == torch.uint8


def test_more_mixing_than_there_are_images_is_refused():
    with pytest.raises(ValidationError, match=r"must add up to at most 1, got 1.5"):
        ImageAugmentConfig(mixup={"probability": 0.5}, cutmix={"probability": 1})
