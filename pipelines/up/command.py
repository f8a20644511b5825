"""`headrace up`, from what is asked to a group that runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from pipelines import environment
from pipelines.cli.console import say
from pipelines.cli.outcome import print_json
from pipelines.up.configured import chosen_server
from pipelines.up.group import ENDPOINT, SERVER, Plan, programs
from pipelines.up.lock import FOLDER, only_group, publish_server
from pipelines.up.ports import Address, settle
from pipelines.up.report import in_lines, summary
from pipelines.up.supervisor import Supervisor
from serving.bundle.places import is_remote
from serving.config import ServeConfig
from serving.config_file import load_config
from tasks.errors import ConfigError
from tasks.storage import headrace_home

_ASK_SECONDS = 10.0
_ANSWER_BYTES = 1000
_NOT_FOUND = 404


@dataclass(frozen=True)
class Asked:
    """The arguments of `headrace up`."""

    configs: tuple[Path, ...]
    overrides: tuple[str, ...]
    host: str | None
    port: int | None
    prefect_host: str
    prefect_port: int
    serve_config: Path | None
    limit: int | None
    no_serve: bool
    no_worker: bool
    as_json: bool


def up(asked: Asked) -> None:
    """Start the group, say when it is ready, and end this process with it.

    Raises:
        ConfigError: An argument is wrong, a port is taken, a group is running in this home, or the Prefect server that
            is set up does not answer. Nothing was started then.
    """
    chosen = chosen_server()
    environment.prepare()
    environment.require_home()
    home = headrace_home()
    os.environ["HEADRACE_HOME"] = str(home)
    folder = environment.results_folder().parent / FOLDER
    with only_group(folder) as lock:
        plan = _plan(asked, folder, chosen)
        made = programs(plan)
        starting = ", ".join(program.name for program in made)
        say(f"starting {starting}; their logs are in {folder}")

        def on_ready(said: Mapping[str, str]) -> None:
            if plan.server is not None:
                publish_server(folder, plan.api)
            found = summary(plan, said)
            for line in in_lines(found):
                say(line)
            if asked.as_json:
                print_json(found)

        code = Supervisor(made, say).run(on_ready, inherited=(lock,))
    say("stopped")
    sys.exit(code)


def _plan(asked: Asked, folder: Path, chosen: tuple[str, str] | None) -> Plan:
    """Settle what is to be started and where.

    Raises:
        ConfigError: It cannot be.
    """
    wanted: dict[str, Address] = {}
    if chosen is None:
        wanted[SERVER] = Address("Prefect's server", asked.prefect_host, asked.prefect_port, "--prefect-port")
    else:
        _require_answer(*chosen)
    serve: tuple[str, ...] = ()
    if not asked.no_serve:
        settings = _serve_settings(asked)
        wanted[ENDPOINT] = Address("the endpoint", settings.host, settings.port, "--port")
        config = () if asked.serve_config is None else ("--config", str(asked.serve_config.absolute()))
        serve = (*config, "--store", str(settings.store))
    addresses = dict(zip(wanted, settle(list(wanted.values())), strict=True))
    server = addresses.get(SERVER)
    if server is not None and not server.local:
        say(
            f"warning: Prefect's server listens on {server.host} and has no login: whoever reaches it can start and "
            "delete runs; let only those reach it that may"
        )
    if server is None and asked.no_serve and asked.no_worker:
        raise ConfigError("nothing to start: Prefect's server is somebody else's\n  do: leave out one of the options")
    return Plan(
        folder=folder,
        api=f"{server.url}/api" if server is not None else (chosen or ("", ""))[0],
        server=server,
        endpoint=addresses.get(ENDPOINT),
        serve=serve,
        worker=not asked.no_worker,
        limit=asked.limit,
        configs=tuple(path.absolute() for path in asked.configs),
        overrides=asked.overrides,
    )


def _serve_settings(asked: Asked) -> ServeConfig:
    given = {"host": ("--host", asked.host), "port": ("--port", asked.port)}
    options = {key: (option, value) for key, (option, value) in given.items() if value is not None}
    store = headrace_home() / "models"
    if not is_remote(store):
        # There is no model before the first run; the endpoint starts all the same, and finds it then.
        store.mkdir(parents=True, exist_ok=True)
    return load_config(ServeConfig, asked.serve_config, options, (), defaults={"store": str(store)})


def _require_answer(api: str, place: str) -> None:
    """See that the Prefect server which the user has set up is there.

    Raises:
        ConfigError: It is not.
    """
    try:
        with urlopen(f"{api.rstrip('/')}/health", timeout=_ASK_SECONDS) as answer:  # noqa: S310 - the user's own server
            fault = None if answer.read(_ANSWER_BYTES).lstrip()[:1] != b"<" else "a page"
    except HTTPError as error:
        # It is there, and may want to know who asks; Prefect Cloud may not even say to a stranger what is there.
        fault = "status 404" if error.code == _NOT_FOUND and ".prefect.cloud/" not in api else None
    except (URLError, OSError, ValueError) as error:
        raise ConfigError(
            f"Prefect's server at {api}, set by {place}, does not answer: {error}\n"
            "  do: start it, or take the setting away, and `headrace up` starts a server of its own"
        ) from error
    if fault is not None:
        raise ConfigError(
            f"{api}, set by {place}, answers with {fault}, not as the API of a Prefect server does\n"
            "  do: name the API, whose address mostly ends in /api, or take the setting away"
        )
