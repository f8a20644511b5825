"""Backfill: a pipeline run for many of its partitions, one after the other, each of them once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.check import open_pipeline
from pipelines.failures import exit_code_of, meaning_of
from pipelines.scheduling.ledger import Entry, Outcome, read_entry, write_entry
from pipelines.scheduling.partitions import PartitionsConfig
from tasks.errors import ConfigError
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
        before: What an earlier backfill made of it, if nothing changed since.
    """

    partition: str
    key: str
    before: Entry | None


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
        last = asked.last or (None if config.by is None else config.last_complete(now))
        if last is None and config.by is not None:
            raise ConfigError(f"{path}: no partition is complete yet: {config.example} is the first\n  do: wait for it")
        chosen = config.between(asked.first, last)
    if early := [each for each in chosen if not config.is_complete(each, now)]:
        raise ConfigError(
            f"partition `{early[0]}`: expected one that is over, got one that still goes on ({config.timezone})\n"
            f"  do: end at an earlier one; `headrace run --partition {early[0]}` runs it as it is now"
        )
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
        same = entry is not None and entry.key == key and entry.settled
        found.append(Piece(partition, key, entry if same else None))
    return found


def backfill(pipeline: str, todo: Sequence[Piece], run: Run, home: Path, *, again: bool) -> Iterator[tuple[str, Entry]]:
    """Run partitions and keep what became of each; what was settled before is not run.

    Args:
        pipeline: Its name.
        todo: From `pieces`.
        run: Runs one.
        home: Headrace's home.
        again: Run also what was settled before.

    Yields:
        Each partition with what became of it, in their order.

    Raises:
        ValueError: Something went wrong that would go wrong for the other partitions too, such as a full disk.
    """
    for piece in todo:
        if piece.before is not None and not again:
            yield piece.partition, piece.before
            continue
        entry = _entry(piece, run)
        write_entry(home, pipeline, piece.partition, entry)
        yield piece.partition, entry


def worst(codes: Sequence[int]) -> int:
    """Return the exit code of a whole backfill."""
    return max(codes, key=_SEVERITY.index, default=0)


def _entry(piece: Piece, run: Run) -> Entry:
    try:
        summary = run(piece.partition)
    except ValueError as error:
        code = exit_code_of(error)
        if code is None or code == _UNFORESEEN:
            raise
        outcome = meaning_of(error, _OUTCOMES) or "failed"
        return Entry(key=piece.key, outcome=outcome, exit_code=code, message=str(error))
    return Entry(
        key=piece.key, outcome="promoted", exit_code=0, digest=summary["digest"], version=str(summary["version"])
    )
