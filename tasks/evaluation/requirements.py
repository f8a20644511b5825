"""What an evaluation can be asked for, known before anything runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tasks.data.split import SplitConfig
from tasks.errors import ConfigError
from tasks.evaluation.evaluate import EvaluateConfig


def require_groups(config: EvaluateConfig, keep: Collection[str]) -> None:
    """Refuse groups by a column that the features dataset will not hold.

    Args:
        config: The section `evaluate`.
        keep: Raw columns that are carried along (`preprocess.keep`).

    Raises:
        ConfigError: It is so.
    """
    if config.groups is not None and config.groups not in keep:
        raise ConfigError(
            f"evaluate.groups: the features dataset will not hold the raw column `{config.groups}`\n"
            f"  do: write preprocess.keep: {[*keep, config.groups]}, or leave evaluate.groups out"
        )


def evaluation_notes(config: EvaluateConfig, split: SplitConfig) -> Iterator[str]:
    """Say where intervals would promise more than the split does."""
    if config.bootstrap and config.groups is None and split.method == "group":
        yield (
            f"split.column: rows of one `{split.column}` stay together in the split but are drawn one by one for the "
            "intervals, which come out narrower than they are; with evaluate.groups and preprocess.keep naming "
            f"`{split.column}`, whole groups are drawn"
        )
