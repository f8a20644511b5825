"""The report of a run that ended before there was a model: what its data was, and what was wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from data_contracts.errors import ContractBrokenError
from pipelines import report
from pipelines.run_state import Run
from tasks.data.outcomes import read_counts
from tasks.errors import LeakageError
from tasks.references import DatasetRef, SplitRef, ValidationRef
from tasks.report.inputs import Accounting, EarlyInputs
from tasks.report.report import run_early_report


@contextmanager
def reporting_early_end(
    run: Run, validation: ValidationRef, placed: tuple[DatasetRef, SplitRef] | None = None
) -> Iterator[None]:
    """Write `report.html` if the block refuses the data.

    Args:
        run: The run.
        validation: What became of its rows.
        placed: The clean dataset and its splits, once there are such.

    Raises:
        ContractBrokenError: The block's own.
        LeakageError: The block's own.
    """
    try:
        yield
    except (ContractBrokenError, LeakageError) as error:
        told = EarlyInputs(
            pipeline=run.config.name,
            verdict="contract broken" if isinstance(error, ContractBrokenError) else "leak",
            message=str(error),
            accounting=_validated(validation) if placed is None else report.accounting(*placed),
            rules=report.rules(validation),
        )
        run_early_report(told, run.folder / "report.html")
        raise


def _validated(validation: ValidationRef) -> Accounting:
    counts = read_counts(validation)
    lost = sum(counts.quarantined.values()) + counts.duplicates
    return Accounting(
        rows_in=counts.rows,
        kept=counts.rows - lost,
        quarantined=counts.quarantined,
        duplicates=counts.duplicates,
        splits={},
    )
