"""Automations as a pipeline's config asks for them: made, replaced and removed by their names."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events.schemas.automations import Automation, AutomationCore
from prefect.exceptions import ObjectNotFound

from pipelines.automation.crashed import keep_crashed_automation
from pipelines.automation.naming import owns
from pipelines.automation.notifications import Teller, notification
from pipelines.automation.retraining import retraining_automation
from pipelines.automation.webhooks import keep_webhooks
from pipelines.config import PipelineConfig
from pipelines.image_config import ImagePipelineConfig
from pipelines.prefect_pages import every
from pipelines.scheduling.deployed import Deployed


def sync(config: PipelineConfig | ImagePipelineConfig, deployed: Deployed) -> list[str]:
    """Make a pipeline's automations what its config asks for. Twice is the same as once; others' are never touched.

    Args:
        config: The pipeline's.
        deployed: Its deployments.

    Returns:
        The names of its automations, and of the one that all pipelines share (`pipelines.automation.crashed`).

    Raises:
        ConfigError: A receiver's URL is not there.
    """
    with get_client(sync_client=True) as client:
        blocks = keep_webhooks(client, config.name, config.notify)
        wanted = desired(config, deployed, blocks)
        _replace(client, config.name, wanted)
        crashed = keep_crashed_automation(client)
    return [*(each.name for each in wanted), crashed]


def desired(
    config: PipelineConfig | ImagePipelineConfig, deployed: Deployed, blocks: Sequence[UUID]
) -> list[AutomationCore]:
    """Return the automations that a config asks for; nothing is read and nothing changed.

    Args:
        config: The pipeline's.
        deployed: Its deployments.
        blocks: The receivers' webhooks, in the order of `notify`.
    """
    found = []
    if config.watch is not None and config.watch.retrain:
        found.append(retraining_automation(config.name, config.model, deployed.deployment_id))
    told_by = [each for each in (deployed.deployment_id, deployed.watch_id) if each is not None]
    # The page of a deployment is `<UI>/deployments/...`.
    teller = Teller(config.name, config.model, told_by, deployed.url.partition("/deployments/")[0])
    for place, (receiver, block) in enumerate(zip(config.notify, blocks, strict=True)):
        found.append(notification(teller, receiver, place, block))
    return found


def _replace(client: SyncPrefectClient, pipeline: str, wanted: Sequence[AutomationCore]) -> None:
    there = _owned(client, pipeline)
    for each in wanted:
        if known := there.get(each.name):
            _update(client, known[0], each)
        else:
            client.create_automation(each)
    names = {each.name for each in wanted}
    # Looked at again, since somebody else may have deployed at the same time: two of a name would do everything twice.
    # Whoever looks last keeps the same one as the others, and sees all.
    for name, found in _owned(client, pipeline).items():
        for automation in found[1:] if name in names else found:
            with suppress(ObjectNotFound):
                client.delete_automation(automation.id)


def _owned(client: SyncPrefectClient, pipeline: str) -> dict[str, list[Automation]]:
    """Return a pipeline's automations by name, each name's in the order of their ids."""
    found: dict[str, list[Automation]] = {}
    for automation in sorted(every(client.read_automations), key=lambda each: each.id):
        if owns(pipeline, automation.name):
            found.setdefault(automation.name, []).append(automation)
    return found


def _update(client: SyncPrefectClient, known: Automation, wanted: AutomationCore) -> None:
    """Replace an automation that differs; one that somebody switched off stays off."""
    wanted = wanted.model_copy(update={"enabled": known.enabled, "owner_resource": known.owner_resource})
    if AutomationCore.model_validate(known.model_dump()) != wanted:
        # The client sends what was set and no defaults, and a trigger's type is one; the server takes no owner here.
        whole = AutomationCore.model_validate(wanted.model_dump(exclude={"owner_resource"}))
        client.update_automation(known.id, whole)
