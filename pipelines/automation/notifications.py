"""The automations that tell people: a message for each receiver, posted by the Prefect server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from prefect.events.actions import CallWebhook
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

from pipelines.automation.config import NotifyConfig, Outcome
from pipelines.automation.naming import automation_name
from pipelines.watch.event import DRIFT_DETECTED

# The event by which Prefect knows of each.
EVENTS: Mapping[Outcome, str] = {
    "promoted": "prefect.flow-run.Promoted",
    "refused": "prefect.flow-run.Refused",
    "contract_broken": "prefect.flow-run.ContractBroken",
    "leak": "prefect.flow-run.LeakFound",
    "failed": "prefect.flow-run.Failed",
    "crashed": "prefect.flow-run.Crashed",
    "cancelled": "prefect.flow-run.Cancelled",
    "drift": DRIFT_DETECTED,
}

# Jinja2, rendered by the Prefect server. `tojson` alone writes values, so that no message breaks the JSON around it.
_BODY = """\
{%- set drift = event.event == "@DRIFT@" -%}
{%- set state = "Drifted" if drift else event.resource["prefect.state-name"] -%}
{%- set message = (event.payload["message"] if drift else event.resource["prefect.state-message"]) or "" -%}
{%- set run = flow_run.name or event.resource["prefect.resource.name"] -%}
{%- set url = "@UI@/runs/flow-run/" ~ flow_run.id if "@UI@" and flow_run else none -%}
{%- set text = "@PIPELINE@: " ~ @WORDS@[event.event] ~ " (" ~ run ~ ")" ~
   (": " ~ message if message else "") ~ ("\\n" ~ url if url else "") -%}
{{ {"text": text, "pipeline": "@PIPELINE@", "model": "@MODEL@", "outcome": @OUTCOMES@[event.event], "run": run,
    "state": state, "message": message, "url": url} | tojson }}"""

_WORDS: Mapping[Outcome, str] = {
    "promoted": "a new version is the champion",
    "refused": "a gate refused the new version",
    "contract_broken": "the data broke its contract",
    "leak": "the data tells what is to be predicted",
    "failed": "a run failed",
    "crashed": "a run crashed",
    "cancelled": "a run was cancelled",
    "drift": "the traffic has drifted",
}


@dataclass(frozen=True)
class Teller:
    """A pipeline that has something to tell.

    Attributes:
        deployments: Whose runs count: the pipeline's and its watch's.
        ui: The address of Prefect's UI; empty where it is not known, and then messages have no link.
    """

    pipeline: str
    model: str
    deployments: Sequence[UUID]
    ui: str


def notification(teller: Teller, receiver: NotifyConfig, place: int, block: UUID) -> AutomationCore:
    """Return what tells one receiver of one pipeline's outcomes.

    Args:
        teller: The pipeline.
        receiver: Who is told of what.
        place: Which receiver it is, from 0.
        block: Of the receiver's webhook.
    """
    return AutomationCore(
        name=automation_name(teller.pipeline, f"notify {place + 1}"),
        description=f"Tells a receiver of the pipeline's outcomes: {', '.join(receiver.on)}.",
        trigger=EventTrigger(
            expect={EVENTS[outcome] for outcome in receiver.on},
            match_related={
                "prefect.resource.role": "deployment",
                "prefect.resource.id": [f"prefect.deployment.{each}" for each in teller.deployments],
            },
            posture=Posture.Reactive,
            threshold=1,
        ),
        actions=[CallWebhook(block_document_id=block, payload=_body(teller))],
    )


def _body(teller: Teller) -> str:
    """Return the template of a message: `text`, as chats read it, and the same in fields."""
    filled = {
        "@DRIFT@": DRIFT_DETECTED,
        "@PIPELINE@": teller.pipeline,
        "@MODEL@": teller.model,
        "@UI@": teller.ui,
        "@WORDS@": _dictionary({EVENTS[outcome]: words for outcome, words in _WORDS.items()}),
        "@OUTCOMES@": _dictionary({event: outcome for outcome, event in EVENTS.items()}),
    }
    body = _BODY
    for mark, text in filled.items():
        body = body.replace(mark, text)
    return body


def _dictionary(words: Mapping[str, str]) -> str:
    return "{" + ", ".join(f'"{key}": "{value}"' for key, value in words.items()) + "}"
