"""By what Headrace knows its own automations and blocks in Prefect again, and a pipeline its own."""

from __future__ import annotations

from tasks.storage import digest_of

_OURS = "headrace: "
_DIGITS = 8


def automation_name(pipeline: str, what: str) -> str:
    """Return the name of one of a pipeline's automations."""
    return f"{_OURS}{pipeline}: {what}"


def owns(pipeline: str, name: str) -> bool:
    """Say whether an automation of that name is this pipeline's."""
    return name.startswith(automation_name(pipeline, ""))


def block_name(pipeline: str, place: int) -> str:
    """Return the name of the block that holds the URL of a pipeline's receiver, counted from 0.

    Prefect takes small letters, digits and dashes; the digest tells `a-b` from `a_b`.
    """
    return f"{block_prefix(pipeline)}{place + 1}"


def block_prefix(pipeline: str) -> str:
    """Return what the names of all blocks of a pipeline begin with, and no other pipeline's."""
    return f"headrace-{pipeline.replace('_', '-').strip('-')}-{digest_of(pipeline)[:_DIGITS]}-"
