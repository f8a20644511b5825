"""Where the gRPC server listens; apart from it, so that reading the settings does not load its library."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class GrpcConfig(BaseModel):
    """The gRPC server beside the HTTP one, on the same address.

    Attributes:
        port: 0 takes a free one, which only one worker can.
        max_calls: Calls in flight in a worker; one more is answered RESOURCE_EXHAUSTED.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: int = Field(default=8081, ge=0, le=65535)
    max_calls: int = Field(default=1024, gt=0)
