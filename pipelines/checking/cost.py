"""About what a run takes: CPU minutes and memory.

The numbers were measured on the flights (336,776 rows, 29 columns, 36 features) and on 4,000 customers (9 columns), on
a 2-core machine without a GPU, in CPU seconds (user and system). `docs/check-and-doctor.md` has them. What was not
measured is not estimated.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from data_contracts.contract import Column, Contract
from pipelines.config import PipelineConfig
from tasks.models.config import AutoConfig
from tasks.models.mlp import MlpConfig
from tasks.models.mlp_ple import MlpPleConfig
from tasks.models.trees import TreesConfig
from tasks.preprocessing.plan import feature_columns
from tasks.training.config import TrainConfig

# CPU seconds. Starting Prefect, importing the libraries, writing Data Docs, the trial server: of a run of any size.
_FIXED = (18.0, 32.0)
# Of a value, which is a row of a column: ingest to transform.
_DATA = 0.2e-6
# Of a row: calibrate, evaluate, slices, explain, verify.
_JUDGED = 40e-6
# Of a training row, feature and tree.
_TREE = 4.0e-9
# Networks: Lightning's start; of a multiplication of a row that is trained on, forwards and backwards; and what share
# of that a row of the validation split takes, which every round looks at.
_NETWORK, _MULTIPLIED, _LOOKED_AT = 2.5, 300e-12, 1 / 3
# Bytes: of the libraries, and of a training row's feature.
_LIBRARIES = 0.8e9
_HELD = (27.0, 126.0)
# Of what was measured the estimate is off by less than this factor, either way.
_ROOM = 1.6
_NUMERIC = frozenset({"integer", "number", "timestamp", "date"})
# Parts of a date that become numbers by default.
_CALENDAR = 2


@dataclass(frozen=True)
class Cost:
    """About what a run takes, each from the least to the most that is likely.

    Attributes:
        cpu_minutes: All processes together; with a free core for each thread the run takes no longer.
        memory_gb: Of the process that trains, in 10^9 bytes.
        rows: Rows of the source that this is for.
        columns: Columns of the contract.
        training: What is known of training.
    """

    cpu_minutes: tuple[float, float]
    memory_gb: tuple[float, float]
    rows: int
    columns: int
    training: str

    def __str__(self) -> str:
        """Return it in a sentence."""
        minutes, memory = (f"{_short(low)} to {_short(high)}" for low, high in (self.cpu_minutes, self.memory_gb))
        return (
            f"about {minutes} CPU minutes and {memory} GB of memory for {self.rows:,} rows of {self.columns} columns; "
            f"{self.training} (a range from runs that were measured: docs/check-and-doctor.md)"
        )


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.1f}"


def estimate(config: PipelineConfig, contract: Contract, rows: int) -> Cost:
    """Return about what a run takes that reuses nothing.

    Args:
        config: The config.
        contract: Its contract.
        rows: Of the source.
    """
    learned, columns = config.preprocess, len(contract.columns)
    features = feature_columns(contract, learned.target, learned.include, learned.exclude)
    training, validation = rows * config.split.train, rows * config.split.validation
    least, most, said = _training(config.train, features, training, validation)
    shared = rows * (columns * _DATA + _JUDGED)
    values = training * _width(features)
    return Cost(
        cpu_minutes=((_FIXED[0] + (shared + least) / _ROOM) / 60, (_FIXED[1] + (shared + most) * _ROOM) / 60),
        memory_gb=((_LIBRARIES + _HELD[0] * values) / 1e9, 1.25 * (_LIBRARIES + _HELD[1] * values) / 1e9),
        rows=rows,
        columns=columns,
        training=said,
    )


def _training(
    config: TrainConfig, features: list[Column], rows: float, validation: float
) -> tuple[float, float, str]:  # fmt: skip
    """Return the least and the most CPU seconds of training, and what to say of them; `rows` are for training."""
    model = config.model
    if isinstance(model, TreesConfig):
        one = rows * _width(features) * _TREE
        return one * min(model.patience, model.rounds), one * model.rounds, f"at most {model.rounds:,} rounds of trees"
    if isinstance(model, AutoConfig):
        return 0.0, 60 * model.cpu_minutes, f"`auto` may take {model.cpu_minutes:g} CPU minutes of it"
    if isinstance(model, MlpConfig | MlpPleConfig):
        seen = config.steps_per_round * config.batch_size + validation * _LOOKED_AT
        of_round = seen * _multiplications(model, features) * _MULTIPLIED
        least = min(config.rounds, config.selection.patience + 1)
        return _NETWORK + least * of_round, _NETWORK + config.rounds * of_round, f"at most {config.rounds} rounds"
    return 0.0, 0.0, f"training of `{model.name}`, which was not measured, comes on top"


def _width(features: list[Column]) -> int:
    """Return about how many features columns make."""
    return sum(_CALENDAR if column.logical_type in {"date", "timestamp"} else 1 for column in features)


def _multiplications(model: MlpConfig | MlpPleConfig, features: list[Column]) -> int:
    """Return about how many multiplications a row takes on its way forwards."""
    numeric = _width([column for column in features if column.logical_type in _NUMERIC])
    width = model.numeric_width if isinstance(model, MlpPleConfig) else 1
    inputs = numeric * width + (_width(features) - numeric) * model.categorical_width
    return sum(before * after for before, after in pairwise((inputs, *model.hidden)))
