"""The request that the README sends is one that the shipped pipeline's endpoint takes."""

import json
from pathlib import Path

from data_contracts.loader import load_contract
from pipelines.config import load_config
from tasks.preprocessing.plan import feature_columns

ROOT = Path(__file__).parents[2]
DATATYPES = {"string": "BYTES", "date": "BYTES", "timestamp": "BYTES", "number": "FP64", "integer": "INT64"}


def test_the_example_names_the_shipped_pipelines_inputs() -> None:
    config = load_config(ROOT / "pipelines" / "configs" / "flights.yaml")
    contract = load_contract(config.contract)
    columns = feature_columns(contract, config.target, config.preprocess.include, config.preprocess.exclude)
    request = json.loads((ROOT / "docs" / "examples" / "flight.json").read_text())
    sent = {tensor["name"]: tensor["datatype"] for tensor in request["inputs"]}
    assert sent == {column.name: DATATYPES[column.logical_type] for column in columns}


def test_both_examples_ask_the_same() -> None:
    request = json.loads((ROOT / "docs" / "examples" / "flight.json").read_text())
    (record,) = json.loads((ROOT / "docs" / "examples" / "flight-record.json").read_text())["records"]
    assert record == {tensor["name"]: tensor["data"][0] for tensor in request["inputs"]}
