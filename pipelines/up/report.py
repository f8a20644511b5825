"""What `headrace up` says once all are ready."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.up.group import DEPLOY, ENDPOINT, Plan


def summary(plan: Plan, said: Mapping[str, str]) -> dict[str, Any]:
    """Return what stands where, as one JSON object.

    Args:
        plan: What was started.
        said: By the program's name, what it said when it was ready.
    """
    endpoint = said.get(ENDPOINT)
    return {
        "status": "ready",
        "pid": os.getpid(),
        "prefect": {
            "ui": plan.api.removesuffix("/").removesuffix("/api"),
            "api": plan.api,
            "own": plan.server is not None,
        },
        "endpoint": None if endpoint is None else {"url": endpoint, "page": f"{endpoint}/"},
        "worker": plan.worker,
        "deployments": json.loads(said[DEPLOY]) if DEPLOY in said else [],
        "logs": str(plan.folder),
    }


def in_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Return a summary as lines for people."""
    prefect, endpoint = found["prefect"], found["endpoint"]
    yield f"prefect    {prefect['ui']}{'' if prefect['own'] else '   (was there already)'}"
    if endpoint is not None:
        yield f"endpoint   {endpoint['url']}"
        yield f"page       {endpoint['page']}"
    for each in found["deployments"]:
        yield f"deployed   {each['name']}   {_when(each)}"
    yield f"logs       {found['logs']}"
    yield f"stop       Ctrl-C, or kill {found['pid']}"


def _when(deployment: Mapping[str, Any]) -> str:
    if deployment["next"] is not None:
        return f"next run {deployment['next']}"
    return f"no run is planned; start one at {deployment['url']}"
