"""All that `headrace doctor` looks at, in the order in which it is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from data_contracts.yaml_lines import YamlFileError, read_yaml
from pipelines import environment
from pipelines.doctor.finding import Finding
from pipelines.doctor.home import home_findings
from pipelines.doctor.machine import cores_finding, gpu_finding, memory_finding, system_findings
from pipelines.doctor.network import dask_finding, port_finding, prefect_finding, telemetry_findings
from pipelines.doctor.versions import installed_versions, library_findings, python_finding
from pipelines.up.ports import Address
from tasks.errors import ConfigError
from tasks.storage import headrace_home

PORTS = (
    Address("the endpoint", "127.0.0.1", 8080, "--port"),
    Address("Prefect's server", "127.0.0.1", 4200, "--prefect-port of `headrace up`"),
)


def look(config: Path | None = None, ports: Sequence[Address] = PORTS) -> Iterator[Finding]:
    """Yield what was found of this machine.

    Args:
        config: A pipeline's config, for the cluster that it names.
        ports: Where Headrace's programs listen by default.

    Raises:
        ConfigError: The config cannot be read.
    """
    scheduler = None if config is None else scheduler_of(config)
    installed = installed_versions()
    yield python_finding()
    yield from library_findings(installed)
    yield cores_finding()
    yield memory_finding()
    yield from home_findings(headrace_home())
    yield gpu_finding(installed)
    yield from (port_finding(each) for each in ports)
    yield prefect_finding(installed)
    if scheduler is not None:
        yield dask_finding(scheduler)
    # It sets what every command that starts a run sets.
    environment.prepare()
    yield from telemetry_findings()
    yield from system_findings()


def scheduler_of(config: Path) -> str | None:
    """Return the Dask scheduler that a config names, without reading the rest of it.

    Raises:
        ConfigError: The file cannot be read.
    """
    try:
        section = read_yaml(config).value.get("dask")
    except YamlFileError as error:
        raise ConfigError(f"{error}\n  do: give the path of a pipeline's YAML file") from error
    address = section.get("scheduler_address") if isinstance(section, dict) else None
    return None if address is None else str(address)
