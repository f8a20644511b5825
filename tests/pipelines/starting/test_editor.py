"""A config that init writes names its schema, which stands beside it; what somebody else put there stays."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from data_contracts.yaml_lines import read_yaml
from pipelines.starting.editor import with_schema
from tests.pipelines.starting.conftest import Begin

LINE = "# yaml-language-server: $schema=pipeline.schema.json"
SCHEMA = "pipeline.schema.json"
SHIPPED = Path(__file__).parents[3] / "pipelines" / "configs" / SCHEMA


def test_a_config_is_valid_under_the_schema_that_it_names(begin: Begin, customers: Path) -> None:
    config = begin(customers, "gekündigt").files[-1]
    assert config.read_text(encoding="utf-8").splitlines()[0] == LINE
    schema = json.loads((config.parent / SCHEMA).read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(json.loads(json.dumps(read_yaml(config).value)))


@pytest.mark.parametrize("there", ["{}", "no JSON", "[]"])
def test_what_is_not_ours_stays_and_is_not_named(tmp_path: Path, there: str) -> None:
    (tmp_path / SCHEMA).write_text(there)
    config = tmp_path / "a.yaml"
    assert with_schema({config: "name: a\n"}, config) == {config: "name: a\n"}


def test_the_schema_of_an_older_release_is_replaced_and_our_own_left(tmp_path: Path) -> None:
    config, schema = tmp_path / "a.yaml", tmp_path / SCHEMA
    named = {config: f"{LINE}\nname: a\n"}
    schema.write_text(json.dumps({"title": "A Headrace pipeline", "anyOf": []}))
    assert with_schema({config: "name: a\n"}, config) == {schema: SHIPPED.read_text(encoding="utf-8"), **named}
    schema.write_text(SHIPPED.read_text(encoding="utf-8"))
    assert with_schema({config: "name: a\n"}, config) == named
