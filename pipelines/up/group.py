"""What `headrace up` starts: Prefect's server, the deploying of configs, a worker, the endpoint."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.artifacts.links import ENDPOINT_URL
from pipelines.up.configured import profiles_file
from pipelines.up.ports import Address
from pipelines.up.program import Program

SERVER, DEPLOY, WORKER, ENDPOINT = "server", "deploy", "worker", "endpoint"
# As `pipelines.scheduling.planned` has it, whose import brings Prefect.
POOL = "headrace"
DEPLOYED = "deployed: "

# What is shown of a program that says much; a traceback, for one, is in its log.
_PREFECTS_WARNINGS = re.compile(r"[0-9:.]+ \| (WARNING|ERROR|CRITICAL)")
_RUNS_AND_WARNINGS = re.compile(rf"run |{_PREFECTS_WARNINGS.pattern}")
# Runs that are due are looked for this often; Prefect's own 10 s is long to look at a page.
_LOOK_SECONDS = "2"
# Limits for a machine that is far too busy; else all has ended in a few seconds.
_SERVER_SECONDS, _WORKER_SECONDS, _ENDPOINT_SECONDS = 15.0, 30.0, 15.0


@dataclass(frozen=True)
class Plan:
    """What is asked for.

    Attributes:
        folder: Takes logs and the lock; the folder `up` of a home on this machine.
        api: The URL of the Prefect server's API.
        server: Where to start that server; None where it is somebody else's.
        endpoint: Where the endpoint listens; None for no endpoint.
        serve: The endpoint's arguments that are not its address.
        worker: Whether there is a worker.
        limit: The most runs at once; None for any number.
        configs: The pipelines to deploy.
        overrides: `key=value` settings applied over them.
    """

    folder: Path
    api: str
    server: Address | None
    endpoint: Address | None
    serve: tuple[str, ...] = ()
    worker: bool = True
    limit: int | None = None
    configs: tuple[Path, ...] = ()
    overrides: tuple[str, ...] = ()


def programs(plan: Plan) -> list[Program]:
    """Return the programs of a plan, each after those that it needs."""
    found = []
    needed: tuple[str, ...] = ()
    if plan.server is not None:
        found.append(_server(plan, plan.server))
        needed = (SERVER,)
    if plan.endpoint is not None:
        found.append(_endpoint(plan, plan.endpoint))
    if plan.configs:
        found.append(_deploy(plan, needed))
        needed = (*needed, DEPLOY)
    if plan.worker:
        found.append(_worker(plan, needed))
    return found


def _server(plan: Plan, address: Address) -> Program:
    """Prefect's server, that calls no other machine and keeps everything in the home unless told otherwise."""
    own = {
        "PREFECT_SERVER_UI_API_URL": f"{_for_browsers(address)}/api",
        # Its second user interface asks an outside host for fonts and news; the first does not.
        "PREFECT_SERVER_UI_V2_ENABLED": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        # The server answers for itself; a URL would make it a client of another.
        "PREFECT_API_URL": "",
    }
    if "PREFECT_HOME" not in os.environ:
        profiles = profiles_file()
        own["PREFECT_HOME"] = str(plan.folder.parent / "prefect")
        own |= {} if profiles is None else {"PREFECT_PROFILES_PATH": str(profiles.absolute())}
    where = ("--host", address.host, "--port", str(address.port))
    return Program(
        name=SERVER,
        command=(sys.executable, "-m", "prefect", "server", "start", *where),
        environment=_environment(own),
        log=plan.folder / "server.log",
        ready_url=f"{address.url}/api/health",
        grace_seconds=_SERVER_SECONDS,
        shown=_PREFECTS_WARNINGS,
    )


def _deploy(plan: Plan, needed: tuple[str, ...]) -> Program:
    overrides = [part for each in plan.overrides for part in ("--set", each)]
    return Program(
        name=DEPLOY,
        command=(sys.executable, "-m", "pipelines.up.deploying", *overrides, *(str(path) for path in plan.configs)),
        environment=_environment({"PREFECT_API_URL": plan.api}),
        log=plan.folder / "deploy.log",
        ready_line=re.compile(f"{DEPLOYED}(.*)"),
        after=needed,
        once=True,
    )


def _worker(plan: Plan, needed: tuple[str, ...]) -> Program:
    limit = () if plan.limit is None else ("--limit", str(plan.limit))
    own = {"PREFECT_API_URL": plan.api}
    runs = plan.folder / "runs"
    if "PREFECT_WORKER_QUERY_SECONDS" not in os.environ:
        own["PREFECT_WORKER_QUERY_SECONDS"] = _LOOK_SECONDS
    if plan.endpoint is not None and ENDPOINT_URL not in os.environ:
        own[ENDPOINT_URL] = _for_browsers(plan.endpoint)
    return Program(
        name=WORKER,
        command=(sys.executable, "-m", "pipelines.up.worker", "--pool", POOL, "--runs", str(runs), *limit),
        environment=_environment(own),
        log=plan.folder / "worker.log",
        ready_line=re.compile("Worker .* started"),
        after=needed,
        grace_seconds=_WORKER_SECONDS,
        shown=_RUNS_AND_WARNINGS,
    )


def _endpoint(plan: Plan, address: Address) -> Program:
    where = ("--host", address.host, "--port", str(address.port))
    return Program(
        name=ENDPOINT,
        command=(sys.executable, "-m", "serving", *plan.serve, *where),
        environment=_environment({}),
        log=plan.folder / "endpoint.log",
        ready_line=re.compile(r"headrace serving: (\S+)"),
        grace_seconds=_ENDPOINT_SECONDS,
    )


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    # A log file and lines with a prefix are no terminal: no colours, and no breaks at 80 characters.
    plain = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200", "PYTHONUNBUFFERED": "1"}
    # What goes wrong in Prefect's programs is said in their logs.
    warned = {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING"}
    return {name: value for name, value in {**os.environ, **plain, **warned, **own}.items() if value}


def _for_browsers(address: Address) -> str:
    """Return the address that a browser is to ask, on this machine or, where the server listens for all, elsewhere."""
    if address.host in {"0.0.0.0", "::"}:  # noqa: S104 - not listened on
        return f"http://{socket.getfqdn()}:{address.port}"
    return address.url
