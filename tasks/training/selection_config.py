"""The section `train.selection`: which round's weights are kept, and when it is enough.

It stands apart from `tasks.training.selection`, so that reading a config does not import Lightning.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator

from tasks.errors import ConfigError
from tasks.metrics.selection import SELECTION_METRICS, metrics_of
from tasks.preprocessing.targets import Problem
from tasks.training.choice import require_known


class SelectionConfig(BaseModel):
    """The best round, by a metric of the validation split.

    Attributes:
        metric: One of `tasks.metrics.selection`; `auto` is `log_loss` for classes and labels, `rmse` for numbers and
            `pinball` for quantiles.
        patience: Training stops after this many rounds without a gain.
        least_gain: What counts as one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str = "auto"
    patience: PositiveInt = 10
    least_gain: Annotated[float, Field(ge=0.0)] = 0.0

    @field_validator("metric")
    @classmethod
    def _known(cls, value: str) -> str:
        require_known("train.selection.metric", value, ("auto", *SELECTION_METRICS))
        return value

    def resolved(self, problem: Problem) -> SelectionConfig:
        """Return what `auto` means for a problem.

        Raises:
            ConfigError: The metric does not fit the problem.
        """
        fitting = metrics_of(problem)
        if self.metric == "auto":
            return self.model_copy(update={"metric": fitting[0]})
        if self.metric not in fitting:
            raise ConfigError(
                f"train.selection.metric: `{self.metric}` does not fit a {problem} problem\n"
                f"  do: write `auto`, or one of {', '.join(fitting)}"
            )
        return self
