"""Values that are read and cannot be written back, or are of no kind that a column knows, are the client's to mend."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from serving.bundle.manifest import InputSpec, TextRepair
from serving.errors import BadRequestError
from serving.protocol.reader import RequestReader, parse_body
from serving.records.column import Column
from serving.records.findings import Findings, short
from serving.records.tensors import Tensors
from tests.serving.bundles import request, small_manifest

DEEP = b"[" * 900 + b"]" * 900


@pytest.mark.parametrize("member", ["name", "datatype", "shape", "data", "parameters"])
def test_deep_nesting_is_refused_wherever_it_stands(member: str) -> None:
    document = request()
    document["inputs"][0][member] = (
        ["@"] if member == "data" else {"binary_data_size": "@"} if member[0] == "p" else "@"
    )
    body = orjson.dumps(document).replace(b'"@"', DEEP)
    manifest = small_manifest()
    with pytest.raises(BadRequestError, match=r"nested very deeply|breaks the contract"):
        Tensors(manifest).feed(RequestReader(manifest, 10).read(*parse_body(body, None)))


def test_a_long_value_is_told_by_its_beginning() -> None:
    assert short([1] * 1000) == ("[" + "1," * 1000)[:100] + "..."


@pytest.mark.parametrize("value", [5, 1.5, True, [1], {"a": 1}])
def test_what_is_no_text_among_the_texts_of_a_boolean_is_a_violation(value: Any) -> None:
    repair = TextRepair(synonyms={"oui": "true"})
    spec = InputSpec(name="a", datatype="BOOL", tensor="bool", logical_type="boolean", nullable=False, repair=repair)
    findings = Findings()
    assert Column(spec).tensor(["true", value], "BYTES", findings) is None
    assert [found["rule"] for found in findings.first] == ["a.type"]
