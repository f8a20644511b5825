"""`{partition}` in a config, and the partition in its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from data_contracts.yaml_lines import Location, YamlFile
from pipelines.scheduling.partitions import PartitionsConfig
from tasks.errors import ConfigError

PLACEHOLDER = "{partition}"

# What says when and where a pipeline runs is the same for all its partitions, and so is its name.
_NEVER_CUT = ("name", "partitions", "schedule", "watch", "notify")


def fill_in(file: YamlFile, partition: str | None) -> None:
    """Put a partition in the place of `{partition}` in a config's texts, wherever it stands; other braces stay.

    Args:
        file: The config's file, with what was set over it; its values are changed.
        partition: None for a config that is only looked at: the first of its partitions stands for all.

    Raises:
        ConfigError: The section `partitions` is there and `{partition}` is not, or the other way round, or there is no
            such partition.
    """
    places = [place for place in _places(file.value, ()) if place[0] != "partitions"]
    section = file.value.get("partitions")
    if section is None:
        _require_uncut(file, places, partition)
        return
    for place in places:
        if place[0] in _NEVER_CUT:
            raise ConfigError(
                f"{_where(file, place)}: it is the same for every partition, and holds {PLACEHOLDER}\n"
                "  do: take it out there"
            )
    if not places:
        raise ConfigError(
            f"{_where(file, ('partitions',))}: nothing in the config holds {PLACEHOLDER}: every partition would be the "
            f"same\n  do: write it in `source.path`, for example data/{PLACEHOLDER}.parquet, or leave the section out"
        )
    try:
        partitions = PartitionsConfig.model_validate(section)
    except ValidationError:
        return  # refused with the rest of the config, where its words are made
    if partition is not None:
        partitions.require(partition)
    _fill(file.value, partition or partitions.example)


def _require_uncut(file: YamlFile, places: list[Location], partition: str | None) -> None:
    if places:
        raise ConfigError(
            f"{_where(file, places[0])}: it holds {PLACEHOLDER}, and the config has no section `partitions`\n"
            "  do: add `partitions: {by: month, from: 2013-01-01}`, for example"
        )
    if partition is not None:
        raise ConfigError(
            f"{file.path}: partition `{partition}`: the config has no section `partitions`\n"
            "  do: leave the partition out, or add the section"
        )


def _where(file: YamlFile, place: Location) -> str:
    return f"{file.path}:{file.line(place)}: {'.'.join(map(str, place))}"


def _places(value: Any, place: Location) -> Iterator[Location]:
    if isinstance(value, str):
        if PLACEHOLDER in value:
            yield place
        return
    for key, each in _inside(value):
        yield from _places(each, (*place, key))


def _fill(value: Any, partition: str) -> None:
    for key, each in list(_inside(value)):
        if isinstance(each, str):
            value[key] = each.replace(PLACEHOLDER, partition)
        elif key != "partitions":
            _fill(each, partition)


def _inside(value: Any) -> Iterator[tuple[Any, Any]]:
    return iter(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
