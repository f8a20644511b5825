"""What `headrace check` says of a pipeline's source: its first rows or images, and about what a run of it costs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data_contracts.contract import Contract
from data_contracts.yaml_lines import read_yaml
from pipelines.checking.cost import Cost, estimate, estimate_images
from pipelines.checking.pictures import look_at_images
from pipelines.checking.rows import look_at_rows
from pipelines.config import PipelineConfig
from pipelines.image_config import ImagePipelineConfig
from tasks.errors import DataError


@dataclass(frozen=True)
class Looked:
    """What was seen of a source.

    Attributes:
        summary: What was looked at, in a few words.
        notes: What is good to know before a run, a sentence each.
        cost: About what a run takes.
        facts: For programs.
    """

    summary: str
    notes: tuple[str, ...]
    cost: Cost
    facts: dict[str, Any]


def look_at_source(path: Path, config: PipelineConfig | ImagePipelineConfig, contract: Contract) -> Looked:
    """Read the first rows or images of a pipeline's source; nothing is written below Headrace's home.

    Args:
        path: The config's file, for messages.
        config: The config, checked.
        contract: Its contract.

    Raises:
        DataError: The source is not there, cannot be read, or lacks columns; the message begins with the place of
            `source.path` in the config.
        SchemaMismatchError: A column has a type that the contract's cannot be read from.
        ContractBrokenError: It is certain that too many rows break the contract.
        TrainingError: It is certain that there is nothing to tell apart.
    """
    try:
        if isinstance(config, ImagePipelineConfig):
            seen = look_at_images(config.images)
            cost = estimate_images(config, seen)
            facts = {"images": seen.counted, "whole": seen.whole, "classes": seen.classes, "cost": asdict(cost)}
            return Looked(seen.summary, seen.notes, cost, facts)
        first = look_at_rows(config, contract)
    except DataError as error:
        file = read_yaml(path)
        section = ("images", "source", "path") if isinstance(config, ImagePipelineConfig) else ("source", "path")
        raise type(error)(f"{path}:{file.line(section)}: {error}") from error
    cost = estimate(config, contract, first.rows, max(2, first.values))
    facts = {
        "rows": first.rows,
        "rows_counted": first.counted,
        "rows_looked_at": first.looked,
        "quarantined": first.quarantined,
        "cost": asdict(cost),
    }
    return Looked(first.summary, first.notes, cost, facts)
