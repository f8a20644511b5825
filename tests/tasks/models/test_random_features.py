from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

from tasks.models.checkpoint import WEIGHTS, read_history
from tasks.models.random_features import RandomFeaturesConfig, RandomFeaturesNetwork, build_random_features
from tasks.models.spec import CategoricalInput, FeatureSpec, NumericInput
from tasks.training.candidates import default_candidates, described
from tasks.training.randomness import reproducible
from tasks.training.train import train
from tests.tasks.training.small_jobs import small_job

SPEC = FeatureSpec(
    numeric=tuple(NumericInput(name=f"x{i}") for i in range(3)),
    categorical=(CategoricalInput(name="c", cardinality=4),),
    outputs=2,
)


def _network(**settings: float) -> RandomFeaturesNetwork:
    torch.manual_seed(0)
    return build_random_features(RandomFeaturesConfig.model_validate(settings), SPEC).eval()


@pytest.mark.parametrize("length_scale", [0.5, 2.0])
def test_the_cosines_of_two_records_multiply_to_the_gaussian_kernel(length_scale: float) -> None:
    network = _network(width=20_000, length_scale=length_scale)
    rows = torch.randn(8, 3)
    waves = torch.cos(rows @ network.frequencies + network.phases)
    kernel = torch.exp(-(torch.cdist(rows, rows) ** 2) / (2 * 3 * length_scale**2))
    assert (waves @ waves.T * 2 / 20_000 - kernel).abs().max() < 0.04


def test_a_number_out_of_reach_moves_the_linear_part_alone() -> None:
    network = _network(width=16)
    torch.nn.init.normal_(network.weight)
    numeric, categorical = torch.tensor([[9.0, 0.0, 1.0], [1e6, 0.0, 1.0]]), torch.zeros(2, 1, dtype=torch.int64)
    near, far = network(numeric, categorical)
    torch.testing.assert_close(near, far)
    torch.nn.init.ones_(network.linear.weight)
    near, far = network(numeric, categorical)
    assert (far - near).tolist() == pytest.approx([1e6 - 9] * 2, rel=1e-5)


def test_a_bend_is_learned_that_a_line_cannot_follow(tmp_path: Path) -> None:
    job = small_job(tmp_path, "regression", RandomFeaturesConfig(width=128))
    job = replace(job, config=job.config.model_copy(update={"steps_per_round": 20}))
    checkpoint = train(job)
    # The mean comes to the target's spread of 4, and a line to hardly less.
    assert min(each["rmse"] for each in read_history(checkpoint)) < 3.0
    weights = load(checkpoint.folder.joinpath(WEIGHTS).read_bytes())
    with reproducible(job.config.seed, 1):
        fresh = build_random_features(RandomFeaturesConfig(width=128), FeatureSpec.of(job.data.fitted)).state_dict()
    moved = {name for name, value in weights.items() if not torch.equal(value, fresh[name])}
    assert moved == set(fresh) - {"frequencies", "phases"}


def test_what_was_drawn_goes_where_the_weights_go() -> None:
    """Weights of other cosines would mean nothing, so whoever takes the parameters over takes these as well."""
    parameters = dict(_network().named_parameters())
    assert set(parameters) == set(_network().state_dict())
    assert not parameters["frequencies"].requires_grad


def test_small_tables_are_given_a_smooth_candidate_and_large_ones_are_not() -> None:
    assert "random-features" in map(described, default_candidates(1000))
    assert "random-features" not in map(described, default_candidates(100_000))
