"""Deploys pipelines, says when each runs next, and ends: `python -m pipelines.up.deploying CONFIG...`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines import environment
from pipelines.cli.outcome import report_failure
from pipelines.up.group import DEPLOYED, POOL


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.up.deploying")
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE")
    parser.add_argument("configs", nargs="+", type=Path)
    given = parser.parse_args(arguments)
    environment.prepare()
    from pipelines.scheduling.deployments import Target, deploy  # noqa: PLC0415 - Prefect reads its settings when imported

    try:
        made = deploy(given.configs, given.overrides, Target(pool=POOL))
    except ValueError as error:
        return report_failure(error, as_json=False)
    told = [
        {
            "name": each.name,
            "model": each.model,
            "url": each.url,
            "next": each.fire_times[0].isoformat(timespec="minutes") if each.fire_times else None,
        }
        for each in made
    ]
    print(f"{DEPLOYED}{json.dumps(told)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
