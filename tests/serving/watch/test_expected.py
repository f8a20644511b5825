"""What a bundle says of its training data, as the training side writes it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from data_contracts.contract import Column
from serving.bundle.errors import BundleError
from serving.watch.expected import PREPROCESSING, REFERENCE, Expected, read_expected
from tasks.preprocessing.constants import CategoricalFeature, Encoding
from tasks.preprocessing.plan import Measure
from tasks.preprocessing.reference import describe
from tasks.preprocessing.statistics import NumericSummary
from tests.serving.bundles import small_manifest
from tests.tasks.export import small_model


def category(column: str, vocabulary: tuple[str, ...], part: str | None = None) -> CategoricalFeature:
    return CategoricalFeature(name=column, column=column, source="string", part=part, vocabulary=vocabulary)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    encoding = Encoding(category=category("engines", ("1", "2")), method="one-hot", outputs=("a",), positions=(0,))
    constants = small_model.preprocessing().model_copy(
        update={
            "categorical": (category("carrier", ("AA", "UA")), category("departs", ("1",), part="month")),
            "encodings": (encoding,),
        }
    )
    (tmp_path / PREPROCESSING).write_text(constants.model_dump_json())
    column = Column(name="distance", logical_type="number")
    summaries = {"distance": NumericSummary.of(np.array([3.0, 5.0, np.nan]))}
    reference = describe([Measure(column, "numeric")], summaries, {}, 3)
    (tmp_path / REFERENCE).write_text(json.dumps(reference))
    return tmp_path


def test_vocabularies_and_ranges_are_found(folder: Path) -> None:
    found = read_expected(folder, small_manifest(files={PREPROCESSING: "", REFERENCE: ""}))
    assert found["carrier"] == Expected(frozenset({"AA", "UA"}))
    assert found["engines"] == Expected(frozenset({1, 2}))
    assert found["distance"] == Expected(None, 3.0, 5.0)
    assert found["departs"] == found["charter"] == Expected()


def test_a_bundle_without_statistics_expects_nothing(tmp_path: Path) -> None:
    assert set(read_expected(tmp_path, small_manifest()).values()) == {Expected()}


@pytest.mark.parametrize(
    ("content", "said"), [("{", "EOF"), ("[]", "object"), ('{"columns": {"distance": {"minimum": "low"}}}', "minimum")]
)
def test_statistics_that_nobody_can_read_are_refused(folder: Path, content: str, said: str) -> None:
    (folder / REFERENCE).write_text(content)
    with pytest.raises(BundleError, match=said):
        read_expected(folder, small_manifest(files={REFERENCE: ""}))
