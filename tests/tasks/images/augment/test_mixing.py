import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tasks.images.augment.mixing import MixConfig, _draw, cutmix, mixup
from tests.tasks.images.augment.batches import batch, seeded


def named(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Images of one level each, and a class of its own for each: what a target says can be read off the pixels."""
    levels = torch.linspace(0, 255, count)
    return levels[:, None, None, None].expand(count, 1, 11, 9).clone(), torch.eye(count)


@settings(max_examples=25)
@given(count=st.integers(1, 12), alpha=st.floats(0.1, 5), probability=st.floats(0, 1), seed=st.integers(0, 99))
def test_targets_are_mixed_as_the_images_are(count, alpha, probability, seed):
    images, targets = named(count)
    config = MixConfig(alpha=alpha, probability=probability)
    for mix in (mixup, cutmix):
        mixed, soft = mix((images, targets), config, seeded(seed))
        torch.testing.assert_close(soft.sum(dim=1), torch.ones(count))
        assert (soft >= 0).all()
        expected = (soft * images[:, 0, 0, 0]).sum(dim=1)
        torch.testing.assert_close(mixed.mean(dim=(1, 2, 3)), expected, atol=1e-3, rtol=1e-4)
        assert torch.equal(images, named(count)[0])


@settings(max_examples=25)
@given(seed=st.integers(0, 999))
def test_the_pasted_area_is_the_share_of_the_target(seed):
    images, targets = named(6)
    mixed, soft = cutmix((images, targets), MixConfig(), seeded(seed))
    own = (mixed == images).float().mean(dim=(1, 2, 3))
    torch.testing.assert_close(own, soft.diagonal())


def test_the_share_that_stays_is_beta_distributed():
    for alpha in (0.2, 1.0, 3.0):
        kept, partner = _draw(torch.zeros(4000, 1, 1, 1), MixConfig(alpha=alpha), seeded())
        assert stats.kstest(kept.double().numpy(), stats.beta(alpha, alpha).cdf).pvalue > 0.01
        assert sorted(partner.tolist()) == list(range(4000))


@pytest.mark.parametrize("mix", [mixup, cutmix])
def test_nothing_is_mixed_without_chance_and_types_are_kept(mix):
    images, targets = batch(), torch.eye(16)
    same, soft = mix((images, targets), MixConfig(probability=0), seeded())
    assert torch.equal(same, images)
    assert torch.equal(soft, targets)
    mixed, soft = mix((images, targets), MixConfig(), seeded())
    assert (mixed.dtype, soft.dtype) == (torch.uint8, torch.float32)
    assert not torch.equal(mixed, images)
