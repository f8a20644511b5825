"""How many images of a source were taken, and whether they are enough to go on with."""

from __future__ import annotations

from data_contracts.errors import ContractBrokenError
from tasks.data.accounting import read_accounting
from tasks.images.ingest import QUARANTINE
from tasks.references import DatasetRef, ValidationRef


def validation_of(images: DatasetRef) -> ValidationRef:
    """Return what ingest found of every image, in the form that validation has for tables."""
    counted = read_accounting(images)
    refused = sum(counted.quarantined.values())
    return ValidationRef(
        path=images.path,
        digest=images.digest,
        rows=counted.rows_in,
        kept=counted.rows_in - refused,
        quarantined=refused,
    )


def require_taken(images: DatasetRef, max_quarantined: float) -> None:
    """Stop a run whose source holds too many images that cannot be taken.

    Raises:
        ContractBrokenError: More than this share of them is in quarantine, which stays to be looked at.
    """
    found = validation_of(images)
    share = found.quarantined / found.rows
    if share <= max_quarantined:
        return
    reasons = ", ".join(f"{rule} {count:,}" for rule, count in read_accounting(images).quarantined.items())
    raise ContractBrokenError(
        f"images: {found.quarantined:,} of {found.rows:,} ({share:.1%}) are in quarantine, at most "
        f"{max_quarantined:.1%} may be: {reasons}\n"
        f"  do: look at the rows in {images.folder / QUARANTINE}, then mend the source or `images.image`, or raise "
        "images.max_quarantined"
    )
