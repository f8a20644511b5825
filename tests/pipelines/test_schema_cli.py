"""The JSON Schema of configs: what a config accepts is valid, and a typo is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from data_contracts.yaml_lines import read_yaml
from pipelines.config_schema import config_schema
from tests.pipelines.command_line import called

CONFIGS = Path(__file__).parents[2] / "pipelines" / "configs"
SHIPPED = CONFIGS / "pipeline.schema.json"
LEAST = """\
name: houses
model: houses
contract: houses.odcs.yaml
source: {path: houses.csv}
target: price
"""
IMAGES = """\
name: houses
model: houses
images:
  source: {path: houses, format: folders}
  image: {width: 32, height: 32}
"""


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft7Validator:
    schema = config_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def value_of(path: Path) -> Any:
    """Return a config as an editor sees it: JSON has no dates."""
    return json.loads(json.dumps(read_yaml(path).value, default=str))


def written(folder: Path, text: str) -> Any:
    path = folder / "config.yaml"
    path.write_text(text)
    return value_of(path)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_config_is_valid_and_names_the_schema(path: Path, validator: jsonschema.Draft7Validator) -> None:
    validator.validate(value_of(path))
    assert path.read_text().splitlines()[0] == f"# yaml-language-server: $schema={SHIPPED.name}"


def test_the_shipped_schema_is_that_of_the_code() -> None:
    assert json.loads(SHIPPED.read_text()) == config_schema(), (
        f"a config class changed\n  do: headrace schema --out {SHIPPED.relative_to(CONFIGS.parents[1])}"
    )


@pytest.mark.parametrize(
    "more",
    [
        "",
        "train: {model: mlp}",
        "train: {model: {name: module, path: 'own.net:Net'}}",
        "train: {model: {name: blend, members: [trees, {name: mlp, hidden: [8]}]}, optimizer: sgd, loss: huber}",
        "preprocess: {numeric: {impute: {constant: 0}, outliers: {method: iqr, action: null}, scale: robust}}",
        "calibrate: {threshold: youden}",
        "schedule: {cron: 0 6 * * *, timezone: Europe/Vienna}",
        "schedule: [{cron: 0 6 * * *}, {interval: 6h}]",
        "schedule:",
        "partitions: {by: month, from: 2013-01-01}",
        "partitions: {values: [2013, north]}",
        "watch: {samples: samples, schedule: {interval: 1h}}",
        "notify: [{webhook: 'env:HOOK', on: [failed, drift]}]",
        "search: {space: {train.seed: {choices: [1, 2]}, train.optimizer.momentum: {low: 0.1, high: 1}}}",
    ],
)
def test_what_a_config_accepts_is_valid(tmp_path: Path, more: str, validator: jsonschema.Draft7Validator) -> None:
    validator.validate(written(tmp_path, LEAST + more))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (LEAST + "trian: {model: mlp}", "trian"),
        (LEAST + "train: {rouns: 3}", "rouns"),
        (LEAST + "train: {model: mpl}", "mpl"),
        (LEAST + "train: {model: blend}", "blend"),
        (LEAST + "train: {model: {hidden: [8]}}", "hidden"),
        (LEAST + "train: {model: {name: trees, hidden: [8]}}", "hidden"),
        (LEAST + "schedule: [{corn: 0 6 * * *}]", "corn"),
        (LEAST + "validate: {max_quarantined: 2}", "2"),
        (LEAST.replace("target: price\n", ""), "target"),
        (IMAGES + "contract: houses.odcs.yaml", "contract"),
    ],
)
def test_a_typo_is_not_valid(tmp_path: Path, text: str, wrong: str, validator: jsonschema.Draft7Validator) -> None:
    def within(error: jsonschema.ValidationError) -> Iterator[str]:
        yield error.message
        for each in error.context or ():
            yield from within(each)

    found = [message for error in validator.iter_errors(written(tmp_path, text)) for message in within(error)]
    assert any(wrong in message for message in found), found


def test_images_are_valid_and_keys_say_what_they_mean(tmp_path: Path, validator: jsonschema.Draft7Validator) -> None:
    validator.validate(written(tmp_path, IMAGES))
    definitions = validator.schema["definitions"]
    silent = [
        f"{name}.{key}"
        for name in ("PipelineConfig", "ImagePipelineConfig", "TrainConfig", "SourceConfig", "SplitConfig")
        for key, described in definitions[name]["properties"].items()
        if not described.get("description")
    ]
    assert not silent
    assert definitions["TrainConfig"]["properties"]["batch_size"]["description"] == "Rows of a batch."
    assert "Attributes" not in json.dumps(validator.schema)


def test_the_command_writes_it_and_says_what_goes_into_a_config(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "schema.json"
    code, said, _ = called(["schema", "--out", str(out)], capsys, monkeypatch)
    assert code == 0
    assert "# yaml-language-server: $schema=schema.json" in said
    code, said, _ = called(["schema"], capsys, monkeypatch)
    assert (code, json.loads(said)) == (0, json.loads(out.read_text()))
    code, _, error = called(["schema", "--out", str(out / "below")], capsys, monkeypatch)
    assert code == 2
    assert "cannot be written" in error
    assert "do: name a file" in error
