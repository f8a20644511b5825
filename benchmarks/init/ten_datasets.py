"""Ten raw files, each through `headrace init`, `check`, `run` and `serve` with no edit: seconds, and how it ended.

python -m benchmarks.init.ten_datasets --folder data/ten

Every command is a process of its own, every dataset has a Prefect and a Headrace home of its own, which start empty.
What `run` refuses is not served. Where `.venv-contracts` is there (`make contracts`), `datacontract lint` judges the
contracts. ISLP, which ships three of the ten, is laid beside the files without what it needs to be imported.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from benchmarks.init.datasets import DATASETS, Known, write_raw

ROOT = Path(__file__).parents[2]
LINT = ROOT / ".venv-contracts" / "bin" / "datacontract"
COMMANDS = ("init", "check", "run", "serve")
_WORDS = 80


@dataclass
class Way:
    """How one dataset went: seconds on the clock and CPU seconds of each command, and the end."""

    known: Known
    rows: int = 0
    took: dict[str, tuple[float, float]] = field(default_factory=dict)
    verdict: str = ""
    lint: str = "-"

    @property
    def seconds(self) -> float:
        """All commands together, on the clock."""
        return sum(wall for wall, _ in self.took.values())

    def line(self) -> str:
        """A row of the table."""
        cells = [f"{wall:.1f} ({cpu:.1f})" for wall, cpu in (self.took.get(each, (0.0, 0.0)) for each in COMMANDS)]
        shown = [self.known.name, f"{self.rows:,}", self.known.problem, *cells, f"{self.seconds:.1f}"]
        return "| " + " | ".join([*shown, self.lint, self.verdict]) + " |"


@contextmanager
def measured(way: Way, command: str) -> Iterator[None]:
    """Note the seconds that a command and its child processes take, once it is over."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    yield
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    way.took[command] = wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def go(known: Known, folder: Path, packages: Path) -> Way:
    folder.mkdir(parents=True)
    raw = write_raw(known, folder, packages)
    way = Way(known)
    config = f"pipelines/configs/{known.name}.yaml"
    commands: tuple[tuple[str, ...], ...] = (
        ("init", raw.name, "--target", known.target, "--json"),
        ("check", config),
        ("run", config, "--json"),
    )
    for command in commands:
        with measured(way, command[0]):
            done = subprocess.run(
                called(*command), cwd=folder, env=environment(folder), capture_output=True, text=True, check=False
            )
        if command[0] == "init" and not done.returncode:
            found = json.loads(done.stdout.splitlines()[-1])
            assert found["problem"].startswith(known.problem), f"{known.name}: {found['problem']}"
            way.rows = found["rows"]
            way.lint = linted(folder / "data_contracts" / f"{known.name}.odcs.yaml")
        if done.returncode:
            way.verdict = f"{command[0]} ended with {done.returncode}: {reason(done.stderr)}"
            return way
    with measured(way, "serve"):
        way.verdict = served(folder, json.loads(done.stdout.splitlines()[-1])["model"])
    return way


def called(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pipelines", *arguments]


def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "HEADRACE_"))}
    homes = {"HEADRACE_HOME": str(folder / "home"), "PREFECT_HOME": str(folder / "prefect")}
    return {**kept, **homes, "PYTHONPATH": str(ROOT), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}


def reason(said: str) -> str:
    """Return the line that says what refused, cut to what a table holds."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    line = next((each for each in lines if "floor" in each or each.startswith("error")), lines[-1] if lines else "")
    return line if len(line) <= _WORDS else f"{line[:_WORDS]}..."


def served(folder: Path, model: str) -> str:
    """Start the endpoint, ask it for one prediction, end it."""
    server = subprocess.Popen(
        called("serve", "--port", "0"), cwd=folder, env=environment(folder), stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        found = re.search(r"http://(\S+)", server.stdout.readline())
        assert found is not None, "the endpoint did not start"
        address = f"http://{found.group(1)}/v1/models/{model}"
        card: dict[str, Any] = httpx.get(address).json()
        answer = httpx.post(f"{address}:predict", json={"records": [card["example"]]})
        answer.raise_for_status()
        assert len(answer.json()["predictions"]) == 1
        return "promoted; answers"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def linted(contract: Path) -> str:
    if not LINT.exists() or not contract.exists():
        return "-"
    done = subprocess.run([LINT, "lint", contract], capture_output=True, text=True, check=False)
    return "passes" if done.returncode == 0 else f"fails: {done.stdout.strip().splitlines()[-1][:_WORDS]}"


def lay_packages(folder: Path) -> Path:
    """Lay ISLP's files beside the datasets; they are data, and nothing of it is imported."""
    if not (folder / "ISLP").exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), "ISLP"]
        subprocess.run(command, check=True)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=Path("data/ten"))
    parser.add_argument("--only", nargs="*", default=(), metavar="NAME")
    said = parser.parse_args()
    packages = lay_packages(said.folder.absolute() / "packages")
    print(f"load at the beginning: {os.getloadavg()[0]:.1f}")
    print(f"| dataset | rows | problem | {' | '.join(COMMANDS)} | sum | lint | how it ended |")
    print("|---" * (len(COMMANDS) + 6) + "|")
    ways = []
    for known in DATASETS:
        if said.only and known.name not in said.only:
            continue
        folder = said.folder.absolute() / known.name
        shutil.rmtree(folder, ignore_errors=True)
        ways.append(go(known, folder, packages))
        print(ways[-1].line(), flush=True)
    print(f"median of the sums: {median(way.seconds for way in ways):.1f} s; load at the end: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
