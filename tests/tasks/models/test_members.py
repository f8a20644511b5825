from __future__ import annotations

from typing import Literal

import numpy as np
import onnxruntime
import pytest
import torch
from scipy.special import expit, logit, softmax
from torch import nn

from tasks.export.network import export_network
from tasks.models.members import MemberLinear, MemberScaling, together

Kind = Literal["classes", "labels", "number"]
KINDS: tuple[Kind, ...] = ("classes", "labels", "number")


def _mean(scores: torch.Tensor, kind: Kind) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The definition, in float64."""
    values = scores.double().numpy()
    if kind == "classes":
        return np.asarray(np.log(softmax(values, axis=2).mean(axis=1)))
    if kind == "labels":
        return np.asarray(logit(expit(values).mean(axis=1)))
    return np.asarray(values.mean(axis=1))


@pytest.mark.parametrize("kind", KINDS)
def test_together_members_say_the_mean_of_their_probabilities(kind: Kind) -> None:
    torch.manual_seed(0)
    scores = 3 * torch.randn(20, 5, 3)
    np.testing.assert_allclose(together(scores, kind).numpy(), _mean(scores, kind), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_one_member_alone_is_what_is_said(kind: Kind) -> None:
    scores = torch.randn(4, 1, 3)
    said, alone = together(scores, kind), scores[:, 0]
    if kind == "classes":
        said, alone = said.softmax(dim=1), alone.softmax(dim=1)
    torch.testing.assert_close(said, alone)


@pytest.mark.parametrize("kind", KINDS)
def test_members_that_are_sure_and_disagree_stay_finite(kind: Kind) -> None:
    scores = torch.tensor([[[500.0, -500.0], [-500.0, 500.0]], [[1e30, -1e30], [1e30, -1e30]]])
    said = together(scores, kind)
    assert torch.isfinite(said).all()
    torch.testing.assert_close(said[0, 0], said[0, 1])
    assert said[1, 0] > said[1, 1]


class _Kinds(nn.Module):
    """Scores of four members and three outputs, from a row of twelve numbers, by every kind."""

    def forward(self, numeric: torch.Tensor, categorical: torch.Tensor) -> torch.Tensor:
        scores = numeric.reshape(-1, 4, 3)
        return torch.cat([together(scores, kind) for kind in KINDS], dim=1) + categorical.sum(dim=1, keepdim=True)


def test_the_exported_graph_says_the_same_for_every_kind() -> None:
    session = onnxruntime.InferenceSession(export_network(_Kinds().eval(), 12, 1).SerializeToString())
    torch.manual_seed(0)
    # Members that are sure are the hard case: their exponentials leave float32.
    numeric, categorical = torch.randn(40, 12) * torch.linspace(0.1, 200, 40)[:, None], torch.zeros(40, 1).long()
    (answer,) = session.run(None, {"numeric": numeric.numpy(), "categorical": categorical.numpy()})
    np.testing.assert_allclose(answer, _Kinds()(numeric, categorical).numpy(), rtol=2e-6, atol=2e-6)


def test_a_member_reads_what_is_its_own() -> None:
    torch.manual_seed(0)
    linear, inputs = MemberLinear(3, 4, 2), torch.randn(5, 3, 4)
    expected = [inputs[:, member] @ linear.weight[member] + linear.bias[member] for member in range(3)]
    torch.testing.assert_close(linear(inputs), torch.stack(expected, dim=1))


@pytest.mark.parametrize("start", ["normal", "signs"])
def test_the_columns_of_a_feature_start_with_one_factor(start: Literal["normal", "signs"]) -> None:
    torch.manual_seed(0)
    scaling = MemberScaling(6, [2, 3, 1], start)
    factor = scaling.factor.detach()
    assert factor.shape == (6, 6)
    torch.testing.assert_close(factor[:, [0, 2, 2, 5]], factor[:, [1, 3, 4, 5]])
    assert not torch.equal(factor[:, 0], factor[:, 2])
    assert (factor.abs() == 1).all() == (start == "signs")
    inputs = torch.randn(2, 6)
    torch.testing.assert_close(scaling(inputs)[1, 4], inputs[1] * factor[4])
