"""What is looked for, where: the config's section `leakage`, resolved against the contract and the other sections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from data_contracts.contract import Column, Contract
from data_contracts.privacy import hidden_columns, visible_columns
from data_contracts.row_rules import is_secret
from tasks.data.schema import known_column
from tasks.data.split import SplitConfig
from tasks.errors import ConfigError
from tasks.preprocessing.problem import TargetConfig, require_target

_TEMPORAL = frozenset({"date", "timestamp"})
_GROUPING = ("string", "integer", "boolean", "date", "timestamp")
_IDENTIFYING = frozenset({"string", "integer"})


class LeakageConfig(BaseModel):
    """What counts as a leak, and which leaks are accepted.

    Attributes:
        auc: A feature that alone reaches this ROC-AUC on the validation split is the target in disguise.
        r2: Where the target is a number: a feature that alone explains this share of the variance of its ranks on the
            validation split is the target in disguise.
        duplicates: Largest share of a split whose rows may also stand in a larger split, beyond what chance explains.
        overlap: Largest share of a group column's values that may occur in more than one split.
        future: Largest share of rows that may hold an instant that was not yet known.
        groups: Columns such as `patient_id` whose rows belong together; the column of `split.method: group` is one
            without being named.
        event_time: The column that says when each row happened; no feature of a row may be later.
        now: The instant after which nothing can have happened yet (ISO 8601, UTC where it names no zone).
        sample: How many training and validation rows, about, the features are judged by one at a time.
        accept: Names of findings that do not stop the run, such as `target-in-disguise:arr_delay`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    auc: float = Field(default=0.98, gt=0.5, le=1)
    r2: float = Field(default=0.98, gt=0, le=1)
    duplicates: float = Field(default=0.01, ge=0, le=1)
    overlap: float = Field(default=0.0, ge=0, le=1)
    future: float = Field(default=0.0, ge=0, le=1)
    groups: tuple[str, ...] = ()
    event_time: str | None = None
    now: datetime | None = None
    sample: PositiveInt = 200_000
    accept: tuple[str, ...] = ()


class LeakagePlan(BaseModel):
    """Everything that the check depends on besides the data; what is accepted is no part of it.

    Attributes:
        targets: The raw columns that are predicted; several are labels.
        number: Whether the target is a number.
        features: The raw columns that features are made of, in the contract's order.
        groups: Columns whose values must not be in two splits.
        hints: Columns that are looked at only to say that they look like groups; empty where groups are named.
        moment: The column of each row's own instant, if one is known.
        instants: Features that must not be later than `event_time`.
        time_split: The column that `split.method: time` split by.
        now: Microseconds since 1970 UTC.
        secret: Columns whose values must not be shown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    targets: tuple[str, ...]
    number: bool
    features: tuple[str, ...]
    groups: tuple[str, ...]
    hints: tuple[str, ...]
    moment: str | None
    instants: tuple[str, ...]
    time_split: str | None
    now: int | None
    secret: tuple[str, ...]
    auc: float
    r2: float
    duplicates: float
    overlap: float
    future: float
    sample: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read, each once."""
        optional = (name for name in (self.moment, self.time_split) if name is not None)
        named = (*self.features, *self.targets, *self.groups, *self.hints, *optional)
        return tuple(dict.fromkeys(named))


def plan_leakage(
    contract: Contract, config: LeakageConfig, split: SplitConfig, target: TargetConfig, features: Sequence[str]
) -> LeakagePlan:
    """Resolve the config against the contract.

    Args:
        contract: The contract.
        config: The section `leakage`.
        split: The section `split`.
        target: What is predicted.
        features: Names of the raw columns that features are made of (`tasks.preprocessing.plan.feature_columns`).

    Raises:
        ConfigError: A column is not in the contract, is dropped for privacy or has a type that the check cannot use, or
            `now` has no column of instants to judge.
    """
    types = {column.name: column.logical_type for column in contract.columns}
    groups = [_group(name, contract) for name in config.groups]
    if split.method == "group" and split.column is not None and split.column not in groups:
        groups.append(split.column)
    time_split = split.column if split.method == "time" else None
    moment = time_split if config.event_time is None else _event_time(config.event_time, contract)
    if config.now is not None and moment is None:
        raise ConfigError(
            "leakage.now: nothing says when a row happened, so nothing can be later\n"
            "  do: name the column of each row's instant in leakage.event_time"
        )
    later = [name for name in features if types[name] in _TEMPORAL and name != moment]
    return LeakagePlan(
        targets=target.targets,
        number=require_target(contract, target) == "number",
        features=tuple(features),
        groups=tuple(groups),
        hints=() if groups else tuple(c.name for c in visible_columns(contract) if _may_identify(c, target.targets)),
        moment=moment,
        instants=tuple(later) if config.event_time is not None else (),
        time_split=time_split,
        now=None if config.now is None else _microseconds(config.now),
        secret=tuple(column.name for column in contract.columns if is_secret(column)),
        **config.model_dump(include={"auc", "r2", "duplicates", "overlap", "future", "sample"}),
    )


def _group(name: str, contract: Contract) -> str:
    column = _visible("leakage.groups", name, contract)
    if column.logical_type not in _GROUPING:
        raise ConfigError(
            f"leakage.groups: `{name}` is of type {column.logical_type}; expected {', '.join(_GROUPING)}\n"
            "  do: name the column that identifies the group, or declare it an integer or a string in the contract"
        )
    return name


def _event_time(name: str, contract: Contract) -> str:
    column = _visible("leakage.event_time", name, contract)
    if column.logical_type not in _TEMPORAL:
        raise ConfigError(
            f"leakage.event_time: `{name}` is of type {column.logical_type}; expected date or timestamp\n"
            "  do: name the column that says when the row happened, or leave the key out"
        )
    return name


def _visible(place: str, name: str, contract: Contract) -> Column:
    column = known_column(place, name, contract)
    if name in hidden_columns(contract):
        raise ConfigError(
            f"{place}: contract {contract.path} drops `{name}` for privacy, so nothing can be told by it\n"
            "  do: name another column, or keep this one in the contract and leave it out with preprocess.exclude"
        )
    return column


def _may_identify(column: Column, targets: Sequence[str]) -> bool:
    return column.name not in targets and column.logical_type in _IDENTIFYING and column.enum is None


def _microseconds(instant: datetime) -> int:
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
