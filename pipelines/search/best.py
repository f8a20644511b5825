"""The best trial's whole config, as a file that runs."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from data_contracts.yaml_lines import read_yaml
from pipelines.config import apply_override
from pipelines.search.config import as_override
from tasks.storage import write_atomic

# The places of files in a config, which are relative to its folder.
_PATHS = (
    ("contract",),
    ("source", "path"),
    ("images", "source", "path"),
    ("train", "start_from", "checkpoint"),
    ("train", "start_from", "bundle"),
)


def write_best(config: Path, overrides: Sequence[str], found: Mapping[str, Any], out: Path) -> None:
    """Write a config with a search's best settings in it and without the section `search`.

    Args:
        config: The config that was searched with.
        overrides: Settings that held for every trial.
        found: The search's summary (`pipelines.search.outcome.summary`).
        out: Where; paths in the file are made to fit its folder. A file that is there is replaced.
    """
    best = found["best"]
    value = read_yaml(config).value
    for override in [*overrides, *(as_override(*each) for each in best["settings"].items())]:
        apply_override(value, override)
    value.pop("search", None)
    for place in _PATHS:
        _move(value, place, config.absolute().parent, out.absolute().parent)
    said = (
        f"# The best of {len(found['trials'])} trials of {found['search']}, trial {best['number']}: "
        f"{found['metric']} {best['value']:.6g} on the validation split.\n"
    )
    yaml, text = YAML(), io.StringIO()
    yaml.width = 120
    yaml.dump(value, text)
    write_atomic(out.absolute(), (said + text.getvalue()).encode())


def _move(value: Any, place: Sequence[str], old: Path, new: Path) -> None:
    *sections, last = place
    for section in sections:
        value = value.get(section) if isinstance(value, dict) else None
    path = value.get(last) if isinstance(value, dict) else None
    if old == new or not isinstance(path, str) or "://" in path or Path(path).is_absolute():
        return
    # `model@version` is in the model store, wherever the config is.
    if last != "bundle" or "/" in path or "@" not in path:
        value[last] = os.path.relpath(old / path, new)
