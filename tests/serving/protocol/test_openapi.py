"""`/openapi.json`: what it says must be so, of the real server process too."""

from __future__ import annotations

import math
from typing import Any

import httpx
import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from serving.bundle.manifest import DateForm, InputRule, InputSpec, OutputSpec, TextRepair
from serving.protocol.examples import example_record, example_value
from serving.protocol.reader import RequestReader
from serving.protocol.records_call import RecordsCall
from tests.serving.bundles import INPUTS, Endpoint, request, small_manifest
from tests.serving.described import content_of, described, judge
from tests.serving.reading import Decoder

PREDICT = "/v1/models/small:predict"
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def page(endpoint: Endpoint) -> Any:
    return httpx.get(f"{endpoint.url}/openapi.json").json()


def test_every_example_is_answered(endpoint: Endpoint, page: Any) -> None:
    posts = [path for path, operations in page["paths"].items() if "post" in operations]
    assert len(posts) == 4
    for path in posts:
        answer = httpx.post(endpoint.url + path.replace("{version}", "1"), json=content_of(page, path)["example"])
        assert answer.status_code == 200, (path, answer.text)
    for name, column in page["components"]["schemas"]["small.record"]["properties"].items():
        record = content_of(page, PREDICT)["example"]["records"][0]
        for example in column["examples"]:
            answer = httpx.post(endpoint.url + PREDICT, json={"records": [record | {name: example}]})
            assert answer.status_code == 200, (name, answer.text)


@pytest.fixture(scope="module")
def operations(endpoint: Endpoint) -> list[Any]:
    schema = schemathesis.openapi.from_url(f"{endpoint.url}/openapi.json")
    return [found.ok() for found in schema.get_all_operations()]


@seed(1)
@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_the_endpoint_keeps_to_its_document(operations: list[Any], data: Any) -> None:
    case = data.draw(st.sampled_from(operations).flatmap(lambda operation: operation.as_strategy()))
    case.call_and_validate(checks=CHECKS)


def test_its_schemas_tell_good_from_bad() -> None:
    document = described(small_manifest())
    requests = judge(document, "small.request")
    assert requests.is_valid(request(2))
    assert requests.is_valid(request(1, carrier=[None], distance=[None]))
    for wrong in ({"carrier": ["ZZ"]}, {"distance": [-1]}, {"seats": [None]}):
        assert not requests.is_valid(request(1, **wrong))
    assert not requests.is_valid({"inputs": []})
    records = judge(document, "small.record")
    assert records.is_valid({"seats": 3, "charter": False})
    for record in ({"seats": 3}, {"seats": 3, "charter": None}, {"seats": 3, "charter": True, "carier": "UA"}):
        assert not records.is_valid(record)
    answer = {"label": "late", "probabilities": {"on time": 0.25, "late": None}}
    assert judge(document, "small.prediction").is_valid(answer)
    assert not judge(document, "small.prediction").is_valid(answer | {"label": "early"})


def test_versions_that_differ_are_described_apart() -> None:
    other = small_manifest(inputs=INPUTS[1:])
    document = described(small_manifest(), small_manifest(), other)
    paths = document["paths"]
    assert paths["/v1/models/small/versions/{version}:predict"]["parameters"][0]["schema"] == {"enum": ["1", "2"]}
    assert "/v1/models/small/versions/3:predict" in paths
    assert "carrier" not in document["components"]["schemas"]["small.3.record"]["properties"]


def test_keys_are_told_of_only_where_they_are_asked_for() -> None:
    without, keyed = described(small_manifest()), described(small_manifest(), keys=True)
    assert "401" not in without["paths"][PREDICT]["post"]["responses"]
    assert "securitySchemes" not in without["components"]
    assert {"401", "403"} <= keyed["paths"][PREDICT]["post"]["responses"].keys()
    assert keyed["security"] == [{"bearer": []}, {"header": []}]
    assert keyed["paths"]["/v2/health/live"]["get"]["security"] == []


def test_examples_keep_the_rules() -> None:
    assert [example_value(spec) for spec in INPUTS] == ["AA", 1400.0, 0, 1, False, "2000-01-01T00:00:00Z"]
    record = example_record(INPUTS, {"carrier": "ZZ", "seats": 150, "charter": True, "engines": 2})
    assert record is not None
    # What breaks a rule is no example, whoever names it.
    assert (record["carrier"], record["seats"], record["charter"], record["engines"]) == ("AA", 150, True, 2)


def column(kind: Any, rules: dict[str, Any]) -> InputSpec:
    forms: Any = {"string": ("BYTES", "string"), "number": ("FP64", "float64"), "integer": ("INT64", "int64")}
    datatype, tensor = forms[kind]
    named = tuple(InputRule(id=f"x.{rule}", kind=rule, argument=value) for rule, value in rules.items())
    return InputSpec(name="x", datatype=datatype, tensor=tensor, logical_type=kind, nullable=False, rules=named)


