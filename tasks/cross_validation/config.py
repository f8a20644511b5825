"""The section `cross_validate`, and what can be known to be wrong with it before anything runs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from data_contracts.contract import Contract
from tasks.augmentation.config import AugmentConfig
from tasks.data.schema import known_column
from tasks.data.split import SplitConfig
from tasks.errors import ConfigError
from tasks.images.augment.compose import ImageAugmentConfig
from tasks.preprocessing.targets import Problem
from tasks.training.config import TrainConfig
from tasks.training.folds import MOST_FOLDS

_CLASSES: tuple[Problem, ...] = ("binary", "multiclass")
_ORDERED = ("date", "timestamp", "integer", "number")


class CrossValidateConfig(BaseModel):
    """How the training split is cut into folds; `train.seed` decides who goes where.

    Attributes:
        folds: How many.
        method: `kfold` deals rows at random, `stratified` so that each fold has about the same share of each class,
            `group` so that rows which share a value of `column` stay together, `time` in the order of `column`, each
            fold predicted by what learned from the rows before it. `auto` does as the split does: by group or by
            time; else it is stratified for classes, and at random for all others.
        column: A raw column that `preprocess.keep` carries along, for `group` and `time`; `time` without one takes
            rows in the order in which they stand.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folds: Annotated[int, Field(ge=2, le=MOST_FOLDS)] = 5
    method: Literal["auto", "kfold", "stratified", "group", "time"] = "auto"
    column: str | None = None

    @model_validator(mode="after")
    def _agree(self) -> CrossValidateConfig:
        if self.method == "group" and self.column is None:
            raise ValueError("method `group` needs `column`\n  do: name a column that `preprocess.keep` carries along")
        if self.column is not None and self.method not in {"group", "time"}:
            raise ValueError(
                f"`column` belongs to the methods `group` and `time`, not to `{self.method}`\n"
                "  do: leave it out, or write one of the two"
            )
        return self


class CrossValidation(BaseModel):
    """What is cross-validated.

    Attributes:
        train: The training; its validation split stays what it is.
        augment: What training does to batches.
        folds: The folds, with a method that is no longer `auto`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: TrainConfig
    augment: AugmentConfig | ImageAugmentConfig
    folds: CrossValidateConfig


def resolved_folds(config: CrossValidateConfig, split: SplitConfig, problem: Problem) -> CrossValidateConfig:
    """Return what `auto` means for a table."""
    if config.method != "auto":
        return config
    if split.method in {"key", "row"}:
        return config.model_copy(update={"method": "stratified" if problem in _CLASSES else "kfold"})
    return config.model_copy(update={"method": split.method, "column": split.column})


def resolved_image_folds(config: CrossValidateConfig) -> CrossValidateConfig:
    """Return what `auto` means for images, which have classes."""
    return config.model_copy(update={"method": "stratified"}) if config.method == "auto" else config


def require_folds(
    config: CrossValidateConfig, split: SplitConfig, contract: Contract, keep: Collection[str], problem: Problem
) -> None:
    """Check that folds can be made as they are asked for.

    Args:
        config: The section `cross_validate`.
        split: How the rows were split.
        contract: The data's contract.
        keep: Raw columns that the features dataset carries along (`preprocess.keep`).
        problem: What kind of problem it is; two classes or several are the same here.

    Raises:
        ConfigError: The column is not kept or has no order, or there are no classes to stratify by.
    """
    folds = resolved_folds(config, split, problem)
    if folds.method == "stratified" and problem not in _CLASSES:
        raise ConfigError(
            f"cross_validate.method: `stratified` spreads classes evenly, and a {problem} problem has none\n"
            "  do: write `kfold`, or leave the method out"
        )
    if folds.column is None:
        return
    column = known_column("cross_validate.column", folds.column, contract)
    if column.name not in keep:
        why = "" if config.method != "auto" else f" (the split is by {split.method}, so the folds must be too)"
        raise ConfigError(
            f"cross_validate: folds by `{column.name}` need the column among the features{why}\n"
            f"  do: write preprocess.keep: {[*keep, column.name]}, or give cross_validate.method"
        )
    if folds.method == "time" and column.logical_type not in _ORDERED:
        raise ConfigError(
            f"cross_validate.column: `{column.name}` is of type {column.logical_type}, which has no order in time\n"
            f"  do: name a column of type {', '.join(_ORDERED)}, or leave it out to take the order of the rows"
        )


def require_image_folds(config: CrossValidateConfig, *, copies: bool, grouped: bool) -> None:
    """Check that folds of images can be made as they are asked for.

    Args:
        config: The section `cross_validate`.
        copies: Whether augmented copies are written before training.
        grouped: Whether the images are split by group.

    Raises:
        ConfigError: A copy could be learned from while its original is predicted, or folds would cut groups.
    """
    if copies:
        raise ConfigError(
            "cross_validate: images.copies writes copies of training images, which would be learned from while their "
            "originals are predicted\n  do: use images.augment, which changes batches, or remove cross_validate"
        )
    if config.column is not None or (grouped and config.method == "auto"):
        raise ConfigError(
            "cross_validate: the features of images hold no column, so folds cannot keep groups together\n"
            "  do: write `method: stratified` if images of one group may be in different folds, or remove the section"
        )
