"""Backfill: a pipeline run for many of its partitions, one after the other, each of them once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.check import open_pipeline
from pipelines.failures import exit_code_of, meaning_of
from pipelines.scheduling.ledger import Entry, Outcome, only_one, read_entry, write_entry
from pipelines.scheduling.partitions import PartitionsConfig
from pipelines.scheduling.source_data import data_of
from tasks.data.sources import SourceConfig
from tasks.errors import ConfigError
from tasks.images.sources import ImageSourceConfig
from tasks.storage import digest_of

# When, on which machines and who is told: it changes no bundle.
_WITHOUT_EFFECT = ("dask", "notify", "partitions", "schedule", "watch")
_OUTCOMES: dict[str, Outcome] = {
    "GateRefusedError": "refused",
    "ContractBrokenError": "contract broken",
    "LeakageError": "leak found",
}
_UNFORESEEN = 1
# Of several outcomes the worst decides: nothing, refused by a gate, broke its contract, could not be run.
_SEVERITY = (0, 3, 4, 2)

# Runs a partition and returns the run's summary.
Run = Callable[[str], dict[str, Any]]


@dataclass(frozen=True)
class Range:
    """Which partitions are asked for.

    Attributes:
        first: From this one on; by default the first.
        last: Up to this one; by default the last that is complete.
        named: These and no others; empty for the range.
    """

    first: str | None = None
    last: str | None = None
    named: tuple[str, ...] = ()


@dataclass(frozen=True)
class Piece:
    """One partition of a backfill.

    Attributes:
        key: What its run depends on besides the data.
        source: Where its data is.
        before: What an earlier backfill made of it, if nothing changed since.
        changed: Whether its data did, and nothing else.
    """

    partition: str
    key: str
    source: SourceConfig | ImageSourceConfig
    before: Entry | None
    changed: bool


@dataclass(frozen=True)
class Done:
    """What became of one partition.

    Attributes:
        before: Whether an earlier backfill, or one that went on beside this one, had settled it.
    """

    partition: str
    entry: Entry
    before: bool


def partitions_of(config: PartitionsConfig | None, path: Path, asked: Range, now: datetime) -> list[str]:
    """Return the partitions that are asked for, in their order.

    Raises:
        ConfigError: The pipeline is not cut, or one of them is no partition or not over yet.
    """
    if config is None:
        raise ConfigError(
            f"{path}: the config has no section `partitions`, so there is nothing to run one by one\n"
            "  do: add `partitions: {by: month, from: 2013-01-01}` and write `{partition}` in source.path"
        )
    if asked.named:
        for each in asked.named:
            config.require(each)
        chosen = list(dict.fromkeys(asked.named))
    else:
        if asked.first is not None:
            config.require(asked.first)
            _require_over(config, [asked.first], now)
        last = asked.last or (None if config.by is None else config.last_complete(now))
        if last is None and config.by is not None:
            raise ConfigError(f"{path}: no partition is complete yet: {config.example} is the first\n  do: wait for it")
        chosen = config.between(asked.first, last)
    _require_over(config, chosen, now)
    return chosen


def pieces(path: Path, overrides: Sequence[str], partitions: Sequence[str], code: str, home: Path) -> list[Piece]:
    """Say of each partition what its run depends on, and what was made of it before.

    Args:
        path: The config's file.
        overrides: Settings applied over it.
        partitions: Their names.
        code: The version of the code.
        home: Headrace's home.

    Raises:
        ConfigError: The config is wrong for one of them.
        ContractError: The contract is wrong for one of them.
    """
    found = []
    for partition in partitions:
        config, contract = open_pipeline(path, overrides, partition)
        said = config.model_dump(mode="json", by_alias=True)
        settings = {name: value for name, value in said.items() if name not in _WITHOUT_EFFECT}
        key = digest_of({"config": settings, "contract": contract.digest, "code": code})
        entry = read_entry(home, config.name, partition)
        before = _settled(entry, key, config.source)
        changed = before is None and entry is not None and entry.settled and entry.key == key
        found.append(Piece(partition, key, config.source, before, changed))
    return found


def backfill(pipeline: str, todo: Sequence[Piece], run: Run, home: Path, *, again: bool) -> Iterator[Done]:
    """Run partitions and keep what became of each; what was settled before is not run.

    A partition that another backfill runs at this moment is waited for, and is settled then.

    Args:
        pipeline: Its name.
        todo: From `pieces`.
        run: Runs one.
        home: Headrace's home.
        again: Run also what was settled before.

    Yields:
        What became of each, in their order.

    Raises:
        ValueError: Something went wrong that would go wrong for the other partitions too, such as a full disk.
    """
    for piece in todo:
        with only_one(home, pipeline, piece.partition):
            known = read_entry(home, pipeline, piece.partition)
            before = None if again else _settled(known, piece.key, piece.source)
            entry = before or _entry(piece, run)
            if entry != known:
                write_entry(home, pipeline, piece.partition, entry)
        yield Done(piece.partition, entry, before is not None)


def worst(codes: Sequence[int]) -> int:
    """Return the exit code of a whole backfill."""
    return max(codes, key=_SEVERITY.index, default=0)


def _require_over(config: PartitionsConfig, partitions: Sequence[str], now: datetime) -> None:
    early = next((each for each in partitions if not config.is_complete(each, now)), None)
    if early is not None:
        raise ConfigError(
            f"partition `{early}`: expected one that is over, got one that still goes on ({config.timezone})\n"
            f"  do: name an earlier one; `headrace run --partition {early}` runs it as it is now"
        )


def _settled(entry: Entry | None, key: str, source: SourceConfig | ImageSourceConfig) -> Entry | None:
    """Return what is known of a partition if that still holds, with the stamp of its data as it is now.

    Data that is gone, into an archive perhaps, unsettles nothing.
    """
    if entry is None or entry.key != key or not entry.settled:
        return None
    data = data_of(source, entry.data)
    if data is None:
        return entry
    same = entry.data is None or entry.data.digest == data.digest
    return entry.model_copy(update={"data": data}) if same else None


def _entry(piece: Piece, run: Run) -> Entry:
    # Before the run reads it: what is written meanwhile is seen by the next backfill.
    known: dict[str, Any] = {"key": piece.key, "data": data_of(piece.source)}
    try:
        summary = run(piece.partition)
    except ValueError as error:
        code = exit_code_of(error)
        if code is None or code == _UNFORESEEN:
            raise
        outcome = meaning_of(error, _OUTCOMES) or "failed"
        return Entry(**known, outcome=outcome, exit_code=code, message=str(error))
    return Entry(**known, outcome="promoted", exit_code=0, digest=summary["digest"], version=str(summary["version"]))
