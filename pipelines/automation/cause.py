"""Why a run was started, where an automation started it: on the run's page, in its log, its tags and its parameters."""

from __future__ import annotations

import logging

from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext

from pipelines.run_labels import TRIGGER

logger = logging.getLogger(__name__)

DRIFT_TAG = "drift"


def note_cause(cause: str | None) -> None:
    """Tag the current run as one that drift started, and log why; nothing where no cause was given.

    An automation can set a run's parameters and not its tags, so the run sets them itself.
    """
    context = FlowRunContext.get()
    if cause is None or context is None or context.flow_run is None:
        return
    run = context.flow_run
    # In place: `pipelines.run_labels` adds its own tags to those that the context knows.
    run.tags = sorted({*run.tags, DRIFT_TAG, f"{TRIGGER}{DRIFT_TAG}"})
    with get_client(sync_client=True) as client:
        client.update_flow_run(run.id, tags=run.tags)
    logger.info("started because of %s", cause)
