"""The typed rows that validation leaves for `clean`: one file for each raw partition, in Arrow's own format.

A file holds every row of its partition, broken ones too: which rows belong to the clean dataset is known only when all
partitions were compared, and naming the few that do not is cheaper than writing the others again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from data_contracts.contract import Contract
from data_contracts.parsing import ARROW_TYPES
from data_contracts.privacy import apply_privacy, visible_columns
from tasks.data.arrow_files import ARROW
from tasks.data.partitions import MANIFEST, Manifest, WrittenPartition, part_name, write_manifest, write_partition
from tasks.references import ValidationRef
from tasks.storage import naming_lost

ROWS = "rows"


def write_rows(folder: Path, index: int, table: pa.Table, contract: Contract) -> WrittenPartition:
    """Write the typed rows of the raw partition at a position, without what privacy takes from them.

    Args:
        folder: The validation's folder.
        index: The partition's position in the raw dataset.
        table: Its parsed rows.
        contract: The columns' privacy actions.
    """
    return write_partition(folder / ROWS, part_name(index, ARROW), apply_privacy(table, contract))


def write_rows_manifest(folder: Path, written: Sequence[WrittenPartition], contract: Contract) -> None:
    """Write what the files hold, and their digests.

    Args:
        folder: The validation's folder.
        written: The files, in the order of the raw partitions.
        contract: The columns.
    """
    manifest = Manifest(
        columns={column.name: str(ARROW_TYPES[column.logical_type]) for column in visible_columns(contract)},
        partitions=tuple(each.partition for each in written),
        digests={each.partition.path: each.digest for each in written},
    )
    write_manifest(folder / ROWS, manifest)


def digested_files(folder: Path) -> frozenset[str]:
    """Return the files, relative to the validation's folder, whose digests stand in the rows' manifest."""
    manifest = Manifest.model_validate_json((folder / ROWS / MANIFEST).read_bytes())
    return frozenset(f"{ROWS}/{path}" for path in manifest.digests)


def read_rows_manifest(validation: ValidationRef) -> Manifest:
    """Read what typed rows a validation left: a partition for each raw one.

    Raises:
        IntegrityError: They are gone.
    """
    path = validation.folder / ROWS / MANIFEST
    with naming_lost(path, "the validated rows are"):
        return Manifest.model_validate_json(path.read_bytes())
