"""One run of a backfill, which Prefect's UI shows as such."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect import tags

from pipelines.flow import data_to_deployment
from pipelines.run_labels import TRIGGER


def run_partition(config: Path, overrides: Sequence[str], partition: str) -> dict[str, Any]:
    """Run a pipeline for one partition in this process.

    Returns:
        The run's summary.

    Raises:
        ValueError: As `pipelines.flow.data_to_deployment` raises.
    """
    with tags(f"{TRIGGER}backfill"):
        return data_to_deployment(str(config), list(overrides), partition)
