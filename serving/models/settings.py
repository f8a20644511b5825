"""The settings of the served models; they load neither numpy nor onnxruntime, which a supervisor does without."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class BatchingConfig(BaseModel):
    """How requests for one model version are joined into runs of its graph.

    Attributes:
        max_rows: A run has at most so many rows; a request that has more by itself runs alone.
        max_delay_ms: How long a request may wait for others to join it. 0 joins only what one turn of the event loop
            brings in and what comes while a run is under way, so that a lone request never waits.
        inline_ms: A run that is expected to take longer goes to the worker thread, so that other requests are read and
            answered meanwhile; a shorter one is not worth the way there and back.
        queue_timeout_ms: A request that has waited so long for its run to begin is answered 503 rather than late. None
            to let it wait.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_rows: int = Field(default=1024, gt=0)
    max_delay_ms: float = Field(default=0.0, ge=0, le=1000)
    inline_ms: float = Field(default=0.5, ge=0)
    queue_timeout_ms: float | None = Field(default=30_000, gt=0)


class VersionsConfig(BaseModel):
    """How many versions stay in memory.

    Attributes:
        kept: So many former champions of a model stay loaded, so that a rollback needs to load nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kept: int = Field(default=1, ge=0, le=100)
