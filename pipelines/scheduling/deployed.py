"""What is known of a pipeline once it is registered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pipelines.scheduling.registering import Change


@dataclass(frozen=True)
class Deployed:
    """A pipeline that is registered.

    Attributes:
        name: The deployment's, `data-to-deployment/<pipeline>`.
        pipeline: The config's `name`.
        model: The config's `model`.
        deployment_id: The deployment's id at the server.
        url: Its page in the UI.
        watch_id: The id of its drift watch's deployment; None where the config has none.
        change: What was done to the deployment.
        fire_times: When it runs next, each in its schedule's zone; empty where it is paused or has no schedule.
        notes: What stays as a person left it in the UI.
    """

    name: str
    pipeline: str
    model: str
    deployment_id: UUID
    url: str
    watch_id: UUID | None = None
    change: Change = "created"
    fire_times: tuple[datetime, ...] = ()
    notes: tuple[str, ...] = ()
