"""What of a search can be known to be wrong before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipelines.search.config import SearchConfig, as_override
from tasks.errors import ConfigError
from tasks.metrics.selection import metrics_of
from tasks.preprocessing.targets import Problem

# Trials with other rows or another target could not be compared.
_SAME_FOR_ALL = (
    "contract",
    "images.source",
    "images.split",
    "model",
    "name",
    "problem",
    "quantiles",
    "search",
    "source",
    "split",
    "target",
)
# What comes after training changes nothing on the validation split.
_WITHOUT_EFFECT = ("calibrate", "cross_validate", "dask", "evaluate", "explain", "promote")

# Says what is wrong with the config under some settings, or None.
Refusal = Callable[[Sequence[str]], str | None]


def require_search(search: SearchConfig, problem: Problem, refusal: Refusal) -> None:
    """Check that a search can be made.

    Every key is tried at the ends of its range and at one value between, or with each of its choices: first alone, and
    where that is refused, with the other keys' first values and with their last ones.

    Args:
        search: The section.
        problem: What kind of problem it is; two classes or several are the same here.
        refusal: Checks the config under settings.

    Raises:
        ConfigError: A key is not there, cannot be searched, or the config refuses one of its values; or training does
            not measure the metric.
    """
    search_metric(search, "auto", problem)
    for key in search.space:
        _require_searchable(key)
    first = {key: next(iter(values.probes())) for key, values in search.space.items()}
    last = {key: list(values.probes())[-1] for key, values in search.space.items()}
    for key, values in search.space.items():
        for value in values.probes():
            said = refusal([as_override(key, value)])
            if said is None:
                continue
            beside = ([as_override(*each) for each in {**ends, key: value}.items()] for ends in (first, last))
            if all(refusal(settings) is not None for settings in beside):
                raise ConfigError(f"search.space.{key}: the config refuses the value {value!r}:\n{said}")


def search_metric(search: SearchConfig, selection: str, problem: Problem) -> str:
    """Return the metric that a search judges by.

    Args:
        search: The section.
        selection: The metric that training selects by (`train.selection.metric`).
        problem: What kind of problem it is.

    Raises:
        ConfigError: Training does not measure the metric for this problem.
    """
    fitting = metrics_of(problem)
    metric = next((each for each in (search.metric, selection) if each != "auto"), fitting[0])
    if metric not in fitting:
        raise ConfigError(
            f"search.metric: training does not measure `{metric}` for a {problem} problem\n"
            f"  do: write `auto`, or one of {', '.join(fitting)}"
        )
    return metric


def _require_searchable(key: str) -> None:
    for names, why in (
        (_SAME_FOR_ALL, "trials that differ in it cannot be compared"),
        (_WITHOUT_EFFECT, "it changes nothing that a search judges by, the validation split's metric"),
    ):
        if any(key == name or key.startswith(f"{name}.") for name in names):
            raise ConfigError(f"search.space.{key}: {why}\n  do: take it out of the space, and set it in the config")
