"""What the endpoint serves, where, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from serving.bundle.places import place
from serving.guard.keys import KeysConfig
from serving.guard.limits import LimitsConfig
from serving.models.settings import BatchingConfig, VersionsConfig
from serving.transports.grpc.config import GrpcConfig
from serving.transports.limits import TransportConfig
from serving.transports.tls import TlsConfig
from serving.watch.access_log import LogConfig
from serving.watch.settings import MetricsConfig, SamplesConfig
from serving.watch.traces import TracesConfig, traces_of_environment


class ServeConfig(BaseModel):
    """The endpoint's settings; each section's class stands beside what it sets.

    Attributes:
        store: The model store's folder, or a URI such as `s3://bucket/prefix`.
        host: The address to listen on.
        port: 0 takes a free one.
        poll_seconds: How often the champion pointers are looked at.
        batching: How requests are joined into runs of a model.
        versions: How many versions stay in memory.
        limits: How much is accepted.
        keys: Who may ask.
        transport: How long, and how much, an HTTP connection may take.
        tls: Encrypts HTTP connections; None for plain ones.
        metrics: What is counted beside requests.
        log: The access log.
        traces: OpenTelemetry traces; None for none, unless OpenTelemetry's own variables ask for them.
        samples: Sampled records and predictions for the drift watch; None for none.
        workers: How many processes answer.
        grpc: The gRPC server beside HTTP; None for none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    store: Annotated[Path, BeforeValidator(lambda value: place(value) if isinstance(value, str) else value)]
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    poll_seconds: float = Field(default=0.5, gt=0)
    batching: BatchingConfig = BatchingConfig()
    versions: VersionsConfig = VersionsConfig()
    limits: LimitsConfig = LimitsConfig()
    keys: KeysConfig = KeysConfig()
    transport: TransportConfig = TransportConfig()
    tls: TlsConfig | None = None
    metrics: MetricsConfig = MetricsConfig()
    log: LogConfig = LogConfig()
    traces: TracesConfig | None = Field(default_factory=traces_of_environment)
    samples: SamplesConfig | None = None
    workers: int = Field(default=1, ge=1, le=256)
    grpc: GrpcConfig | None = None

    @property
    def max_body_bytes(self) -> int:
        """A request's body beyond this is refused."""
        return self.limits.max_body_bytes

    @property
    def max_batch(self) -> int:
        """The largest number of rows in one request."""
        return self.limits.max_batch
