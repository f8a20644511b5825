"""The settings under which Prefect, Dask and Great Expectations run inside Headrace.

Call `prepare` before the first import of `prefect`: it reads its settings once. What the user has set wins, but for
telemetry, which is always off.
"""

from __future__ import annotations

import os

from tasks.storage import headrace_home

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


def results_folder() -> os.PathLike[str]:
    """Return the folder where Prefect keeps the references that finished tasks returned."""
    return headrace_home() / "results"
