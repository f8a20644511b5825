"""Questions to a Prefect server over its HTTP API, as the tests of automations ask them."""

from __future__ import annotations

import time
from typing import Any

import httpx

from tests.end_to_end.receiver import wait_for

_TRIES = 30
_ENDS = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
Found = dict[str, Any]


class _AskingAgain(httpx.HTTPTransport):
    """Asks again where the server's database is busy, as Prefect's own client does."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(_TRIES):
            answer = super().handle_request(request)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(1)
        return answer


def client_of(api: str) -> httpx.Client:
    """Return a client of a Prefect server that is patient with it."""
    return httpx.Client(base_url=api, timeout=60, transport=_AskingAgain())


class Server:
    """A running Prefect server."""

    def __init__(self, api: str) -> None:
        self._client = client_of(api)

    def ask(self, path: str, body: Any = None) -> Any:
        """Post something and return the answer's JSON."""
        answer = self._client.post(path, json=body or {})
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def deployment(self, name: str) -> Found:
        found: Found = self._client.get(f"/deployments/name/{name}").raise_for_status().json()
        return found

    def start(self, deployment: str) -> str:
        """Start a deployment and return the run's id."""
        return str(self.ask(f"/deployments/{deployment}/create_flow_run")["id"])

    def put(self, run: str, kind: str, name: str, message: str) -> None:
        """Set a run's state."""
        state = {"type": kind, "name": name, "message": message}
        self.ask(f"/flow_runs/{run}/set_state", {"state": state, "force": True})

    def run(self, run: str) -> Found:
        found: Found = self._client.get(f"/flow_runs/{run}").raise_for_status().json()
        return found

    def ended(self, run: str, seconds: float = 300) -> Found:
        """Wait until a run has ended and return it."""
        wait_for(lambda: self.run(run)["state_type"] in _ENDS, f"the end of run {run}", seconds)
        return self.run(run)

    def runs_of(self, deployment: str) -> list[Found]:
        found: list[Found] = self.ask("/flow_runs/filter", {"deployments": {"id": {"any_": [deployment]}}})
        return found

    def automations(self) -> list[Found]:
        found: list[Found] = self.ask("/automations/filter", {"limit": 200})
        return found

    def events(self, name: str) -> list[Found]:
        found: list[Found] = self.ask("/events/filter", {"filter": {"event": {"name": [name]}}})["events"]
        return found

    def log(self, run: str) -> str:
        found = self.ask("/logs/filter", {"logs": {"flow_run_id": {"any_": [run]}}})
        return "\n".join(line["message"] for line in found)

    def artifacts(self, run: str) -> dict[str, Found]:
        found = self.ask("/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run]}}})
        return {each["key"]: each for each in found}
