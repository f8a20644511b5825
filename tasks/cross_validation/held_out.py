"""A training that leaves a fold out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pyarrow as pa

from tasks.cross_validation.assignment import Rows
from tasks.storage import digest_of
from tasks.training.fold_job import chosen_rows
from tasks.training.job import Material, TrainJob


@dataclass(frozen=True)
class HeldOutJob(TrainJob):
    """A job that learns from some of another job's training rows; the validation split stays as it is.

    Attributes:
        data: The other job's data.
        learned: bool `[N]`, the training rows that this one learns from.
    """

    data: Material
    learned: Rows

    def material(self) -> Material:
        """Take the chosen rows out of the data in memory."""
        identity = digest_of([self.data.digest, hashlib.sha256(self.learned.tobytes()).hexdigest()])
        train = chosen_rows(self.data.train, self.learned)
        return Material(train=train, validation=self.data.validation, fitted=self.data.fitted, digest=identity)

    def training_column(self, name: str) -> pa.ChunkedArray | None:
        """See `TrainJob.training_column`; of the chosen rows."""
        values = super().training_column(name)
        return None if values is None else values.filter(pa.array(self.learned))
