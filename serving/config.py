"""What the endpoint serves, where, and how much it accepts."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class ServeConfig(BaseModel):
    """The endpoint's settings.

    Attributes:
        store: The model store's folder.
        port: 0 takes a free one.
        max_body_bytes: A request's body beyond this is answered 413.
        max_batch: The largest number of rows in one request.
        poll_seconds: How often the champion pointers are looked at.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    store: Path
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    max_body_bytes: int = Field(default=16 * 1024 * 1024, gt=0)
    max_batch: int = Field(default=16_384, gt=0)
    poll_seconds: float = Field(default=0.5, gt=0)
