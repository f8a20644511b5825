"""The work pool that a worker takes runs from."""

from __future__ import annotations

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.workers.process import ProcessWorker

from tasks.errors import ConfigError

_TYPE = "process"


def make_pool(client: SyncPrefectClient, name: str) -> bool:
    """Make the work pool, if there is none of that name.

    Returns:
        Whether it was made.

    Raises:
        ConfigError: One of that name is there and starts no processes.
    """
    pool = WorkPoolCreate(
        name=name,
        type=_TYPE,
        description="Runs Headrace's pipelines as processes on the machine of its worker.",
        base_job_template=ProcessWorker.get_default_base_job_template(),
    )
    try:
        found = client.read_work_pool(name)
    except ObjectNotFound:
        try:
            client.create_work_pool(pool)
        except ObjectAlreadyExists:
            return False  # somebody else was faster
        return True
    if found.type != _TYPE:
        raise ConfigError(
            f"--pool {name}: expected a work pool of type `{_TYPE}`, got one of type `{found.type}`\n"
            "  do: name another pool; to run in containers, deploy with prefect.yaml and job variables of your own"
        )
    return False
