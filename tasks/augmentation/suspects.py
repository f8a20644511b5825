"""The label noise report on disk: `label_noise.json`, and the suspected rows as `suspected.parquet`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.data.parquet import read_parquet, write_parquet
from tasks.errors import IntegrityError
from tasks.references import DatasetRef, LabelNoiseRef
from tasks.storage import DigestName, naming_lost, new_folder, write_json

LABEL_NOISE, SUSPECTED = "label_noise.json", "suspected.parquet"


def write_report(home: Path, summary: dict[str, Any], suspected: pa.Table) -> LabelNoiseRef:
    """Write a report under `home/label_noise/<digest>`.

    Args:
        home: Where everything stands.
        summary: What `label_noise.json` says, with `features`, the digest of the dataset that was judged, and `rows`.
        suspected: One row for each finding, with int64 `position` in the training split.
    """
    parent = home / "label_noise"
    named = DigestName()
    with new_folder(parent, named) as folder:
        write_json(folder / LABEL_NOISE, summary)
        write_parquet(suspected, folder / SUSPECTED, compression="zstd")
    return LabelNoiseRef(
        path=str(parent / named.digest), digest=named.digest, rows=summary["rows"], suspected=suspected.num_rows
    )


def read_label_noise(ref: LabelNoiseRef) -> dict[str, Any]:
    """Read `label_noise.json`; see `tasks.augmentation.label_noise.run_label_noise`.

    Raises:
        IntegrityError: The file is gone.
    """
    path = ref.folder / LABEL_NOISE
    with naming_lost(path, "the label noise report is"):
        found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def suspected_positions(ref: LabelNoiseRef, features: DatasetRef) -> NDArray[np.int64]:
    """Return the positions of the suspected rows in the training split of `features`, ascending.

    Raises:
        IntegrityError: The report is gone, or is about another dataset.
    """
    judged = read_label_noise(ref)["features"]
    if judged != features.digest:
        raise IntegrityError(
            f"{ref.path}: expected a label noise report on dataset {features.digest[:12]}, got one on {judged[:12]}\n"
            "  do: run the pipeline again"
        )
    path = ref.folder / SUSPECTED
    with naming_lost(path, "the list of suspected rows is"):
        positions = read_parquet(path, columns=["position"])["position"].to_numpy()
    return np.sort(positions)
