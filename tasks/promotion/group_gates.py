"""Gates on groups of rows: the worst group of a column, and fairness between the groups of protected columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from tasks.errors import ConfigError
from tasks.metrics.table import direction, metric_names
from tasks.preprocessing.targets import Problem
from tasks.promotion.gates import Comparison, GateConfig, GateOutcome, judge
from tasks.slices.config import SlicesPlan
from tasks.slices.fairness import FAIRNESS, fairness_names


def group_gates(config: GateConfig, measured: Mapping[str, Any] | None) -> Iterator[GateOutcome]:
    """Judge the gates `slices` and `fairness`.

    A gate for which nothing could be measured does not hold.

    Args:
        config: The gates.
        measured: What `tasks.slices.slices.measure_slices` returns; None where no slices were measured.

    Raises:
        ConfigError: A gate names a column or a measure that was not measured.
    """
    if not config.slices and not config.fairness:
        return
    if measured is None:
        raise ConfigError(
            "promote.gates: `slices` and `fairness` need measured slices, and there are none\n  do: leave the gates out"
        )
    for column, bounds in config.slices.items():
        if column not in measured["columns"]:
            raise ConfigError(
                f"promote.gates.slices.{column}: the groups of `{column}` were not measured\n"
                f"  do: name the column in evaluate.slices.columns"
            )
        groups = measured["columns"][column]["groups"]
        for metric, bound in bounds.items():
            yield _worst_group(column, metric, bound, groups, measured["min_rows"])
    for name, bound in config.fairness.items():
        for column, found in measured["fairness"].items():
            yield _fair(name, column, bound, found, measured["min_rows"])


def _worst_group(column: str, metric: str, bound: float, groups: list[dict[str, Any]], min_rows: int) -> GateOutcome:
    gate, comparison = f"slices {column} {metric}", _comparison(lower=direction(metric) < 0)
    values = [(direction(metric) * each["metrics"][metric], each) for each in groups if metric in each["metrics"]]
    if not values:
        note = f"no group has {min_rows} rows and a {metric}"
        return GateOutcome(gate=gate, passed=False, comparison=comparison, wanted=bound, note=note)
    _, worst = min(values, key=lambda one: one[0])
    note = f"the worst of {len(values)} groups is {worst['group']}, {worst['rows']:,} rows"
    return judge(gate, comparison, bound, worst["metrics"][metric], note)


def _fair(name: str, column: str, bound: float, found: Mapping[str, Any], min_rows: int) -> GateOutcome:
    gate, comparison = f"fairness {column} {name}", _comparison(lower=not FAIRNESS[name].ratio)
    value = found["measures"].get(name)
    if value is None:
        note = f"fewer than two groups have {min_rows} rows and what the measure needs"
        return GateOutcome(gate=gate, passed=False, comparison=comparison, wanted=bound, note=note)
    worst = f"class {value['class']} is the worst" if "class" in value else None
    return judge(gate, comparison, bound, value["value"], worst)


def _comparison(*, lower: bool) -> Comparison:
    return "<=" if lower else ">="


def require_group_gates(gates: GateConfig, plan: SlicesPlan | None, problems: Collection[Problem]) -> None:
    """Refuse gates on groups that will not be measured.

    Args:
        gates: The gates.
        plan: What will be measured; None where rows have no columns to be grouped by, as images.
        problems: What the target may turn out to be.

    Raises:
        ConfigError: A column, metric or measure is unknown, or will not be measured.
    """
    if plan is None:
        for name in ("slices", "fairness"):
            if getattr(gates, name):
                raise ConfigError(
                    f"promote.gates.{name}: images have no columns to be grouped by\n  do: leave promote.gates.{name} "
                    "out"
                )
        return
    for column, bounds in gates.slices.items():
        place = f"promote.gates.slices.{column}"
        if column not in plan.columns:
            near = _near(column, plan.columns)
            also = ", ".join([*plan.columns, column])
            raise ConfigError(
                f"{place}: the groups of `{column}` will not be measured{near}\n"
                f"  do: write evaluate.slices.columns: [{also}], or leave the gate out"
            )
        _require_known(place, bounds, [name for problem in problems for name in metric_names(problem)])
    _require_known("promote.gates.fairness", gates.fairness, [n for each in problems for n in fairness_names(each)])
    if gates.fairness and not plan.protected:
        raise ConfigError(
            "promote.gates.fairness: the contract marks no column that is left as protected\n"
            "  do: give a column of the contract customProperties: [{property: protected, value: true}], or leave "
            "promote.gates.fairness out"
        )


def _require_known(place: str, names: Collection[str], known: list[str]) -> None:
    for name in names:
        if name not in known:
            every = ", ".join(dict.fromkeys(known))
            raise ConfigError(
                f"{place}.{name}: nothing of this name is measured here{_near(name, known)}\n  do: write one of {every}"
            )


def _near(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean `{near[0]}`?" if near else ""
