"""The automation for runs that ended without a word: no heartbeat for a while, and Prefect calls them crashed.

`pipelines.interruption` is surer and marks such a run when the next one starts; this is for where none starts: the
machine is gone, or its disk. There is one for a server, whatever pipelines it knows.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events import ResourceSpecification
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import Automation, AutomationCore, EventTrigger, Posture
from prefect.exceptions import ObjectNotFound

# No pipeline's: those have the pipeline's name and a colon there.
NAME = "headrace: crashed runs"
FLOWS = ("data-to-deployment", "drift-watch", "search")
# Headrace's runs beat every 30 s (`pipelines.environment`), others every three minutes. What a starved process, a
# kernel that keeps Python's lock for a minute, or a server that is started anew loses of them must not look like death.
SILENCE = timedelta(minutes=10)


def crashed_automation(silence: timedelta = SILENCE) -> AutomationCore:
    """Return what marks a run as crashed when it has been silent for a while, without having ended.

    Prefect looks once in every such while, so it takes at most twice as long. Any event of the run counts as a sign of
    life, its end under whatever name of a state included. A run that has ended is never touched, and one that lives on
    all the same ends in its own state: Prefect lets it leave `Crashed` for that.

    Args:
        silence: How long.
    """
    return AutomationCore(
        name=NAME,
        description=f"Marks runs of Headrace's flows as crashed after {silence.total_seconds():g} s without a sign.",
        trigger=EventTrigger(
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.*"},
            match=ResourceSpecification.model_validate({"prefect.resource.id": "prefect.flow-run.*"}),
            match_related=ResourceSpecification.model_validate(
                {"prefect.resource.role": "flow", "prefect.resource.name": list(FLOWS)}
            ),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=silence,
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED,
                message=f"No sign of life for {silence.total_seconds():g} s: it was killed, or its machine is gone.",
            )
        ],
    )


def keep_crashed_automation(client: SyncPrefectClient) -> str:
    """Make or replace the server's automation and return its name; one that somebody switched off stays off."""
    wanted = crashed_automation()
    known = _known(client)
    if not known:
        client.create_automation(wanted)
    else:
        # The client sends what was set and no defaults, and a trigger's type is one; the server takes no owner again.
        told = wanted.model_dump(exclude={"owner_resource"}) | {"enabled": known[0].enabled}
        client.update_automation(known[0].id, AutomationCore.model_validate(told))
    # Looked at again: another deployment may have made one at the same time, and keeps the same of the two.
    for automation in _known(client)[1:]:
        with suppress(ObjectNotFound):
            client.delete_automation(automation.id)
    return NAME


def _known(client: SyncPrefectClient) -> list[Automation]:
    return sorted(client.read_automations_by_name(NAME), key=lambda each: each.id)
