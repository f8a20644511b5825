"""How much, and for how long, a connection may ask of the endpoint."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class TransportConfig(BaseModel):
    """The limits of HTTP connections. Times are looked at a few times per limit, so they are kept to about a quarter.

    Attributes:
        max_connections: Further ones are answered 503 and closed.
        max_head_bytes: A request line with its headers beyond this is answered 431.
        max_target_bytes: A longer request target is answered 414.
        max_headers: More headers are answered 431.
        max_pipelined: So many requests of one connection may wait for their answers before it is read on.
        max_buffered_bytes: Of incomplete bodies, over all connections; a body that would exceed it is answered 503.
        keep_alive_seconds: A connection that asks nothing for so long is closed.
        head_seconds: From a head's first byte to its last; answered 408 beyond.
        body_seconds: From the end of a head to the end of its body; answered 408 beyond.
        answer_seconds: From the end of a request to its answer; answered 503 beyond.
        write_seconds: A client that takes less than 4 KiB of what waits for it in so long is cut off.
        drain_seconds: After a signal to stop, what is being answered has so long to finish.
        notice_seconds: After a signal to stop, so long the endpoint says that it is not ready but still takes
            connections, for balancers that look only now and then.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    max_connections: int = Field(default=10_000, gt=0)
    max_head_bytes: int = Field(default=64 * 1024, ge=1024)
    max_target_bytes: int = Field(default=8 * 1024, ge=128)
    max_headers: int = Field(default=100, gt=0)
    max_pipelined: int = Field(default=64, gt=0)
    max_buffered_bytes: int = Field(default=512 * 1024 * 1024, gt=0)
    keep_alive_seconds: float = Field(default=75, gt=0)
    head_seconds: float = Field(default=10, gt=0)
    body_seconds: float = Field(default=60, gt=0)
    answer_seconds: float = Field(default=60, gt=0)
    write_seconds: float = Field(default=30, gt=0)
    drain_seconds: float = Field(default=10, gt=0)
    notice_seconds: float = Field(default=0, ge=0)
