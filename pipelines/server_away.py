"""What a run does while the Prefect server is away: it goes on; only what would be shown there is not.

Prefect's own client repeats a call for a minute. Work needs no server between its pieces, so a server that stays away
for longer costs a run that minute once, and then what it shows in the UI; its end, which Prefect must be told, names
the server.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import httpx
from prefect import artifacts
from prefect.client.orchestration import get_client
from prefect.settings import get_current_settings

from pipelines.prefect_answer import fault_of, without_password

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_logger = logging.getLogger(__name__)
# The addresses of servers that were given up in this process.
_given_up: set[str] = set()


class ServerAwayError(ValueError):
    """The Prefect server that is to follow the run does not answer."""


def if_there(call: Callable[Arguments, Result]) -> Callable[Arguments, Result | None]:
    """Wrap a call that only shows something in the UI; without a server it does nothing and returns None."""

    @functools.wraps(call)
    def unless_away(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result | None:
        server = _address()
        if server in _given_up:
            return None
        try:
            return call(*arguments, **named)
        except httpx.HTTPError as error:
            _given_up.add(server)
            _logger.warning("the Prefect server does not answer (%s); the run goes on, and is not shown there", error)
            return None

    return unless_away


def is_away() -> bool:
    """Say whether this process has given a server up."""
    return bool(_given_up)


create_link_artifact = if_there(artifacts.create_link_artifact)
create_markdown_artifact = if_there(artifacts.create_markdown_artifact)
create_progress_artifact = if_there(artifacts.create_progress_artifact)
create_table_artifact = if_there(artifacts.create_table_artifact)
update_progress_artifact = if_there(artifacts.update_progress_artifact)


@contextmanager
def naming_server() -> Iterator[None]:
    """Say which server is away where the block cannot begin or end without it.

    Raises:
        ServerAwayError: The configured server does not answer, at the start or for a minute at the end.
    """
    if _address():
        _require_answer()
    try:
        yield
    except httpx.TransportError as error:
        _given_up.add(_address())
        place = without_password(_address()) or "this machine"
        raise ServerAwayError(
            f"the Prefect server at {place} went away and did not come back ({error}); what the run has finished is "
            "kept\n"
            "  do: start the server again and run the same command: it goes on from the last finished piece"
        ) from error


def _require_answer() -> None:
    with get_client(sync_client=True) as client:
        fault = fault_of(client, _address())
    if fault is not None:
        raise ServerAwayError(f"PREFECT_API_URL: {fault}")


def _address() -> str:
    return get_current_settings().api.url or ""
