"""How much the endpoint accepts: the sizes, the rates and the waits that its guard and its models keep to."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator


class LimitsConfig(BaseModel):
    """The section `limits`; every number counts for one process, so several workers together accept several times it.

    Attributes:
        max_body_bytes: A request's body beyond this is answered 413.
        max_batch: The largest number of rows in one request.
        max_in_flight: Requests that may be under way at once; more are answered 503.
        max_in_flight_per_key: The same for one API key, or one client address where no key is needed: 429. None for
            no limit of its own.
        rate_per_second: Requests per second that one API key, or one client address, may go on sending; more are
            answered 429. None for no limit.
        burst: Requests beyond that rate which may come at once; None for one second's worth.
        max_clients: How many keys or addresses are remembered for their rate; the one unseen for longest goes first.
        target_wait_ms: While a request for a model would be answered later than this, it is refused with 503 at once.
            None to let it queue.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    max_body_bytes: int = Field(default=16 * 1024 * 1024, gt=0)
    max_batch: int = Field(default=16_384, gt=0)
    max_in_flight: int | None = Field(default=4096, gt=0)
    max_in_flight_per_key: int | None = Field(default=None, gt=0)
    rate_per_second: float | None = Field(default=None, gt=0)
    burst: int | None = Field(default=None, gt=0)
    max_clients: int = Field(default=10_000, gt=0)
    target_wait_ms: float | None = Field(default=2000, gt=0)

    @model_validator(mode="after")
    def _a_burst_has_a_rate(self) -> LimitsConfig:
        if self.burst is not None and self.rate_per_second is None:
            raise ValueError(
                "limits.burst: counts only beside limits.rate_per_second, which is not set\n"
                "  do: set limits.rate_per_second too, or leave limits.burst out"
            )
        return self
