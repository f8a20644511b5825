"""The interpolated rows of the training split: read once, made class by class, written in partitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.augmentation.balance import BalanceConfig
from tasks.augmentation.classes import class_text
from tasks.augmentation.partitions import Counts, Outcome, Part, Plan, write_tables
from tasks.augmentation.requirements import require_fitting_method
from tasks.augmentation.rows import Matrices, with_parents
from tasks.data.partitions import read_partition
from tasks.errors import ConfigError
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.targets import TARGET
from tasks.progress import progress


@dataclass(frozen=True)
class Synthesis:
    """What an interpolating method has to make.

    Attributes:
        config: The method.
        counts: int64 [C], rows of each class.
        wanted: int64 [C], rows of each class in the end.
        two_valued: bool [D], features that take no value between two.
    """

    config: BalanceConfig
    counts: Counts
    wanted: Counts
    two_valued: NDArray[np.bool_]


def require_interpolation(config: BalanceConfig, constants: Preprocessing) -> None:
    """Check that a method fits the features that were made.

    Raises:
        ConfigError: There are categories and the method has no way with them, or no numbers to interpolate.
    """
    require_fitting_method(config.method, [feature.name for feature in constants.categorical])
    if not constants.numeric:
        raise ConfigError(
            f"augment.balance.method: {config.method} interpolates numbers, and every feature is a category\n"
            "  do: take method over or under"
        )


def write_interpolated(
    parts: Sequence[Part], source: Path, synthesis: Synthesis, plan: Plan, folder: Path
) -> list[Outcome]:
    """Write the rows that an interpolating method adds, with their noisy copies.

    Args:
        parts: The training split's partitions; no file gets more rows than the largest of them has.
        source: Folder of the features dataset.
        synthesis: What to make.
        plan: For the noise.
        folder: Folder of the new dataset.

    Returns:
        One outcome for each class; `repeated` counts the interpolated rows.

    Raises:
        ConfigError: The rows are more than `max_rows`.
        TrainingError: A class is too small to interpolate in.
    """
    config, added = synthesis.config, synthesis.wanted - synthesis.counts
    enlarged = np.flatnonzero(added)
    looked_at = np.arange(len(added)) if config.method == "adasyn" else enlarged
    _require_memory(int(synthesis.counts[looked_at].sum()) + int(added.max()), config)
    members, positions = _read_members(parts, source, looked_at, plan.constants)
    schema = read_partition(source, parts[0].partition).schema
    portion = max(part.partition.rows for part in parts)
    outcomes: list[Outcome] = []
    with progress("interpolate", len(enlarged), "classes") as advance:
        for place in enlarged:
            rows, parent, second = _made(int(place), int(added[place]), members, synthesis, plan.constants)
            mine = positions[members.target == place]
            whole = with_parents(
                rows.as_table(schema, plan.constants), mine[parent], mine[second], np.ones(len(parent), dtype=bool)
            )
            tables = (whole.slice(start, portion) for start in range(0, whole.num_rows, portion))
            files, noisy, after = write_tables(tables, f"{config.method}-{place:05d}", (1, int(place)), plan, folder)
            made = np.bincount(rows.target, minlength=len(after))
            outcomes.append(Outcome(files, made, np.zeros_like(after), noisy, after))
            advance()
    return outcomes


def _require_memory(rows: int, config: BalanceConfig) -> None:
    if rows > config.max_rows:
        raise ConfigError(
            f"augment.balance.max_rows: {config.method} would hold {rows} rows in memory, at most {config.max_rows} "
            "are allowed\n  do: raise max_rows if there is memory and time, ask for smaller shares in "
            "augment.balance.ratio, or take method over or under, which hold one partition"
        )


def _read_members(
    parts: Sequence[Part], source: Path, places: NDArray[np.int64], constants: Preprocessing
) -> tuple[Matrices, NDArray[np.int64]]:
    """Read the rows of some classes, and their positions in the training split."""
    found, positions = [], []
    for part in parts:
        table, position = part.read(source)
        chosen = np.isin(table[TARGET].to_numpy(), places)
        found.append(Matrices.of(table.filter(pa.array(chosen)), constants))
        positions.append(position[chosen])
    joined = Matrices(
        np.concatenate([each.numeric for each in found]),
        np.concatenate([each.codes for each in found]),
        np.concatenate([each.target for each in found]),
    )
    return joined, np.concatenate(positions)


def _made(
    place: int, count: int, members: Matrices, synthesis: Synthesis, constants: Preprocessing
) -> tuple[Matrices, NDArray[np.int64], NDArray[np.int64]]:
    """Make the new rows of one class; their parents are places among the class's rows."""
    # scikit-learn's neighbours take a second to import.
    from tasks.augmentation.interpolation import Request, interpolate  # noqa: PLC0415

    config, target = synthesis.config, constants.class_target
    mine = members.target == place
    request = Request(
        method=config.method,
        rows=count,
        neighbors=config.neighbors,
        seed=int(np.random.SeedSequence([config.seed, place]).generate_state(1)[0]),
        label=f"class `{class_text(target.classes[place])}` of `{target.column}`",
    )
    numeric, codes, parents = interpolate(
        members.numeric[mine], members.codes[mine], members.numeric[~mine], synthesis.two_valued, request
    )
    made = Matrices(numeric, codes, np.full(len(numeric), place, dtype=np.int64))
    return made, parents.first, parents.second
