from __future__ import annotations

from typing import Any

import pytest

from pipelines.answers import in_words
from tests.serving.bundles import small_manifest


def output(name: str, shape: list[int], data: list[Any]) -> dict[str, Any]:
    return {"name": name, "datatype": "?", "shape": shape, "data": data}


@pytest.mark.parametrize(
    ("problem", "columns", "outputs", "said"),
    [
        (
            "binary",
            {"classes": (False, True)},
            [output("label", [1], [True]), output("probabilities", [1, 2], [0.25, 0.75])],
            ["label: true", "probabilities: false 0.25, true 0.75"],
        ),
        (
            "multiclass",
            {"classes": ("red", "green")},
            [output("label", [1], ["red"]), output("probabilities", [1, 2], [0.9, 0.1])],
            ["label: red", "probabilities: red 0.9, green 0.1"],
        ),
        (
            "multilabel",
            {"classes": (), "labels": ("sport", "art")},
            [output("labels", [1, 2], [False, True]), output("probabilities", [1, 2], [0.1, 0.9])],
            ["labels: art", "probabilities: sport 0.1, art 0.9"],
        ),
        (
            "multilabel",
            {"classes": (), "labels": ("sport", "art")},
            [output("labels", [1, 2], [False, False])],
            ["labels: none"],
        ),
        ("regression", {"classes": ()}, [output("prediction", [1], [1234.56789])], ["prediction: 1234.57"]),
        (
            "quantile",
            {"classes": (), "quantiles": (0.1, 0.9)},
            [output("quantiles", [1, 2], [1.0, None])],
            ["quantiles: 0.1 1, 0.9 not a number"],
        ),
    ],
)
def test_every_problem_is_answered_in_its_own_words(
    problem: Any, columns: dict[str, Any], outputs: list[dict[str, Any]], said: list[str]
) -> None:
    manifest = small_manifest(problem=problem, **columns)
    assert list(in_words(manifest, {"outputs": outputs})) == said
