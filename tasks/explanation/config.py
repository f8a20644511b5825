"""The section `explain`."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

from tasks.errors import ConfigError
from tasks.metrics.table import metric_names
from tasks.preprocessing.targets import Problem

AUTO = "auto"


class ImportanceConfig(BaseModel):
    """Permutation importance.

    Attributes:
        rows: How many rows of the test split are permuted; all where it has fewer.
        repeats: How often each column is permuted.
        columns: How many columns are permuted at most. Of more, it is those whose permutation moves the scores of a
            hundred rows the most.
        metric: What must get worse; `auto` takes what training selects weights by: log loss, RMSE or pinball loss.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int = Field(default=2000, ge=10)
    repeats: int = Field(default=5, ge=2, le=100)
    columns: PositiveInt = 500
    metric: str = AUTO


class ExplainConfig(BaseModel):
    """How a model is explained.

    Attributes:
        importance: Which columns matter over many rows; null leaves it out.
        examples: How many single rows are explained: half of them those with the greatest loss, the others random.
        background: How many rows of the training split stand for what is usual.
        seed: Of the permutations and of the choice of rows.
        threads: Threads of torch; one by default, so that all is the same on every machine of one kind.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    importance: ImportanceConfig | None = ImportanceConfig()
    examples: int = Field(default=5, ge=0, le=100)
    background: int = Field(default=500, ge=10, le=10_000)
    seed: NonNegativeInt = 0
    threads: PositiveInt = 1


def require_explanation(config: ExplainConfig, problems: Collection[Problem]) -> None:
    """Refuse a metric that the problem does not have.

    Args:
        config: The section.
        problems: What the target may turn out to be.

    Raises:
        ConfigError: It is so.
    """
    if config.importance is None or config.importance.metric == AUTO:
        return
    name, known = config.importance.metric, [each for problem in problems for each in metric_names(problem)]
    if name not in known:
        near = get_close_matches(name, known, n=1)
        meant = f"; did you mean `{near[0]}`?" if near else ""
        raise ConfigError(
            f"explain.importance.metric: `{name}` is no metric of this problem{meant}\n"
            f"  do: write {AUTO}, or one of {', '.join(dict.fromkeys(known))}"
        )
