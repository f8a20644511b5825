"""Automations stay one of a name, also where two deploy at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from prefect.events.schemas.automations import Automation, AutomationCore
from prefect.exceptions import ObjectNotFound

from pipelines.automation.crashed import NAME, keep_crashed_automation
from pipelines.automation.retraining import retraining_automation
from pipelines.automation.sync import _replace

WANTED = [retraining_automation("customers", "churn", uuid4())]


class Server:
    """Keeps automations; lets somebody else do something just before one is made, or removed."""

    def __init__(self, meanwhile: Callable[[Server], None] | None = None) -> None:
        self.there: dict[UUID, Automation] = {}
        self.meanwhile = meanwhile

    def _let_others(self) -> None:
        others, self.meanwhile = self.meanwhile, None
        if others is not None:
            others(self)

    def create_automation(self, wanted: AutomationCore) -> UUID:
        self._let_others()
        made = Automation(**wanted.model_dump(), id=uuid4())
        self.there[made.id] = made
        return made.id

    def read_automations(self, *, limit: int, offset: int) -> list[Automation]:
        return list(self.there.values())[offset : offset + limit]

    def read_automations_by_name(self, name: str) -> list[Automation]:
        return [each for each in self.there.values() if each.name == name]

    def update_automation(self, known: UUID, wanted: AutomationCore) -> None:
        self.there[known] = Automation(**wanted.model_dump(), id=known)

    def delete_automation(self, known: UUID) -> None:
        if known not in self.there:
            raise ObjectNotFound(http_exc=Exception("404"))
        del self.there[known]


def replace(server: Server) -> None:
    _replace(server, "customers", WANTED)  # type: ignore[arg-type]


def keep(server: Server) -> None:
    keep_crashed_automation(server)  # type: ignore[arg-type]


@pytest.mark.parametrize(("deploy", "name"), [(replace, WANTED[0].name), (keep, NAME)])
def test_two_that_deploy_at_once_leave_one_automation(deploy: Callable[[Server], None], name: str) -> None:
    server = Server(meanwhile=deploy)
    deploy(server)
    assert [each.name for each in server.there.values()] == [name]
    (known,) = server.there
    deploy(server)
    assert list(server.there) == [known]


def test_only_a_pipelines_own_automations_go(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    names = ("headrace: customers: notify 1", "headrace: customers-2: notify 1", "headrace: crashed runs", "mine")
    for name in names:
        server.create_automation(WANTED[0].model_copy(update={"name": name}))
    replace(server)
    assert sorted(each.name for each in server.there.values()) == sorted([WANTED[0].name, *names[1:]])


def test_an_automation_that_somebody_removes_meanwhile_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    server.create_automation(WANTED[0].model_copy(update={"name": "headrace: customers: notify 1"}))
    delete = server.delete_automation

    def twice(known: UUID) -> None:
        delete(known)
        delete(known)

    monkeypatch.setattr(server, "delete_automation", twice)
    replace(server)
    assert [each.name for each in server.there.values()] == [WANTED[0].name]
