"""What `deploy` says of deployments that are there already, and what it leaves alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound

from pipelines import environment
from pipelines.flow import data_to_deployment
from pipelines.scheduling.deployments import plan
from pipelines.scheduling.planned import Planned, Target
from pipelines.scheduling.registering import register
from pipelines.scheduling.renamed import left_behind
from tasks.errors import ConfigError
from tests.end_to_end.customers import write_project


@pytest.fixture(autouse=True)
def _prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # So that what `prepare` sets is taken back.
    monkeypatch.setattr(os, "environ", os.environ.copy())
    os.environ["HEADRACE_HOME"] = str(tmp_path / "home")
    environment.prepare()


def planned(name: str, path: str = "/srv/a.yaml", *overrides: str) -> Planned:
    return Planned(
        flow=data_to_deployment,
        entrypoint="pipelines.flow.data_to_deployment",
        name=name,
        description="",
        tags=("headrace",),
        parameters={"config_path": path, "overrides": list(overrides), "partition": None},
        schedules=(),
        overlap="skip",
        version="1",
    )


class Server:
    """Keeps deployments as Prefect's server does, a few to an answer."""

    def __init__(self) -> None:
        self.deployments: dict[str, DeploymentResponse] = {}

    def read_deployment_by_name(self, name: str) -> DeploymentResponse:
        if name not in self.deployments:
            raise ObjectNotFound(http_exc=Exception("404"))
        return self.deployments[name]

    def create_flow(self, flow: object) -> object:
        return flow

    def create_deployment(self, *, flow_id: Any, name: str, parameters: dict[str, Any], **_: object) -> object:
        whole = f"{flow_id.name}/{name}"
        made = DeploymentResponse(id=uuid4(), flow_id=uuid4(), name=name, parameters=parameters, labels=None)
        self.deployments[whole] = made
        return made.id

    def read_deployments(self, *, offset: int, **_: object) -> list[DeploymentResponse]:
        return list(self.deployments.values())[offset : offset + 2]


def test_two_configs_of_one_name_do_not_replace_each_other_in_silence() -> None:
    server = Server()
    assert register(server, planned("churn", "/srv/a/churn.yaml"), Target()).notes == ()  # type: ignore[arg-type]
    assert register(server, planned("churn", "/srv/a/churn.yaml"), Target()).notes == ()  # type: ignore[arg-type]
    (note,) = register(server, planned("churn", "/srv/b/churn.yaml"), Target()).notes  # type: ignore[arg-type]
    assert note.startswith("it was registered from /srv/a/churn.yaml, and runs /srv/b/churn.yaml from now on")


def test_the_deployment_of_a_renamed_pipeline_is_named_and_stays() -> None:
    server = Server()
    others = [planned("elsewhere", "/srv/b.yaml"), planned("other-settings", "/srv/a.yaml", "train.seed=1")]
    for each in (*others, planned("old"), planned("new"), planned("beside")):
        register(server, each, Target())  # type: ignore[arg-type]
    (note,) = left_behind(server, planned("new"), {"new", "beside"})  # type: ignore[arg-type]
    assert note.startswith("data-to-deployment/old runs the same file and stays")
    assert note.endswith("prefect deployment delete data-to-deployment/old")
    assert len(server.deployments) == 5


@pytest.mark.parametrize(
    "secret", ["notify=[{webhook: 'https://host/path', on: [failed]}]", "notify.0.webhook=https://host/path"]
)
def test_a_receivers_url_is_no_setting_for_all_to_see(tmp_path: Path, secret: str) -> None:
    write_project(tmp_path, rows=20)
    with pytest.raises(ConfigError, match=r"--set notify.*\n  do: write env:VARIABLE or block:NAME") as caught:
        plan([tmp_path / "customers.yaml"], [secret], Target(folder=tmp_path))
    assert "host" not in str(caught.value)
