"""Ports, and the servers that are set up: Prefect's and Dask's."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import Request, urlopen

import psutil  # type: ignore[import-untyped]

from pipelines.doctor.finding import Finding, note, problem
from pipelines.environment import results_folder
from pipelines.up.configured import chosen_server
from pipelines.up.lock import FOLDER, running_server
from pipelines.up.ports import Address
from serving.transports.sockets import bound
from tasks.errors import ConfigError

_SECONDS = 2.0
_WEB = frozenset({"http", "https"})
_TELEMETRY = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", "GX_ANALYTICS_ENABLED": "false"}


def port_finding(address: Address) -> Finding:
    """Return whether a program of Headrace could listen where it does by default, and else who does."""
    what = f"port {address.port}"
    try:
        bound(address.host, address.port).close()
    except OSError as error:
        return note(
            what,
            f"{error.strerror or error}{_listener(address.port)}",
            f"name another for {address.what} with {address.option}, or stop what listens there",
        )
    return Finding(what, f"free for {address.what}")


def _listener(port: int) -> str:
    try:
        found = {each.pid for each in psutil.net_connections("tcp") if each.laddr and each.laddr.port == port
                 and each.status == psutil.CONN_LISTEN and each.pid}  # fmt: skip
        named = [f"process {pid} ({psutil.Process(pid).name()})" for pid in sorted(found)]
    except psutil.Error:
        return ""
    return f" by {', '.join(named)}" if named else " by a process of somebody else"


def prefect_finding(installed: Mapping[str, str]) -> Finding:
    """Return whether the Prefect server that is set up answers, and is of the installed version.

    Args:
        installed: Versions of libraries by canonical name.
    """
    try:
        chosen = chosen_server() or _of_group()
    except ConfigError as error:
        said, _, remedy = str(error).partition("\n  do: ")
        return problem("prefect", said, remedy)
    if chosen is None:
        return Finding("prefect", "no server set up; each run brings its own. `headrace up` starts one for schedules")
    return _server_finding(*chosen, installed.get("prefect"))


def _of_group() -> tuple[str, str] | None:
    server = running_server(results_folder().parent / FOLDER)
    return None if server is None else (server, "the group of `headrace up`")


def _server_finding(url: str, place: str, mine: str | None) -> Finding:
    shown = f"{_without_login(url)} ({place})"
    remedy = f"start it (`headrace up`, or `prefect server start`), or mend the address in {place}"
    if urlsplit(url).scheme not in _WEB:
        return problem("prefect", f"{shown}: expected an address such as http://127.0.0.1:4200/api", remedy)
    try:
        version = str(_asked(f"{url.rstrip('/')}/admin/version"))
    except HTTPError as error:
        if error.code in {401, 403}:
            return note("prefect", f"{shown} answers and asks for a login", "see PREFECT_API_AUTH_STRING")
        return problem("prefect", f"{shown} answers {error.code} {error.reason}", remedy)
    except (URLError, OSError, ValueError) as error:
        return problem("prefect", f"{shown} does not answer: {getattr(error, 'reason', error)}", remedy)
    return _same_version(shown, version, mine)


def _same_version(server: str, version: str, mine: str | None) -> Finding:
    if mine is None or version.split(".")[:2] == mine.split(".")[:2]:
        return Finding("prefect", f"{server} answers, version {version}")
    return note(
        "prefect",
        f"{server} answers, version {version}; installed here is {mine}",
        "use the same minor version on both sides",
    )


def _asked(url: str) -> object:
    headers = {"Accept": "application/json"}
    if key := os.environ.get("PREFECT_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    with urlopen(Request(url, headers=headers), timeout=_SECONDS) as answer:  # noqa: S310 - http and https only
        found: object = json.loads(answer.read(10_000))
    return found


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def dask_finding(address: str) -> Finding:
    """Return whether something answers where a config says that Dask's scheduler is.

    Args:
        address: Such as `tcp://10.0.0.1:8786`.
    """
    remedy = "start it (`dask scheduler`), mend dask.scheduler_address, or leave the key out to run on this machine"
    try:
        parts = urlsplit(address if "://" in address else f"tcp://{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port:
        return problem("dask", f"{address}: expected an address such as tcp://10.0.0.1:8786", remedy)
    try:
        socket.create_connection((host, port), timeout=_SECONDS).close()
    except OSError as error:
        return problem("dask", f"{address} does not answer: {error.strerror or error}", remedy)
    return Finding("dask", f"{address} takes connections")


def telemetry_findings() -> Iterator[Finding]:
    """Yield whether the libraries' telemetry is off; `pipelines.environment.prepare` has been called."""
    on = [name for name, value in _TELEMETRY.items() if os.environ.get(name) != value]
    if on:
        yield problem("telemetry", f"{', '.join(on)} not set", "start programs by `headrace`, which sets them")
    else:
        yield Finding("telemetry", "off in every run, for Prefect and Great Expectations")
