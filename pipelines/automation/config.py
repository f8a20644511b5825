"""The section `notify` of a pipeline's config: who is told of what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer

from pipelines.watch.config import WatchConfig
from tasks.errors import ConfigError

Outcome = Literal["promoted", "refused", "contract_broken", "leak", "failed", "crashed", "cancelled", "drift"]

ENV, BLOCK = "env:", "block:"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BLOCK_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FORMS = "expected https://HOST/PATH, env:VARIABLE, or block:NAME of a Webhook block in Prefect"


def _webhook(text: str) -> str:
    if text.startswith(ENV):
        if not _VARIABLE.fullmatch(text.removeprefix(ENV)):
            raise ValueError(f"{_FORMS}; got {text!r}, which names no variable")
    elif text.startswith(BLOCK):
        if not _BLOCK_NAME.fullmatch(text.removeprefix(BLOCK)):
            raise ValueError(f"{_FORMS}; got {text!r}: a block's name has small letters, digits and single dashes")
    else:
        require_url(text)
    return text


def _without_path(webhook: str) -> str:
    """Return a receiver as a run's folder may tell it: whoever knows the path of its URL can post there."""
    parts = urlsplit(webhook)
    return f"{parts.scheme}://{parts.netloc}/..." if parts.scheme in {"http", "https"} else webhook


def require_url(text: str) -> None:
    """Check that a text is the URL of a receiver; a message never holds more of it than its beginning.

    Raises:
        ValueError: It is not.
    """
    try:
        parts = urlsplit(text)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        sound = False
    if not sound or not text.isprintable() or " " in text:
        raise ValueError(f"{_FORMS}; got {text[:12]!r}{'...' if len(text) > 12 else ''}")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a password stands in the URL; put the URL into a variable and write env:VARIABLE")


def _some(outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    if not outcomes:
        raise ValueError(f"expected at least one of {', '.join(get_args(Outcome))}, got none")
    return outcomes


class NotifyConfig(BaseModel):
    """One receiver.

    Attributes:
        webhook: Where the message is posted to: a URL; `env:VARIABLE`, read when the pipeline is deployed; or
            `block:NAME`, a Webhook block that somebody made in Prefect.
        on: What it is told of: how runs of the pipeline end, and drift.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    webhook: Annotated[str, AfterValidator(_webhook), PlainSerializer(_without_path, when_used="json")]
    on: Annotated[tuple[Outcome, ...], AfterValidator(_some)]


def require_notices(notify: Sequence[NotifyConfig], watch: WatchConfig | None) -> None:
    """Refuse to wait for what cannot happen.

    Raises:
        ConfigError: A receiver wants to be told of drift, and nothing is watched.
    """
    for place, receiver in enumerate(notify):
        if "drift" in receiver.on and watch is None:
            raise ConfigError(
                f"notify.{place}.on: `drift` never happens, since there is no section `watch`\n"
                "  do: add the section `watch`, or leave `drift` out"
            )
