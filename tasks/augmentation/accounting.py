"""Row accounting of the training split: what was left out, what was added, by class, or the run fails."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, NonNegativeInt

from tasks.errors import IntegrityError
from tasks.references import DatasetRef
from tasks.storage import naming_lost

AUGMENTATION = "augmentation.json"

ByClassName = Mapping[str, NonNegativeInt]


class AugmentationAccounting(BaseModel):
    """Where the rows of the training split went and came from, by class; `all` where there are no classes.

    Attributes:
        before: Rows of the features dataset that was augmented.
        left_out: Rows that are no longer there, by reason: `label_noise`, `under`.
        added: Rows that were added, by method: `over`, `smote`, `smotenc`, `adasyn`, `noise`.
        after: Rows of this dataset, counted in what was written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    before: ByClassName
    left_out: Mapping[str, ByClassName]
    added: Mapping[str, ByClassName]
    after: ByClassName

    def reconciled(self) -> AugmentationAccounting:
        """Return this accounting if it adds up, class by class.

        Raises:
            IntegrityError: It does not: rows were lost or counted twice.
        """
        for name, rows in self.before.items():
            less = sum(each.get(name, 0) for each in self.left_out.values())
            more = sum(each.get(name, 0) for each in self.added.values())
            if rows - less + more != self.after.get(name, 0):
                raise IntegrityError(
                    f"augmentation: class `{name}` had {rows} training rows, {less} were left out and {more} added, "
                    f"but {self.after.get(name, 0)} were written\n"
                    "  do: run again; if it happens again, this is a fault in Headrace: report it"
                )
        return self


def read_augmentation(features: DatasetRef) -> AugmentationAccounting:
    """Read the accounting of an augmented dataset.

    Raises:
        IntegrityError: The file is gone, or its totals do not add up.
    """
    path = features.folder / AUGMENTATION
    with naming_lost(path, "the accounting of the augmentation is"):
        return AugmentationAccounting.model_validate_json(path.read_bytes()).reconciled()
