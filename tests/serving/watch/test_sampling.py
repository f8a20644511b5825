"""Which rows are sampled."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from serving.watch.sampling import RowSampling


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=20), st.integers(1, 5000), st.sampled_from([0.001, 0.03, 0.3, 0.7, 1.0]))
def test_an_id_decides(identity: str, rows: int, share: float) -> None:
    chosen = RowSampling(share).chosen(identity, rows)
    again = RowSampling(share, seed=5).chosen(identity, rows)
    if chosen is None or again is None:
        assert chosen is again is None
        return
    assert chosen.tolist() == again.tolist()
    assert chosen.tolist() == sorted({row for row in chosen.tolist() if 0 <= row < rows})
    assert abs(len(chosen) - share * rows) < 1


def test_every_row_is_as_likely_whatever_the_size_of_its_request() -> None:
    for rows in (1, 7, 100):
        sampling = RowSampling(0.1, seed=1)
        every = [sampling.chosen(None, rows) for _ in range(4000 // rows)]
        count = sum(len(chosen) for chosen in every if chosen is not None)
        assert 330 < count < 470


def test_a_seed_repeats_the_choice_among_requests_without_an_id() -> None:
    one, other = RowSampling(0.5, seed=3), RowSampling(0.5, seed=3)
    assert [one.chosen(None, 1) is None for _ in range(50)] == [other.chosen(None, 1) is None for _ in range(50)]
    third = RowSampling(0.5)
    assert len({third.chosen(None, 1) is None for _ in range(50)}) == 2
