from __future__ import annotations

import pytest

from tasks.report.wording import figure, label, share


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),  # noqa: RUF001
        (True, "yes"),
        (False, "no"),
        (336776, "336,776"),
        (0.75123, "0.7512"),
        (-0.0006, "-0.0006"),
        (5.4321e-7, "5.4e-07"),
        (1234.5, "1,234.5000"),
        (1e12, "1e+12"),
        (0.0, "0"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ("text", "text"),
    ],
)
def test_figure(value: object, shown: str) -> None:
    assert figure(value) == shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(1, 3, "33.3%"), (1, 10_000, "<0.1%"), (0, 5, "0.0%"), (0, 0, "0.0%"), (5, 5, "100.0%")],
)
def test_share(part: int, whole: int, shown: str) -> None:
    assert share(part, whole) == shown


def test_labels_are_words() -> None:
    assert [label(name) for name in ("roc_auc", "max_difference", "test")] == ["ROC-AUC", "max difference", "test"]
