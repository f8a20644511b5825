"""The settings of what is counted and sampled; they load no numpy, which a supervisor of workers does without."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator


class MetricsConfig(BaseModel):
    """What is counted beside requests, which always are.

    Attributes:
        feature_share: Of the time that may go into counting nulls, unseen categories and values out of range; 0 counts
            none, 1 looks at every run.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature_share: float = Field(default=0.02, ge=0, le=1)


class SamplesConfig(BaseModel):
    """Sampled requests and predictions, appended to Parquet files for the drift watch.

    Attributes:
        folder: Takes `model=<name>/version=<version>/date=<date>/<file>.parquet`.
        share: Of the rows, from above 0 to 1.
        seed: Of the choice among requests without an id; None for another choice each time.
        rows_per_file: A file is written when so many rows are there.
        seconds_per_file: Or when its first row is so old.
        queue_rows: So many rows may wait for the writer; more are dropped and counted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    share: float = Field(default=0.01, gt=0, le=1)
    seed: int | None = None
    rows_per_file: int = Field(default=50_000, gt=0)
    seconds_per_file: float = Field(default=300.0, gt=0)
    queue_rows: int = Field(default=20_000, gt=0)

    @field_validator("folder")
    @classmethod
    def _needs_pyarrow(cls, folder: Path) -> Path:
        if importlib.util.find_spec("pyarrow") is None:
            raise ValueError("samples need pyarrow, which is not installed\n  do: pip install 'headrace[sampling]'")
        return folder
