"""`/openapi.json`."""

from __future__ import annotations

import httpx
import jsonschema

from serving.openapi import example_value, openapi
from tests.serving.bundles import INPUTS, Endpoint, request, small_manifest

INFER = "/v2/models/small/infer"


def test_its_example_is_answered(endpoint: Endpoint) -> None:
    page = httpx.get(f"{endpoint.url}/openapi.json").json()
    assert page["openapi"] == "3.1.0"
    example = page["paths"][INFER]["post"]["requestBody"]["content"]["application/json"]["example"]
    answer = httpx.post(endpoint.url + INFER, json=example)
    assert answer.status_code == 200, answer.text


def test_its_schema_tells_good_from_bad() -> None:
    page = openapi([small_manifest()], "1")
    schema = page["paths"][INFER]["post"]["requestBody"]["content"]["application/json"]["schema"]
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(request(2))
    assert validator.is_valid(request(1, carrier=[None], distance=[None]))
    assert not validator.is_valid(request(1, carrier=["ZZ"]))
    assert not validator.is_valid(request(1, distance=[-1]))
    assert not validator.is_valid(request(1, seats=[None]))
    assert not validator.is_valid({"inputs": []})


def test_examples_keep_the_rules() -> None:
    assert [example_value(spec) for spec in INPUTS] == ["AA", 1400.0, 2**60, None, False, None]
