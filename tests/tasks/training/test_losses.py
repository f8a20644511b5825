from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import nn
from torch.nn import functional

from tasks.errors import ConfigError
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget, Target
from tasks.training.losses import Loss, LossConfig, l1_norm

CLASSES = ClassTarget(column="c", source="integer", classes=(0, 1, 2))
LABELS = LabelsTarget(labels=("a", "b"))
NUMBER = NumberTarget(column="y", source="number", center=3.0, spread=2.0)
QUANTILES = NUMBER.model_copy(update={"quantiles": (0.1, 0.5, 0.9)})

SCORES = torch.tensor([[2.0, -1.0, 0.5], [0.3, 0.2, -0.4], [-2.0, 3.0, 1.0], [0.0, 0.0, 0.0]])
CLASS_TRUTH = torch.tensor([0, 1, 1, 2])
LABEL_TRUTH = torch.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
NUMBERS = torch.tensor([0.5, -1.0, 3.0, 0.0])


def _loss(given: Any, target: Target, scores: torch.Tensor, truth: torch.Tensor, **more: Any) -> float:
    loss = Loss(LossConfig.model_validate(given), target, truth=truth, weight=more.get("weight"))
    return loss(scores[:, None], truth).item()


def test_auto_is_the_loss_of_the_problem() -> None:
    cross = functional.cross_entropy(SCORES, CLASS_TRUTH).item()
    assert _loss("auto", CLASSES, SCORES, CLASS_TRUTH) == pytest.approx(cross)
    binary = functional.binary_cross_entropy_with_logits(SCORES[:, :2], LABEL_TRUTH).item()
    assert _loss("auto", LABELS, SCORES[:, :2], LABEL_TRUTH) == pytest.approx(binary)
    assert _loss("auto", NUMBER, SCORES[:, :1], NUMBERS) == pytest.approx(((SCORES[:, 0] - NUMBERS) ** 2).mean().item())
    error = NUMBERS[:, None] - SCORES
    levels = torch.tensor(QUANTILES.quantiles)
    pinball = torch.where(error > 0, levels * error, (levels - 1) * error).mean().item()
    assert _loss("auto", QUANTILES, SCORES, NUMBERS) == pytest.approx(pinball)


def test_the_losses_of_numbers() -> None:
    error = (SCORES[:, 0] - NUMBERS).abs()
    assert _loss("mae", NUMBER, SCORES[:, :1], NUMBERS) == pytest.approx(error.mean().item())
    huber = torch.where(error < 0.7, error**2 / 2, 0.7 * (error - 0.35)).mean().item()
    assert _loss({"name": "huber", "delta": 0.7}, NUMBER, SCORES[:, :1], NUMBERS) == pytest.approx(huber)


def test_focal_without_gamma_is_cross_entropy_and_with_it_sees_the_easy_less() -> None:
    weight = torch.tensor([3.0, 1.0, 0.5])
    plain = functional.cross_entropy(SCORES, CLASS_TRUTH, weight=weight).item()
    assert _loss({"name": "focal", "gamma": 0.0}, CLASSES, SCORES, CLASS_TRUTH, weight=weight) == pytest.approx(plain)
    easy, hard = torch.tensor([[4.0, 0.0, 0.0]]), torch.tensor([[0.0, 4.0, 0.0]])
    truth = torch.tensor([0])
    ratios = [
        _loss("focal", CLASSES, scores, truth) / _loss("cross_entropy", CLASSES, scores, truth)
        for scores in (easy, hard)
    ]
    assert ratios[0] < 0.01
    assert ratios[1] > 0.9
    right = torch.sigmoid(torch.where(LABEL_TRUTH > 0, SCORES[:, :2], -SCORES[:, :2]))
    expected = (-torch.log(right) * (1 - right) ** 2).mean().item()
    assert _loss("focal", LABELS, SCORES[:, :2], LABEL_TRUTH) == pytest.approx(expected, rel=1e-5)


