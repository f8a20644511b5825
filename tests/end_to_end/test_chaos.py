"""A run that is hurt at a random moment, and run again, ends with the model of a run that nothing happened to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.end_to_end.chaos.drawing import KINDS, Variant, draw
from tests.end_to_end.chaos.rounds import Bench, Unharmed, play, unharmed
from tests.end_to_end.chaos.server import Server

SEEDS = 50
# Of the variant that starts fastest; the seeds beside it are `slow`.
QUICK = 5


def test_every_kind_is_drawn_and_a_seed_is_always_the_same() -> None:
    blows = [draw(seed) for seed in range(SEEDS)]
    assert {blow.kind for blow in blows} == set(KINDS)
    assert blows == [draw(seed) for seed in range(SEEDS)]
    assert all(0 <= blow.share < 1 for blow in blows)
    assert draw(QUICK).variant == "plain"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.end()


@pytest.fixture(scope="module")
def expected() -> dict[Variant, Unharmed]:
    """What the rounds so far have found unharmed runs to make."""
    return {}


@pytest.mark.integration
@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[] if seed == QUICK else [pytest.mark.slow]) for seed in range(SEEDS)]
)
def test_a_hurt_run_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, server: Server, expected: dict[Variant, Unharmed], seed: int
) -> None:
    blow = draw(seed)
    if blow.variant not in expected:
        bench = Bench.set_up(tmp_path_factory.mktemp(blow.variant), server)
        expected[blow.variant] = unharmed(bench, blow.variant)
    outcome = play(Bench.set_up(tmp_path_factory.mktemp(f"seed-{seed}"), server), blow, expected[blow.variant])
    assert not outcome.wrong, outcome
