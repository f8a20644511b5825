from __future__ import annotations

import torch

from tasks.models.members import together
from tasks.models.tabm import TabmConfig, build_tabm
from tests.tasks.models.test_models import MIXED, _batch

SMALL = TabmConfig(members=4, hidden=(8,), numeric_width=3, dropout=0.0)


def test_members_differ_and_share_all_but_their_ends() -> None:
    torch.manual_seed(0)
    network = build_tabm(SMALL, MIXED)
    scores = network.training_scores(*_batch(MIXED, 6))
    assert scores.shape == (6, 4, 2)
    assert not torch.allclose(scores[:, 0], scores[:, 1])
    own = {name for name, value in network.named_parameters() if value.shape[0] == 4}
    assert own == {"adapter.factor", "heads.weight", "heads.bias"}
    torch.testing.assert_close(network(*_batch(MIXED, 6)), together(scores, "classes"))


def test_a_members_loss_teaches_only_its_own_ends() -> None:
    torch.manual_seed(0)
    network = build_tabm(SMALL, MIXED)
    network.training_scores(*_batch(MIXED, 6))[:, 2].square().mean().backward()  # type: ignore[no-untyped-call]
    for part in (network.adapter.factor, network.heads.weight, network.heads.bias):
        assert part.grad is not None
        assert [bool(each.any()) for each in part.grad] == [False, False, True, False]


def test_numbers_may_stay_as_they_are() -> None:
    network = build_tabm(SMALL.model_copy(update={"numeric_width": 0}), MIXED)
    assert (network.adapter.factor.detach().abs() == 1).all()
    assert network(*_batch(MIXED, 6)).shape == (6, 2)
