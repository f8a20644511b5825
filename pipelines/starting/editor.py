"""What lets an editor help with a config: its first line names a JSON Schema, and the schema stands beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

_NAME = "pipeline.schema.json"
_TITLE = "A Headrace pipeline"
# What `headrace schema` prints; a test holds it against the code.
_SHIPPED = Path(__file__).parents[1] / "configs" / _NAME


def with_schema(texts: Mapping[Path, str], config: Path) -> dict[Path, str]:
    """Return files to write: the config names its schema, which is among them if it is missing or of another release.

    Where something else stands in the schema's place, all stays as it is.

    Args:
        texts: Files and what goes into them, the config among them.
        config: The config's place.
    """
    place = config.parent / _NAME
    shipped = _SHIPPED.read_text(encoding="utf-8")
    there = _schema_at(place)
    if place.exists() and there is None:
        return {**texts}
    named = {**texts, config: f"# yaml-language-server: $schema={_NAME}\n{texts[config]}"}
    return named if there == shipped else {place: shipped, **named}


def _schema_at(place: Path) -> str | None:
    """Return the schema that `headrace schema` or `headrace init` wrote there; None where none of them did."""
    try:
        text = place.read_text(encoding="utf-8")
        value = json.loads(text)
    except (OSError, ValueError):
        return None
    return text if isinstance(value, dict) and value.get("title") == _TITLE else None
