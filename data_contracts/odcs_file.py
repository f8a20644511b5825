"""One contract file while it is compiled: its content, and errors that point into it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_contracts.errors import ContractError
from data_contracts.yaml_lines import YamlFile, YamlFileError, read_yaml

Location = tuple[str | int, ...]


@dataclass(frozen=True)
class ContractFile:
    """A contract's content as JSON values, with the line of every key."""

    yaml: YamlFile
    value: dict[str, Any]

    def error(self, location: Iterable[str | int], what: str, *, do: str = "") -> ContractError:
        """Make an error about a place in the file, given from the root as keys and list positions."""
        return ContractError.at(self.yaml.path, self.yaml.line(location), what, do=do)

    def digest(self) -> str:
        """Return the SHA-256 of the content; comments, key order and layout do not change it."""
        text = json.dumps(self.value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def read_contract_file(path: str | Path) -> ContractFile:
    """Read a contract file, without asking yet what it says.

    Raises:
        ContractError: The file is missing or is not YAML with a mapping at its root.
    """
    try:
        file = read_yaml(Path(path))
    except YamlFileError as error:
        raise ContractError(f"{error}\n  do: name an ODCS contract (YAML, such as flights.odcs.yaml)") from error
    return ContractFile(file, _json_value(file.value, (), file))


def _json_value(value: Any, place: Location, file: YamlFile) -> Any:
    """Turn what YAML has and JSON has not into JSON: dates become ISO 8601 text, as the standard writes them."""
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                what = f"the key {key!r} is read as {type(key).__name__}"
                raise ContractError.at(file.path, file.line((*place, key)), what, do="put it in quotes")
        return {key: _json_value(item, (*place, key), file) for key, item in value.items()}
    if isinstance(value, list):
        return [_json_value(item, (*place, position), file) for position, item in enumerate(value)]
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise ContractError.at(file.path, file.line(place), f"expected a finite number, got {value}")
    return value
