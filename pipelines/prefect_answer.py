"""What is wrong with the server that `PREFECT_API_URL` names: away, of another kind, or one that lets nobody in."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import httpx
from prefect.client.base import ServerType
from prefect.client.orchestration import SyncPrefectClient

_NOT_LET_IN = frozenset({401, 403})
_SERVERS_OWN = 500


def fault_of(client: SyncPrefectClient, url: str) -> str | None:
    """Ask a Prefect server how it is; return what is wrong and what to do, or None if nothing is.

    Args:
        client: Of the server.
        url: Where it is, as the user has set it.
    """
    place = without_password(url)
    try:
        answer = client.request("GET", "/health")
    except httpx.HTTPStatusError as error:
        return _refusal(error.response.status_code, place)
    except httpx.HTTPError as error:
        return (
            f"no Prefect server answers at {place} ({str(error) or type(error).__name__})\n"
            "  do: start it (`prefect server start`), mend the address, or unset PREFECT_API_URL to run without one"
        )
    try:
        healthy = json.loads(answer.content)
    except ValueError:
        return _something_else(place, f"with {answer.headers.get('content-type', 'no type')}")
    # Prefect Cloud may answer with more than a server of one's own does.
    if healthy is True or client.server_type == ServerType.CLOUD:
        return None
    return _something_else(place, "with other JSON")


def without_password(url: str) -> str:
    """Return an address as messages may show it."""
    parts = urlsplit(url)
    return url if parts.password is None else url.replace(f":{parts.password}@", ":***@", 1)


def _refusal(status: int, place: str) -> str:
    if status in _NOT_LET_IN:
        return (
            f"the Prefect server at {place} does not let this user in (status {status})\n"
            "  do: set PREFECT_API_KEY for Prefect Cloud, or PREFECT_API_AUTH_STRING for a server with a login"
        )
    if status >= _SERVERS_OWN:
        return f"the Prefect server at {place} answers with status {status}\n  do: look at that server's own log"
    return _something_else(place, f"with status {status}")


def _something_else(place: str, how: str) -> str:
    end = "" if urlsplit(place).path.rstrip("/").endswith("/api") else f", such as {place.rstrip('/')}/api"
    return (
        f"{place} answers {how}, not as the API of a Prefect server does\n"
        f"  do: set PREFECT_API_URL to where that server's API is, not its pages{end}"
    )
