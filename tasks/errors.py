"""Errors of the task functions; each is the user's to mend, so each says what to do."""

from __future__ import annotations

import errno

# How the system says that a disk is full, or that this user or process may not take more of it.
DISK_FULL = {
    errno.ENOSPC: "no space is left",
    errno.EDQUOT: "this user's quota is used up",
    errno.EFBIG: "a file would become larger than this process may write",
}


class DataError(ValueError):
    """A source cannot be read, or does not have the shape its contract names."""


class ConfigError(ValueError):
    """A config asks for something that cannot be done."""


class LeakageError(ValueError):
    """The data tells the model what it will not know when it is asked, and the config does not accept that."""


class TrainingError(ValueError):
    """Training cannot start or cannot go on (one class in the target, no usable feature, a loss that is not finite)."""


class GateRefusedError(ValueError):
    """A gate refused promotion; the champion stays."""


class IntegrityError(ValueError):
    """A stored file is missing, torn or altered."""


class ClusterError(ValueError):
    """A Dask cluster will not finish its work: its workers or its scheduler are gone, or memory does not suffice."""


class SchemaDriftError(DataError):
    """The files of one source do not have the same schema."""


class NoSamplesError(DataError):
    """The endpoint has sampled nothing of a model version, or samples into another folder."""


class TooFewRowsError(DataError):
    """There are too few sampled rows to say whether anything drifted."""


class DiskFullError(ValueError):
    """There is no space left to write; what was begun has been removed."""
