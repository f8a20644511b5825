"""What stands in for missing values of one column."""

from __future__ import annotations

from tasks.errors import TrainingError
from tasks.preprocessing.config import ImputeConfig
from tasks.preprocessing.scaling import mean_and_std
from tasks.preprocessing.sketch import MAX_POINTS, Distribution
from tasks.preprocessing.statistics import CategorySummary


def number_fill(name: str, config: ImputeConfig, values: Distribution) -> float:
    """Return the number that stands in for null; for `chained` the median, where the chain starts.

    Args:
        name: The feature's, for the message.
        config: The method.
        values: The training values after outliers were dealt with, at least one.

    Raises:
        TrainingError: The mode of a column that has too many different values to count them all.
    """
    match config.method:
        case "constant":
            assert isinstance(config.constant, float), "the plan has seen to it"
            return config.constant
        case "mean":
            return mean_and_std(values)[0]
        case "mode":
            if values.error:
                raise TrainingError(
                    f"feature {name}: impute mode needs the most frequent value, but there are more than "
                    f"{MAX_POINTS:,} different ones\n  do: take median, mean, a constant, or chained"
                )
            return float(values.values[values.counts.argmax()])
        case _:
            return values.median


def category_fill(config: ImputeConfig, summary: CategorySummary) -> str | None:
    """Return the value that null counts as, None if it keeps its own code; of equally frequent ones the first."""
    if config.method == "mode":
        return summary.values[int(summary.counts.argmax())].as_py() if len(summary.values) else None
    if config.method == "constant":
        constant = config.constant
        return str(int(constant) if isinstance(constant, float) and constant.is_integer() else constant)
    return None