def test_class_weights_smoothing_and_label_weights() -> None:
    weight = torch.tensor([3.0, 1.0, 1.0])
    rows = functional.cross_entropy(SCORES, CLASS_TRUTH, reduction="none")
    share = weight[CLASS_TRUTH] / weight[CLASS_TRUTH].sum()
    assert _loss("auto", CLASSES, SCORES, CLASS_TRUTH, weight=weight) == pytest.approx((rows * share).sum().item())
    smoothed = functional.cross_entropy(SCORES, CLASS_TRUTH, label_smoothing=0.1).item()
    assert _loss({"label_smoothing": 0.1}, CLASSES, SCORES, CLASS_TRUTH) == pytest.approx(smoothed)
    for given, pos in (("balanced", [1 / 3, 3.0]), ({"b": 5.0}, [1.0, 5.0])):
        expected = functional.binary_cross_entropy_with_logits(
            SCORES[:, :2], LABEL_TRUTH, pos_weight=torch.tensor(pos)
        ).item()
        assert _loss({"pos_weight": given}, LABELS, SCORES[:, :2], LABEL_TRUTH) == pytest.approx(expected)
    even = _loss({"label_smoothing": 0.5}, LABELS, SCORES[:, :2], LABEL_TRUTH)
    truth = LABEL_TRUTH * 0.5 + 0.25
    assert even == pytest.approx(functional.binary_cross_entropy_with_logits(SCORES[:, :2], truth).item())


@pytest.mark.parametrize("name", ["cross_entropy", "focal"])
def test_classes_may_be_mixed(name: str) -> None:
    weight = torch.tensor([3.0, 1.0, 0.5])
    pure = functional.one_hot(CLASS_TRUTH, 3).float()
    expected = _loss({"name": name}, CLASSES, SCORES, CLASS_TRUTH)
    assert _loss({"name": name}, CLASSES, SCORES, pure) == pytest.approx(expected)
    if name == "focal":
        weighted = _loss({"name": name}, CLASSES, SCORES, CLASS_TRUTH, weight=weight)
        assert _loss({"name": name}, CLASSES, SCORES, pure, weight=weight) == pytest.approx(weighted, rel=1e-5)


@pytest.mark.parametrize(
    ("target", "scores", "truth"),
    [(CLASSES, SCORES, CLASS_TRUTH), (LABELS, SCORES[:, :2], LABEL_TRUTH), (QUANTILES, SCORES, NUMBERS)],
)
def test_every_member_learns_for_itself(target: Target, scores: torch.Tensor, truth: torch.Tensor) -> None:
    loss = Loss(LossConfig(), target, truth=truth, weight=None)
    members = torch.stack([scores, scores * 2], dim=1)
    each = [loss(scores[:, None], truth), loss(scores[:, None] * 2, truth)]
    assert loss(members, truth).item() == pytest.approx(((each[0] + each[1]) / 2).item())
    assert not loss.state_dict()


def test_the_l1_norm_leaves_out_biases() -> None:
    layer = nn.Linear(2, 1)
    layer.weight.data = torch.tensor([[1.0, -2.0]])
    assert l1_norm(layer).item() == 3.0


@pytest.mark.parametrize(
    ("given", "target", "message"),
    [
        ("mse", CLASSES, r"train\.loss\.name: `mse` does not fit a multiclass problem\n  do: .* cross_entropy, focal"),
        ("cross_entropy", NUMBER, "does not fit a regression problem"),
        ("pinball", NUMBER, "does not fit a regression problem"),
        ("mse", QUANTILES, "one of pinball"),
        ({"pos_weight": {"c": 2.0}}, LABELS, r"train\.loss\.pos_weight: expected one of a, b, got 'c'"),
    ],
)
def test_a_loss_that_does_not_fit_the_problem_is_refused(given: Any, target: Target, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Loss(LossConfig.model_validate(given), target, truth=LABEL_TRUTH, weight=None)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("focl", r"got 'focl'\n  do: write `focal`"),
        ({"name": "mse", "gamma": 1.0}, r"train\.loss\.gamma: `mse` has no such option; it belongs to focal"),
        ({"name": "huber", "label_smoothing": 0.1}, "label_smoothing: `huber` has no such option"),
        ({"label_smoothing": 1.0}, "label_smoothing"),
        ({"l1": -1.0}, "l1"),
    ],
)
def test_a_loss_that_cannot_be_is_refused(given: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        LossConfig.model_validate(given)


def test_auto_refuses_the_options_of_another_problem() -> None:
    with pytest.raises(ConfigError, match="gamma: `mse` has no such option"):
        LossConfig(gamma=1.0).resolved("regression")
