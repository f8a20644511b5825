"""The settings under which Prefect, Dask, Great Expectations and OpenMP run inside Headrace.

Call `prepare` before the first import of `prefect` or `torch`: they read their settings once. What the user has set
wins, but for telemetry, which is always off.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from pipelines.up.configured import chosen_server
from pipelines.up.lock import FOLDER, running_server
from tasks.errors import DISK_FULL, ConfigError
from tasks.storage import digest_of, headrace_home, is_remote, nearest_existing, place

RESULTS = "results"
_CACHE = ".cache/headrace"

_CONSOLE_LEVEL = "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"
_RESULTS_PATH = "PREFECT_RESULTS_LOCAL_STORAGE_PATH"

_NO_TELEMETRY = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
}

_DEFAULTS = {
    # Threads of torch and LightGBM sleep while they wait for each other. By default they turn on the spot, which, where
    # other processes want the same cores, took five times the CPU time for the same trees (benchmarks/training).
    "OMP_WAIT_POLICY": "PASSIVE",
    # A first start migrates the database: slower, on a busy machine, than Prefect's own limit of 20 s.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    # Results are read back by later runs: JSON can be read without running code, the default (pickle) cannot.
    "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
    # What is silent for long is called crashed (`pipelines.automation.crashed`); Prefect's own three minutes are long.
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    # Task functions log through `logging`; this carries their records into the run's page.
    "PREFECT_LOGGING_EXTRA_LOGGERS": "tasks,pipelines,data_contracts",
    # The command line prints its own line for each piece, and its own errors.
    _CONSOLE_LEVEL: "CRITICAL",
}


def prepare() -> None:
    """Set the environment for this process and its children."""
    os.environ.update(_NO_TELEMETRY)
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault(_RESULTS_PATH, str(results_folder()))
    # Where nobody has set up a server, that of the group which `headrace up` runs in this home is meant.
    if (server := running_server(results_folder().parent / FOLDER)) is not None and chosen_server() is None:
        os.environ["PREFECT_API_URL"] = server


def of_jobs(folder: Path) -> dict[str, str]:
    """Return what a job's environment needs, wherever a worker runs it; `prepare` has been called.

    A worker prints what its jobs say, so they say it.

    Args:
        folder: The jobs' working directory, absolute, on the machine of their worker. A home that is not named
            absolutely is below it.
    """
    said = {name: os.environ[name] for name in (*_NO_TELEMETRY, *_DEFAULTS) if name != _CONSOLE_LEVEL}
    home = place(os.environ.get("HEADRACE_HOME", ".headrace"))
    if is_remote(home):
        # The worker's user has another cache folder.
        usual = f"~/{_CACHE}/{_mark_of(home)}/{RESULTS}"
    else:
        home = folder / home
        usual = str(home / RESULTS)
    chosen = Path(os.environ[_RESULTS_PATH]).expanduser().absolute()
    results = usual if chosen == _usual_results() else str(chosen)
    return {**said, "HEADRACE_HOME": str(home), _RESULTS_PATH: results}


def require_home() -> None:
    """Make Headrace's home and see that it can be written to, before Prefect finds out in its own words.

    Raises:
        ConfigError: It cannot. An object store answers for itself later, and so does a full disk.
    """
    home = headrace_home()
    if is_remote(home):
        return
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        if error.errno in DISK_FULL:
            return
        raise ConfigError(
            f"{home}: Headrace keeps everything it makes there and cannot write to it: {error.strerror}\n"
            "  do: set HEADRACE_HOME to a folder that you may write to"
        ) from error


def require_prefect_home() -> None:
    """See that Prefect can keep its database, before it is imported and warns in its own words.

    Raises:
        ConfigError: It cannot, and no server elsewhere is configured that would keep one.
    """
    home = Path(os.environ.get("PREFECT_HOME", "~/.prefect")).expanduser().absolute()
    there = nearest_existing(home)
    if chosen_server() is None and not os.access(there, os.W_OK | os.X_OK):
        raise ConfigError(
            f"{home}: Prefect keeps its database there, and {there} cannot be written to\n"
            "  do: set PREFECT_HOME to a folder that you may write to"
        )


def results_folder() -> Path:
    """Return the folder where Prefect keeps the references that finished tasks returned.

    Prefect needs a folder of this machine. For a home in an object store it is what Prefect was told, or one below the
    user's cache folder, and `pipelines.caching` carries results to the store and back.
    """
    told = os.environ.get(_RESULTS_PATH)
    return Path(told).expanduser() if told and is_remote(headrace_home()) else _usual_results()


def _usual_results() -> Path:
    home = headrace_home()
    if not is_remote(home):
        return home / RESULTS
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "headrace" / _mark_of(home) / RESULTS


def _mark_of(home: Path) -> str:
    return digest_of(str(home))[:16]
