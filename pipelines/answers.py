"""An endpoint's answer in words, whatever kind of problem its model solves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from serving.bundle.manifest import BundleManifest


def in_words(manifest: BundleManifest, answer: Mapping[str, Any]) -> Iterator[str]:
    """Say what the answer to a request of one record means, a line for each output.

    Args:
        manifest: The bundle that answered.
        answer: The answer's JSON.
    """
    columns: Sequence[Any] = manifest.classes or manifest.labels or manifest.quantiles
    for output in answer["outputs"]:
        wide = len(output["shape"]) > 1
        yield f"{output['name']}: {_values(columns, output['data']) if wide else _value(output['data'][0])}"


def _values(columns: Sequence[Any], data: Sequence[Any]) -> str:
    if isinstance(data[0], bool):
        return ", ".join(str(column) for column, holds in zip(columns, data, strict=True) if holds) or "none"
    return ", ".join(f"{_value(column)} {_value(value)}" for column, value in zip(columns, data, strict=True))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "not a number"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
