"""`/openapi.json`."""

from __future__ import annotations

import httpx
import jsonschema
import orjson

from serving.bundle.manifest import DateForm, TextRepair
from serving.protocol.openapi import example_value, openapi
from tests.serving.bundles import INPUTS, Endpoint, request, small_manifest
from tests.serving.reading import Decoder

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


def test_what_the_contract_repairs_may_come_as_it_is_written() -> None:
    commas, dates = INPUTS[1], INPUTS[5]
    commas = commas.model_copy(update={"repair": TextRepair(decimal_separator=",")})
    form = DateForm(written="d.M.yyyy", pattern=r"(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4})")
    dates = dates.model_copy(update={"date_forms": (form,), "zone": "Europe/Berlin"})
    page = openapi([small_manifest(inputs=(commas, dates))], "1")
    schema = page["paths"][INFER]["post"]["requestBody"]["content"]["application/json"]["schema"]
    validator = jsonschema.Draft202012Validator(schema)
    columns = {"distance": "1,5", "departs": "1.7.2013"}
    tensors = [{"name": name, "datatype": "BYTES", "shape": [1], "data": [text]} for name, text in columns.items()]
    content = {"inputs": tensors}
    assert validator.is_valid(content)
    decoded = Decoder(small_manifest(inputs=(commas, dates)), 1).decode(orjson.dumps(content)).feed
    assert decoded["distance"].tolist() == [1.5]
    assert decoded["departs"].tolist() == [1_372_629_600_000_000]
    assert "^([0-9]{1,2})\\.([0-9]{1,2})\\.([0-9]{4})$" in str(schema).replace("\\\\", "\\")
