"""Where the URLs of receivers are kept: in Prefect's blocks, encrypted, and in no config, log or event."""

from __future__ import annotations

import os
from collections.abc import Sequence
from uuid import UUID

from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import ObjectNotFound
from prefect.types import SecretDict
from pydantic import SecretStr

from pipelines.automation.config import BLOCK, ENV, NotifyConfig, require_url
from pipelines.automation.naming import block_name, block_prefix
from tasks.errors import ConfigError

_TYPE = "webhook"


def keep_webhooks(client: SyncPrefectClient, pipeline: str, notify: Sequence[NotifyConfig]) -> list[UUID]:
    """Put each receiver's URL into a block of its own, and remove the pipeline's blocks that no receiver needs.

    Args:
        client: Of the Prefect server.
        pipeline: The pipeline's name.
        notify: Its receivers.

    Returns:
        The blocks' ids, in the receivers' order; of one written `block:NAME` that block's.

    Raises:
        ConfigError: A variable is not set or holds no URL, or there is no such block.
    """
    found = [_kept(client, pipeline, place, receiver) for place, receiver in enumerate(notify)]
    for document in client.read_block_documents_by_type(_TYPE, include_secrets=False):
        if (document.name or "").startswith(block_prefix(pipeline)) and document.id not in found:
            client.delete_block_document(document.id)
    return found


def _kept(client: SyncPrefectClient, pipeline: str, place: int, receiver: NotifyConfig) -> UUID:
    if receiver.webhook.startswith(BLOCK):
        return _existing(client, place, receiver.webhook.removeprefix(BLOCK))
    block = Webhook(
        url=SecretStr(_url(place, receiver.webhook)),
        headers=SecretDict({"Content-Type": "application/json"}),
    )
    saved = block.save(block_name(pipeline, place), overwrite=True)
    assert isinstance(saved, UUID)
    return saved


def _existing(client: SyncPrefectClient, place: int, name: str) -> UUID:
    try:
        return client.read_block_document_by_name(name, _TYPE, include_secrets=False).id
    except ObjectNotFound as error:
        raise ConfigError(
            f"notify.{place}.webhook: Prefect has no Webhook block `{name}`\n"
            "  do: make it in the UI under Blocks, or write env:VARIABLE"
        ) from error


def _url(place: int, webhook: str) -> str:
    if not webhook.startswith(ENV):
        return webhook
    variable = webhook.removeprefix(ENV)
    url = os.environ.get(variable, "")
    problem = "is not set" if not url else None if _is_url(url) else "does not hold a URL of http or https"
    if problem is not None:
        raise ConfigError(
            f"notify.{place}.webhook: the environment variable {variable} {problem}\n"
            f"  do: set {variable} to the receiver's URL where you deploy"
        )
    return url


def _is_url(text: str) -> bool:
    try:
        require_url(text)
    except ValueError:
        return False
    return True
