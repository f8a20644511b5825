"""Row accounting: every row that came in is kept, quarantined or a duplicate, or the run fails."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, NonNegativeInt

from tasks.errors import IntegrityError
from tasks.references import DatasetRef, SplitRef
from tasks.storage import naming_lost

ACCOUNTING = "accounting.json"
BROKEN_CSV_ROW = "csv.broken_row"
WITHOUT_TARGET = "without_target"


class RowAccounting(BaseModel):
    """Where every row of a source went: `rows_in = kept + sum(quarantined) + duplicates + dropped_nulls`.

    Attributes:
        rows_in: Rows of the source, those of a CSV that could not be split into fields included.
        kept: Rows of the clean dataset.
        quarantined: Rows by the id of the rule that each was quarantined for, `csv.broken_row` and key rules included.
        duplicates: Rows dropped because they equal an earlier row in every column.
        dropped_nulls: Rows dropped because they lack a value that the config's `order.drop_nulls` asks for.
        broken_csv_rows: How many of the quarantined rows are no row of the table.
        key_conflicts: How many of the quarantined rows share a key with a row of other content.
        without_target: Kept rows that are in no split because their target is null; None before the split.
        splits: Kept rows by split; None before the split.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows_in: NonNegativeInt
    kept: NonNegativeInt
    quarantined: Mapping[str, NonNegativeInt]
    duplicates: NonNegativeInt
    dropped_nulls: NonNegativeInt = 0
    broken_csv_rows: NonNegativeInt = 0
    key_conflicts: NonNegativeInt = 0
    without_target: NonNegativeInt | None = None
    splits: Mapping[str, NonNegativeInt] | None = None

    def reconciled(self) -> RowAccounting:
        """Return this accounting if its totals add up.

        Raises:
            IntegrityError: They do not: rows were lost or counted twice.
        """
        quarantined = sum(self.quarantined.values())
        found = self.kept + quarantined + self.duplicates + self.dropped_nulls
        if found != self.rows_in:
            raise IntegrityError(
                f"row accounting: {self.rows_in} rows came in, but kept {self.kept} + quarantined {quarantined} "
                f"+ duplicates {self.duplicates} + dropped for nulls {self.dropped_nulls} = {found}{_DO}"
            )
        if self.broken_csv_rows + self.key_conflicts > quarantined:
            raise IntegrityError(
                f"row accounting: {self.broken_csv_rows} broken CSV rows and {self.key_conflicts} key conflicts are "
                f"more than the {quarantined} rows in quarantine{_DO}"
            )
        if self.splits is not None:
            in_splits = sum(self.splits.values()) + (self.without_target or 0)
            if in_splits != self.kept:
                raise IntegrityError(
                    f"row accounting: {self.kept} rows were kept, but the splits and the rows without a target hold "
                    f"{in_splits}{_DO}"
                )
        return self


_DO = "\n  do: remove the dataset's folder and run again; if it happens again, this is a fault in Headrace: report it"


def read_accounting(clean: DatasetRef, split: SplitRef | None = None) -> RowAccounting:
    """Read the accounting of a clean dataset, continued to its splits where one is given.

    Raises:
        IntegrityError: The file is gone, or its totals do not add up.
    """
    path = clean.folder / ACCOUNTING
    with naming_lost(path, "the row accounting is"):
        accounting = RowAccounting.model_validate_json(path.read_bytes())
    if split is not None:
        splits = {name: rows for name, rows in split.rows.items() if name != WITHOUT_TARGET}
        update = {"splits": splits, "without_target": split.rows[WITHOUT_TARGET]}
        accounting = accounting.model_copy(update=update)
    return accounting.reconciled()
