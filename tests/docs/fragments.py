"""Whether a fragment of YAML would be accepted where its page says that it belongs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipelines.check import check_pipeline
from serving.config import ServeConfig
from serving.config_file import load_config
from tests.docs.blocks import Block

BASE = Path(__file__).parent / "base"
CONTRACT = "docs.odcs.yaml"


def require_accepted(block: Block, folder: Path) -> None:
    """Check a YAML block as `headrace check --quick` or the endpoint would, merged over a small whole.

    Args:
        block: Its language is yaml.
        folder: Is written to; holds what the block's page calls its own files.

    Raises:
        ValueError: What `headrace check` or `headrace serve` would say of it.
    """
    fragment = YAML(typ="safe", pure=True).load(block.text)
    if "serving" in block.said:
        (folder / "serve.yaml").write_text(block.text)
        load_config(ServeConfig, folder / "serve.yaml", {}, defaults={"store": str(folder)})
        return
    contract, pipeline = _read("docs.odcs.yaml"), _read("pipeline.yaml")
    if "contract" in block.said:
        contract = _in_contract(contract, fragment)
    elif isinstance(fragment, dict) and "images" in fragment:
        pipeline = _merged(_read("images.yaml"), fragment)
    elif fragment is not None:
        pipeline = _merged(pipeline, fragment)
    _write(folder / CONTRACT, contract)
    _write(folder / "docs.yaml", pipeline)
    check_pipeline(folder / "docs.yaml")


def _merged(over: Any, fragment: Any) -> Any:
    if not (isinstance(over, Mapping) and isinstance(fragment, Mapping)):
        return fragment
    return {**over, **{key: _merged(over.get(key), value) for key, value in fragment.items()}}


def _in_contract(contract: dict[str, Any], fragment: Any) -> dict[str, Any]:
    """Put columns in place of those of the same name, or a section into the contract's only table."""
    (table,) = contract["schema"]
    if isinstance(fragment, list):
        columns = {column["name"]: column for column in (*table["properties"], *fragment)}
        inside = {"properties": list(columns.values())}
    elif "schema" in fragment:
        return {**contract, **fragment}
    else:
        inside = fragment
    return {**contract, "schema": [{**table, **inside}]}


def _read(name: str) -> Any:
    return YAML(typ="safe", pure=True).load(BASE / name)


def _write(path: Path, value: object) -> None:
    with path.open("w") as file:
        YAML(typ="safe", pure=True).dump(value, file)
