"""How much is kept."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

_DAY, _HOUR = 86_400.0, 3_600.0


class RetentionPolicy(BaseModel):
    """The settings of `headrace gc`.

    Attributes:
        keep_runs: Finished runs that stay of each pipeline, the newest ones.
        keep_days: Runs, results and unfinished trainings that are younger than this stay too.
        grace_hours: What was written in this time stays, whatever it is: somebody may be about to refer to it.
        keep_versions: Versions that stay of each model, the newest ones, besides those that are or were champion or
            that the traffic plan names. At least one: a version's number must not be given to another.
        pipeline: Only what this pipeline's runs made goes; by default whatever nothing refers to.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep_runs: NonNegativeInt = 10
    keep_days: float = Field(default=30, ge=0, allow_inf_nan=False)
    grace_hours: float = Field(default=24, ge=0, allow_inf_nan=False)
    keep_versions: PositiveInt = 5
    pipeline: str | None = None

    def recent(self, modified: float, now: float) -> bool:
        """Say whether something is younger than `keep_days`; times are seconds since 1970."""
        return modified > now - self.keep_days * _DAY

    def in_grace(self, modified: float, now: float) -> bool:
        """Say whether something was written within the grace period; times are seconds since 1970."""
        return modified > now - self.grace_hours * _HOUR
