"""The Prefect server that is configured, and what is said where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import get_current_settings

from pipelines.prefect_answer import fault_of, without_password
from tasks.errors import ConfigError


class PrefectServerError(ValueError):
    """The Prefect server does not answer, or refuses what it is asked for."""


def api_url() -> str:
    """Return the address of the configured server's API.

    Raises:
        ConfigError: None is configured: a server that lives as long as one command runs no schedule.
    """
    url = get_current_settings().api.url
    if url is None:
        raise ConfigError(
            "PREFECT_API_URL: expected the address of a Prefect server, and none is set\n"
            "  do: start everything on this machine with `headrace up`, or set PREFECT_API_URL to your server's, "
            "such as http://127.0.0.1:4200/api"
        )
    return url


@contextmanager
def connected() -> Iterator[SyncPrefectClient]:
    """Connect to the configured server for the time of the block.

    Raises:
        ConfigError: None is configured.
        PrefectServerError: It does not answer, or refuses something.
    """
    url = api_url()
    place = without_password(url)
    try:
        with get_client(sync_client=True) as client:
            if (fault := fault_of(client, url)) is not None:
                raise PrefectServerError(f"PREFECT_API_URL: {fault}")
            yield client
    except httpx.HTTPStatusError as error:
        raise PrefectServerError(
            f"the Prefect server at {place} answered {error.response.status_code}: {error.response.text[:500]}\n"
            "  do: see what it refuses; a server of another version may not know it"
        ) from error
    except httpx.TransportError as error:
        raise PrefectServerError(
            f"the Prefect server at {place} does not answer: {str(error) or type(error).__name__}\n"
            "  do: start it (`headrace up`, or `prefect server start`), or set PREFECT_API_URL to where it is"
        ) from error
