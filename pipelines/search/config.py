"""The section `search`: which keys of the config are tried with which values, and for how long."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    StrictFloat,
    StrictInt,
    Tag,
    field_validator,
    model_validator,
)

from tasks.metrics.selection import SELECTION_METRICS
from tasks.training.choice import require_known

_DELETE = "\x7f"

Number = StrictInt | StrictFloat


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Range(_Frozen):
    """Numbers from `low` to `high`: integers where both are, else with a fraction.

    Attributes:
        low: The lowest value.
        high: The highest value.
        step: Distance between two values, counted from `low`; the highest value may then be below `high`.
        log: Whether ratios count, not differences.
    """

    low: Number
    high: Number
    step: Number | None = None
    log: bool = False

    @model_validator(mode="after")
    def _agree(self) -> Range:
        if not all(math.isfinite(each) for each in (self.low, self.high, self.step or 0)) or self.low >= self.high:
            raise ValueError(f"expected finite numbers with low < high, got low {self.low} and high {self.high}")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError(f"`log` needs low > 0 and no `step`, got low {self.low} and step {self.step}")
        if self.step is not None and (self.step <= 0 or self.highest == self.low):
            raise ValueError(f"expected a step above 0 and of at most high - low, got {self.step}")
        return self

    @property
    def whole(self) -> bool:
        """Whether the values are integers."""
        return all(isinstance(each, int) for each in (self.low, self.high, self.step or 1))

    @property
    def highest(self) -> float | int:
        """The highest value that is tried."""
        if self.step is None:
            return self.high
        low, high, step = (Decimal(str(each)) for each in (self.low, self.high, self.step))
        # In decimals, as Optuna has it: .1 and .2 are a step of .1 apart.
        highest = low + (high - low) // step * step
        return int(highest) if self.whole else float(highest)

    def probes(self) -> Iterator[float | int]:
        """Yield values at which a config is checked: both ends, and one between that is no round number."""
        yield self.low
        yield self.highest
        between = self.low + (0.382 * (self.high - self.low) if self.step is None else self.step)
        yield round(between) if self.whole else between


class Choices(_Frozen):
    """One of some values, of whatever kind the key takes.

    Attributes:
        choices: The values.
    """

    choices: tuple[Any, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _differ(self) -> Choices:
        if len(set(self.texts())) < len(self.choices):
            raise ValueError("each choice may stand there once")
        return self

    def texts(self) -> list[str]:
        """Return the choices as JSON, which is how a study knows them."""
        return [json.dumps(choice) for choice in self.choices]

    def probes(self) -> Iterator[Any]:
        """Yield values at which a config is checked: all of them."""
        yield from self.choices


def _kind(value: Any) -> str:
    return "choices" if isinstance(value, Choices) or (isinstance(value, dict) and "choices" in value) else "range"


Values = Annotated[Annotated[Range, Tag("range")] | Annotated[Choices, Tag("choices")], Discriminator(_kind)]


class SearchConfig(_Frozen):
    """How a better config is searched for.

    Attributes:
        space: By the dotted key of the config, the values to try.
        trials: How many trials there shall be in all, those of earlier runs of the same search included; null for no
            limit.
        minutes: No trial of a run begins later than this; null for no limit.
        metric: What is judged, on the validation split at the best round: a metric that training measures, or `auto`
            for the one that it selects by.
        sampler: `tpe` learns from the trials before, `random` does not.
        prune: Whether a trial ends early whose metric, after as many rounds, is worse than the median of the others.
        seed: Decides which values are tried; with `parallel: 1` the same ones in every search.
        parallel: Processes that try at the same time, on this machine.
        storage: The URL of a database that Optuna can use; by default a file of SQLite below Headrace's home.
    """

    space: Mapping[str, Values] = Field(min_length=1)
    trials: PositiveInt | None = 20
    minutes: PositiveFloat | None = None
    metric: str = "auto"
    sampler: Literal["tpe", "random"] = "tpe"
    prune: bool = True
    seed: NonNegativeInt = 0
    parallel: PositiveInt = 1
    storage: str | None = None

    @field_validator("metric")
    @classmethod
    def _known(cls, value: str) -> str:
        require_known("search.metric", value, ("auto", *SELECTION_METRICS))
        return value

    @model_validator(mode="after")
    def _ends(self) -> SearchConfig:
        if self.trials is None and self.minutes is None:
            raise ValueError("a search needs an end\n  do: give `trials`, `minutes` or both")
        return self


def as_override(key: str, value: Any) -> str:
    """Return a setting as `pipelines.config.load_pipeline` takes it."""
    text = json.dumps(value, ensure_ascii=False)
    # JSON is YAML, but for characters that YAML takes only by their number, and JSON's way to write some of those.
    return f"{key}={''.join(each if each < _DELETE else _by_number(each) for each in text)}"


def _by_number(character: str) -> str:
    return f"\\U{ord(character):08x}"
