"""What gates can be asked for, known before anything runs."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

from tasks.errors import ConfigError
from tasks.export.latency import BATCH_SIZES
from tasks.metrics.table import METRIC, metric_names
from tasks.preprocessing.targets import Problem
from tasks.promotion.gates import GateConfig

_COVERAGE = frozenset({"coverage", "coverage_gap"})


def require_gates(gates: GateConfig, problems: Collection[Problem], quantiles: Sequence[float] = ()) -> None:
    """Refuse gates on metrics that a problem does not have.

    Args:
        gates: The gates.
        problems: What the target may turn out to be: how many classes a column has only the data says.
        quantiles: Those to predict, where quantiles are.

    Raises:
        ConfigError: A metric is unknown, or belongs to other problems, or needs more quantiles; or batches of a size
            are not timed.
    """
    known = list(dict.fromkeys(name for problem in problems for name in metric_names(problem)))
    for kind in ("floor", "gain"):
        for name in getattr(gates, kind):
            if name not in known:
                raise ConfigError(_refusal(f"promote.gates.{kind}.{name}", name, problems, known))
            if name in _COVERAGE and len(quantiles) == 1:
                raise ConfigError(
                    f"promote.gates.{kind}.{name}: `{name}` needs two quantiles, and there is one\n"
                    "  do: give `quantiles` another, or take the gate `pinball`"
                )

    for size in gates.latency_ms:
        if size not in map(str, BATCH_SIZES):
            timed = " or ".join(f"'{each}'" for each in BATCH_SIZES)
            raise ConfigError(
                f"promote.gates.latency_ms.{size}: expected {timed}, got '{size}'; other batches are not timed\n"
                "  do: write one of them, or leave the gate out"
            )


def _refusal(place: str, name: str, problems: Collection[Problem], known: list[str]) -> str:
    alike = [one for one in known if one.startswith(name)] or difflib.get_close_matches(name, known, n=1)
    advice = f"\n  do: write {f'`{alike[0]}`, or another' if alike else 'one'} of {', '.join(known)}"
    if name in METRIC:
        return (
            f"{place}: `{name}` is a metric of {' and '.join(METRIC[name].problems)} problems, and this one is "
            f"{' or '.join(problems)}{advice}"
        )
    meant = f"; did you mean `{alike[0]}`?" if alike else ""
    return f"{place}: `{name}` is no metric{meant}{advice}"
