"""What is done to ordered data (section `order` of the config), and what of it cannot be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from data_contracts.contract import Contract
from tasks.data.schema import known_column, require_visible
from tasks.errors import ConfigError

_ORDERED = ("integer", "number", "date", "timestamp")
_BETWEEN = ("linear", "time")
_LATER = ("bfill", *_BETWEEN)
# A window is a row of a matrix in memory, and beyond this a filter is no longer against noise.
_WIDEST = 1_000


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SmoothConfig(_Frozen):
    """A filter against noise over the last `window` rows of a group, the row itself included: it never looks ahead.

    Rows without a value do not count, and stay without one; at a group's beginning there are fewer rows.

    Attributes:
        method: What becomes of the values in the window.
        window: Rows that it looks back on, the row itself included.
    """

    method: Literal["median", "mean"]
    window: int = Field(ge=2, le=_WIDEST)


class OrderedColumn(_Frozen):
    """What is done to one column, filling first.

    Attributes:
        fill: Where a value is missing: the one before (`ffill`), the one behind (`bfill`), or one between the two, by
            the rows (`linear`) or by the order column's distance (`time`). Between means between: nothing is made up
            before a group's first value or behind its last.
        limit: The most rows in a row that are filled, counted from the value that `ffill`, `linear` and `time` start
            from, or that `bfill` comes back from; all by default.
        smooth: The filter.
    """

    fill: Literal["ffill", "bfill", "linear", "time"] | None = None
    limit: PositiveInt | None = None
    smooth: SmoothConfig | None = None

    @model_validator(mode="after")
    def _does_something(self) -> OrderedColumn:
        if self.fill is None and (self.smooth is None or self.limit is not None):
            raise ValueError("expected `fill`, with or without `limit`, or `smooth`")
        return self


class OrderedConfig(_Frozen):
    """What is done to ordered data.

    Attributes:
        by: The column that rows are ordered by; rows with equal values keep their order.
        group: The columns whose values say which rows belong together, such as a sensor's id; all rows by default.
        columns: What is done to which column.
        drop_nulls: Rows that have no value in one of these columns, once everything is filled, are dropped and counted.
    """

    by: str | None = None
    group: tuple[str, ...] = ()
    columns: Mapping[str, OrderedColumn] = {}
    drop_nulls: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_an_order(self) -> OrderedConfig:
        if self.by is None and (self.columns or self.group):
            raise ValueError(
                "expected `by`, the column that rows are ordered by, where there are `columns` or a `group`"
            )
        if self.by is None and not self.drop_nulls:
            raise ValueError("expected `by` or `drop_nulls`; leave the section out where nothing is to be done")
        return self


def require_ordered(contract: Contract, config: OrderedConfig, targets: Sequence[str]) -> None:
    """Check a config against its contract.

    Args:
        contract: The columns' types.
        config: What is to be done.
        targets: The columns that are learnt.

    Raises:
        ConfigError: A column is not there, or its type or its part in the dataset allows no such thing.
    """
    named = {"by": (config.by,) if config.by else (), "group": config.group, "drop_nulls": config.drop_nulls}
    for key, names in (*named.items(), ("columns", tuple(config.columns))):
        for name in names:
            known_column(f"order.{key}", name, contract)
        require_visible(f"order.{key}", names, contract)
    if config.by is not None:
        _require_order(contract, config.by)
    for name, column in config.columns.items():
        if name in targets:
            raise ConfigError(
                f"order.columns.{name}: `{name}` is the target, and a made-up answer teaches nothing\n"
                "  do: take it out; rows without a target are in no split"
            )
        if name == config.by or name in config.group:
            raise ConfigError(f"order.columns.{name}: `{name}` says how rows are ordered, so it cannot change")
        _require_type(contract, name, column)


def order_notes(config: OrderedConfig, features: Iterable[str]) -> list[str]:
    """Say what a model that learns from these features should know; one sentence each, empty where there is nothing.

    Args:
        config: What is done.
        features: The columns that features are made of.
    """
    notes = []
    for name, column in ((name, column) for name, column in config.columns.items() if name in set(features)):
        if column.smooth is not None:
            notes.append(
                f"order.columns.{name}: the model learns smoothed values, but the endpoint sees one record and takes "
                f"its value as it is; smooth it before it is sent, or keep `{name}` out of the features"
            )
        if column.fill is not None:
            ahead = " and looks at later rows, which nobody has then" if column.fill in _LATER else ""
            notes.append(
                f"order.columns.{name}: `{column.fill}` fills from other rows{ahead}; at the endpoint a null stays "
                "null until `preprocess` imputes it"
            )
    return notes


def _require_order(contract: Contract, by: str) -> None:
    column = contract.column(by)
    if column.logical_type not in _ORDERED:
        raise ConfigError(
            f"order.by: `{by}` is a {column.logical_type}; rows are ordered by {', '.join(_ORDERED)}\n"
            "  do: name another column"
        )
    if not column.required:
        raise ConfigError(
            f"order.by: `{by}` may be null, and a row without it has no place in the order\n"
            f"  do: make it `required: true` in {contract.path}; rows without it then go to quarantine"
        )


def _require_type(contract: Contract, name: str, column: OrderedColumn) -> None:
    kind = contract.column(name).logical_type
    if kind == "number":
        return
    if column.fill in _BETWEEN:
        raise ConfigError(
            f"order.columns.{name}.fill: `{column.fill}` serves number, and `{name}` is {kind}\n"
            "  do: take ffill or bfill, or make it a number in the contract"
        )
    if column.smooth is not None:
        raise ConfigError(
            f"order.columns.{name}.smooth: a filter serves number, and `{name}` is {kind}\n"
            "  do: take it out, or make the column a number in the contract; ffill and bfill serve every type"
        )
