"""What the Prefect UI shows of a pipeline's deployment, as markdown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipelines.config import PipelineConfig
from pipelines.image_config import ImagePipelineConfig
from pipelines.scheduling.config import missed_of, overlap_of
from pipelines.scheduling.partitions import PartitionsConfig

_MISSED = {
    "skip": "what was missed is not made up for",
    "latest": "one run makes up for all that were missed",
    "all": "every missed run is made up for",
}
_OVERLAP = {"skip": "a run that is due while one is at work is cancelled", "queue": "runs wait for each other"}


def describe(config: PipelineConfig | ImagePipelineConfig, path: Path, source: str) -> str:
    """Return a description of a pipeline.

    Args:
        config: The pipeline's.
        path: Its file.
        source: Where its data is, with `{partition}` where that stands in the file.
    """
    return "\n".join(_lines(config, path, source))


def _lines(config: PipelineConfig | ImagePipelineConfig, path: Path, source: str) -> Iterator[str]:
    yield f"Takes the data of `{config.name}` through its contract to the model `{config.model}`, and promotes that if "
    yield "every gate holds. Start a run here with other settings in `overrides`, such as `train.seed=1`."
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield f"| config | `{path}` |"
    if isinstance(config, PipelineConfig):
        yield f"| contract | `{Path(config.contract).name}` |"
        yield f"| predicts | {', '.join(f'`{target}`' for target in config.targets)} |"
    yield f"| source | `{source}` |"
    for schedule in config.schedule:
        yield f"| schedule | {str(schedule).replace('|', chr(92) + '|')} |"
    if config.schedule:
        yield f"| overlapping | {_OVERLAP[overlap_of(config.schedule)]} |"
        yield f"| missed | {_MISSED[missed_of(config.schedule)]} |"
    if config.partitions is not None:
        yield f"| partitions | {_partitions(config.partitions)} |"
    for name, value in config.promote.gates.model_dump(mode="json", exclude_defaults=True).items():
        yield f"| gate `{name}` | `{value}` |"


def _partitions(partitions: PartitionsConfig) -> str:
    if partitions.by is None:
        return ", ".join(f"`{value}`" for value in partitions.values)
    return (
        f"one for each {partitions.by}, from `{partitions.example}`; a run without the parameter takes the last one "
        f"that is over ({partitions.timezone})"
    )
