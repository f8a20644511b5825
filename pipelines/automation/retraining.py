"""The automation that closes the loop: drift starts a run of the pipeline."""

from __future__ import annotations

from uuid import UUID

from prefect.events.actions import RunDeployment
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

from pipelines.automation.naming import automation_name
from pipelines.watch.event import DRIFT_DETECTED, DUE, PIPELINE, RETRAIN, model_resource

# The run's page shows it: what drifted, and by how much.
_CAUSE = {"__prefect_kind": "jinja", "template": "{{ event.payload['cause'] }}"}


def retraining_automation(pipeline: str, model: str, deployment: UUID) -> AutomationCore:
    """Return what starts a pipeline's deployment, once for each alarm that asks for it.

    Whether one does, the watch decides: it knows when drift last started a run, and whether one is under way.

    Args:
        pipeline: The pipeline's name.
        model: Its model's.
        deployment: Of the pipeline.
    """
    return AutomationCore(
        name=automation_name(pipeline, "retrain on drift"),
        description=f"Starts data-to-deployment/{pipeline} when the traffic of {model} has drifted.",
        trigger=EventTrigger(
            expect={DRIFT_DETECTED},
            match={"prefect.resource.id": model_resource(model), PIPELINE: pipeline, RETRAIN: DUE},
            posture=Posture.Reactive,
            threshold=1,
        ),
        actions=[RunDeployment(source="selected", deployment_id=deployment, parameters={"cause": _CAUSE})],
    )
