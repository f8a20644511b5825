"""The settings under which Prefect, Dask and Great Expectations run inside Headrace.

Call `prepare` before the first import of `prefect`: it reads its settings once. What the user has set wins, but for
telemetry, which is always off.
"""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from tasks.errors import ConfigError
from tasks.storage import digest_of, headrace_home, is_remote

RESULTS = "results"

_NO_TELEMETRY = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
}

_DEFAULTS = {
    # A first start migrates the database: slower, on a busy machine, than Prefect's own limit of 20 s.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    # Results are read back by later runs: JSON can be read without running code, the default (pickle) cannot.
    "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
    # Task functions log through `logging`; this carries their records into the run's page.
    "PREFECT_LOGGING_EXTRA_LOGGERS": "tasks,pipelines,data_contracts",
    # The command line prints its own line for each piece, and its own errors.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
}


def prepare() -> None:
    """Set the environment for this process and its children."""
    os.environ.update(_NO_TELEMETRY)
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("PREFECT_RESULTS_LOCAL_STORAGE_PATH", str(results_folder()))


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
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return
        raise ConfigError(
            f"{home}: Headrace keeps everything it makes there and cannot write to it: {error.strerror}\n"
            "  do: set HEADRACE_HOME to a folder that you may write to"
        ) from error


def results_folder() -> Path:
    """Return the folder where Prefect keeps the references that finished tasks returned.

    Prefect needs a folder of this machine. For a home in an object store it is one below the user's cache folder, and
    `pipelines.caching` carries results to the store and back.
    """
    home = headrace_home()
    if not is_remote(home):
        return home / RESULTS
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "headrace" / digest_of(str(home))[:16] / RESULTS
