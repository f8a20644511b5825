"""`serving.models.sticky`."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from serving.models.sticky import place


def test_places_are_the_same_in_every_process_and_release() -> None:
    assert round(place("flight-delay", "request-1"), 6) == 71.99408


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=1), st.floats(0, 100), st.floats(0, 100))
def test_a_growing_percentage_moves_requests_one_way(name: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    in_low, in_high = (place("m", name) < percent for percent in (low, high))
    assert in_high or not in_low
    assert 0 <= place("m", name) < 100


def test_names_are_spread_evenly_and_differently_for_each_model() -> None:
    names = [f"order-{n}" for n in range(4000)]
    chosen = {model: {name for name in names if place(model, name) < 10} for model in ("a", "b")}
    for of_model in chosen.values():
        assert 300 < len(of_model) < 500
    assert len(chosen["a"] & chosen["b"]) < 100


def test_requests_without_a_name_are_dealt_evenly() -> None:
    assert 95 <= sum(place("m", "") < 10 for _ in range(1000)) <= 105