@pytest.mark.parametrize(
    ("kind", "rules", "found"),
    [
        ("string", {"pattern": "^[A-Z]{3}$"}, "AAA"),
        ("string", {"min_length": 12}, "AAAAAAAAAAAA"),
        ("number", {"minimum": -40, "maximum": 130}, 45),
        ("number", {"exclusive_minimum": 0.25, "exclusive_maximum": 0.5}, 0.375),
        ("integer", {"minimum": 5, "multiple_of": 10}, 10),
        ("integer", {"maximum": -3}, -4),
        ("string", {"pattern": "^[0-9]{4}-[xyz]$"}, None),
    ],
)
def test_examples_of_a_rule(kind: Any, rules: dict[str, Any], found: Any) -> None:
    spec = column(kind, rules)
    assert example_value(spec) == found
    manifest = small_manifest(inputs=(spec,))
    content = content_of(described(manifest), PREDICT)
    assert ("example" in content) is (found is not None)
    if found is not None:
        asked = RecordsCall(orjson.dumps(content["example"])).read(RequestReader(manifest, 1))
        assert asked.rows == 1
        assert judge(described(manifest), "small.record").is_valid({"x": found})


_SIZES = st.integers(-(2**70), 2**70) | st.integers(-100, 100) | st.floats(allow_nan=False)
_RULES = st.dictionaries(
    st.sampled_from(["minimum", "maximum", "exclusive_minimum", "exclusive_maximum"]), _SIZES, max_size=4
)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(["integer", "number"]), _RULES, st.floats(1e-300, 1e300), st.booleans())
def test_any_numeric_rules_give_an_example_that_keeps_them_or_none(
    kind: Any, rules: Any, step: float, whole: Any
) -> None:
    every = rules | ({"multiple_of": max(1, int(min(step, 1e9)))} if whole else {})
    spec = column(kind, every)
    found = example_value(spec)
    orjson.dumps([found, described(small_manifest(inputs=(spec,)))])
    if found is not None:
        assert found >= every.get("minimum", found)
        assert found < every.get("exclusive_maximum", math.inf)


def test_a_pattern_that_ecmascript_reads_otherwise_is_left_out() -> None:
    spec = INPUTS[0].model_copy(update={"rules": (InputRule(id="p", kind="pattern", argument=r"(?i)\Aa\z"),)})
    column = described(small_manifest(inputs=(spec,)))["components"]["schemas"]["small.record"]["properties"]["carrier"]
    assert column["anyOf"] == [{"type": "string"}, {"type": "null"}]


def test_what_the_contract_repairs_may_come_as_it_is_written() -> None:
    commas, dates = INPUTS[1], INPUTS[5]
    commas = commas.model_copy(update={"repair": TextRepair(decimal_separator=",")})
    form = DateForm(written="d.M.yyyy", pattern=r"(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4})")
    dates = dates.model_copy(update={"date_forms": (form,), "zone": "Europe/Berlin"})
    document = described(small_manifest(inputs=(commas, dates)))
    columns = {"distance": "1,5", "departs": "1.7.2013"}
    tensors = [{"name": name, "datatype": "BYTES", "shape": [1], "data": [text]} for name, text in columns.items()]
    content = {"inputs": tensors}
    assert judge(document, "small.request").is_valid(content)
    assert judge(document, "small.record").is_valid(columns)
    decoded = Decoder(small_manifest(inputs=(commas, dates)), 1).decode(orjson.dumps(content)).feed
    assert decoded["distance"].tolist() == [1.5]
    assert decoded["departs"].tolist() == [1_372_629_600_000_000]


def test_answers_of_every_problem() -> None:
    def outputs(**changes: Any) -> Any:
        return judge(described(small_manifest(**changes)), "small.prediction")

    number = outputs(
        problem="regression", classes=(), outputs=(OutputSpec(name="prediction", datatype="FP64", shape=(-1,)),)
    )
    assert number.is_valid({"prediction": 1.5})
    assert number.is_valid({"prediction": None})
    assert not number.is_valid({"prediction": "1.5"})
    quantiles = (OutputSpec(name="quantiles", datatype="FP64", shape=(-1, 2)),)
    spread = outputs(problem="quantile", classes=(), quantiles=(0.1, 0.9), outputs=quantiles)
    assert spread.is_valid({"quantiles": {"0.1": 1.0, "0.9": 2.0}})
    assert not spread.is_valid({"quantiles": [1.0, 2.0]})
    labels = (OutputSpec(name="labels", datatype="BOOL", shape=(-1, 2)),)
    several = outputs(problem="multilabel", classes=(), labels=("a", "b"), outputs=labels)
    assert several.is_valid({"labels": {"a": True, "b": False}})
    assert outputs(classes=(False, True)).is_valid({"label": True, "probabilities": {"false": 0.5, "true": 0.5}})
