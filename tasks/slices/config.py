"""The section `evaluate.slices`, and which columns it makes the pieces look at."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from pydantic import BaseModel, ConfigDict, Field

from data_contracts.contract import Column, Contract
from data_contracts.privacy import hidden_columns
from data_contracts.row_rules import is_secret
from tasks.data.schema import known_column
from tasks.errors import ConfigError


class SlicesConfig(BaseModel):
    """On which parts of the test split a model is measured.

    Attributes:
        columns: Raw columns whose groups are all measured, features or not.
        min_rows: A group of fewer rows is named, and neither measured nor part of any extreme.
        find: How many of the worst slices to tell; 0 looks for none.
        bins: Into how many parts, of about as many rows each, a column of numbers or instants is cut.
        confidence: Of the interval of a slice's loss; its complement is the share of false finds that is accepted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[str, ...] = ()
    min_rows: int = Field(default=100, ge=2)
    find: int = Field(default=10, ge=0, le=100)
    bins: int = Field(default=4, ge=2, le=50)
    confidence: float = Field(default=0.95, gt=0, lt=1)


class SlicesPlan(SlicesConfig):
    """What to measure, once the contract is known.

    Attributes:
        searched: Raw columns of features, over which the worst slices are looked for.
        protected: Columns between whose groups fairness is measured.
        masked: Columns whose values must not be shown; their groups have numbers.
    """

    searched: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()

    @property
    def every(self) -> tuple[str, ...]:
        """All columns to read, each once."""
        searched = self.searched if self.find else ()
        return tuple(dict.fromkeys([*self.columns, *self.protected, *searched]))


def plan_slices(
    contract: Contract, config: SlicesConfig, features: Sequence[Column], targets: Collection[str]
) -> SlicesPlan:
    """Decide which columns are looked at.

    Args:
        contract: Which columns there are, which of them are protected and which must not be shown.
        config: The section `evaluate.slices`.
        features: The raw columns that features are made of.
        targets: What is predicted; its groups are no slices to search, and no groups to be fair between.

    Raises:
        ConfigError: A column is unknown, named twice, or dropped for privacy.
    """
    for place, name in enumerate(config.columns):
        column = known_column("evaluate.slices.columns", name, contract)
        if name in config.columns[:place]:
            raise ConfigError(f"evaluate.slices.columns: `{name}` stands there twice\n  do: name each column once")
        if name in hidden_columns(contract):
            raise ConfigError(
                f"evaluate.slices.columns: the contract drops column `{name}` for privacy "
                f"({contract.path}:{column.line}), so there is nothing to group rows by\n"
                "  do: take it out of evaluate.slices.columns, or its `privacy: drop` out of the contract"
            )
    hidden = {*hidden_columns(contract), *targets}
    return SlicesPlan(
        **config.model_dump(),
        searched=tuple(column.name for column in features),
        protected=tuple(each.name for each in contract.columns if each.protected and each.name not in hidden),
        masked=tuple(each.name for each in contract.columns if is_secret(each)),
    )


def slices_notes(contract: Contract, targets: Collection[str]) -> Iterator[str]:
    """Say for which protected columns fairness cannot be measured."""
    hidden = hidden_columns(contract)
    for column in contract.columns:
        if column.protected and (column.name in hidden or column.name in targets):
            why = "privacy drops its values" if column.name in hidden else "it is what the model predicts"
            yield (
                f"{contract.path}:{column.line}: column {column.name} is protected, but {why}, so fairness between its "
                "groups cannot be measured"
            )
