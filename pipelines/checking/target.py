"""The target in the first rows: is it there, and is there something to tell apart?"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.contract import Contract
from data_contracts.row_rules import MASK, as_texts, is_secret
from pipelines.config import PipelineConfig
from tasks.errors import TrainingError
from tasks.preprocessing.problem import possible_problems
from tasks.profiling.words import shortened

_SHOWN = 5
_NUMBERS = frozenset({"regression", "quantile"})


def target_notes(kept: pa.Table, contract: Contract, config: PipelineConfig, *, whole: bool) -> Iterator[str]:
    """Yield what the first rows say of the target.

    Args:
        kept: The target's columns, typed, of the rows that keep the contract.
        contract: Their contract.
        config: What is predicted.
        whole: Whether these are all rows of the source.

    Raises:
        TrainingError: They are, and there is nothing to tell apart.
    """
    numbers = bool(_NUMBERS & set(possible_problems(contract, config)))
    for name in config.targets:
        values = kept.column(name)
        there = values.drop_null()
        counts = there.value_counts()
        if kept.num_rows and len(counts) < 2:
            yield _alone(name, counts, contract, kept.num_rows, whole=whole)
        elif not numbers and len(counts):
            yield f"target `{name}`: {_shares(counts, len(there), secret=is_secret(contract.column(name)))}"
        if values.null_count and len(there):
            yield f"target `{name}`: {values.null_count / len(values):.1%} of the rows have none, and train nothing"


def _alone(name: str, counts: pa.Array, contract: Contract, rows: int, *, whole: bool) -> str:
    column = contract.column(name)
    value = MASK if is_secret(column) else _texts(counts)[0] if len(counts) else None
    got = "no value" if value is None else f"the one value `{value}`"
    said = f"{contract.path}:{column.line}: target `{name}`: expected at least two values to tell apart, got {got} in"
    if whole:
        raise TrainingError(f"{said} all {rows:,} rows\n  do: bring rows of another one, or predict another column")
    return f"{said} the first {rows:,} rows\n  do: see that the rest has others; a run stops where training has one"


def _shares(counts: pa.Array, rows: int, *, secret: bool) -> str:
    if secret:
        return f"{len(counts):,} values"
    order = pc.sort_indices(counts.field("counts"), sort_keys=[("", "descending")]).to_pylist()
    texts, numbers = _texts(counts), counts.field("counts").to_pylist()
    shown = ", ".join(f"`{texts[place]}` {numbers[place] / rows:.1%}" for place in order[:_SHOWN])
    return shown + (f" and {len(order) - _SHOWN:,} more" if len(order) > _SHOWN else "")


def _texts(counts: pa.Array) -> list[str]:
    return list(map(shortened, as_texts(pa.chunked_array([counts.field("values")]))))
