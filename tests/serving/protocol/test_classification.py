"""The classification extension: what is answered instead of an output."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from serving.bundle.manifest import OutputSpec
from serving.protocol.classification import labels_of, top_classes
from tests.serving.bundles import small_manifest


def test_the_highest_values_come_first_with_their_index_and_label() -> None:
    tensor = np.array([[1, 5, 10, 4], [7, 7, 8, 7]], dtype=np.int64)
    assert top_classes(tensor, 2, ()).tolist() == [["10:2", "5:1"], ["8:2", "7:0"]]
    assert top_classes(tensor, 9, ("a", "b", "c", "d")).tolist()[1] == ["8:2:c", "7:0:a", "7:1:b", "7:3:d"]
    numbers = np.array([[0.1, np.nan, -np.inf, 3.3]], dtype=np.float32)
    assert top_classes(numbers, 4, ()).tolist() == [["3.3:3", "0.1:0", "nan:1", "-inf:2"]]


def test_rows_of_one_number_and_of_many_dimensions() -> None:
    assert top_classes(np.array([2, 1], dtype=np.uint8), 3, ()).tolist() == [["2:0"], ["1:0"]]
    assert top_classes(np.arange(4).reshape(1, 2, 2), 1, ()).tolist() == [["3:3"]]


@pytest.mark.parametrize(
    ("shape", "changes", "labels"),
    [
        ((-1, 2), {}, ("on time", "late")),
        ((-1, 2), {"classes": (False, True)}, ("false", "true")),
        ((-1, 2), {"classes": (3, 5)}, ("3", "5")),
        ((-1, 2), {"classes": (), "labels": ("a", "b")}, ("a", "b")),
        ((-1, 3), {}, ()),
        ((-1,), {}, ()),
    ],
)
def test_labels_are_those_of_the_columns(shape: Any, changes: dict[str, Any], labels: tuple[str, ...]) -> None:
    spec = OutputSpec(name="p", datatype="FP32", shape=shape)
    assert labels_of(spec, small_manifest(**changes)) == labels
