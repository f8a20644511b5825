"""What orchestration adds to the task functions of the flights pipeline, and how soon a no-change rerun ends.

    python -m benchmarks.orchestration.overhead --repeats 3

The sample must be there (`headrace samples flights data/flights`). Each way starts in an empty home: the task functions
called directly; `headrace run` against a server that runs already; `headrace run` with the embedded server. The last
two run once more with nothing changed. Ways alternate; figures are medians. The training is short: what is added does
not depend on it.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CONFIG = "pipelines/configs/flights.yaml"
# One round of training does not reach the config's own floor.
OVERRIDES = ("train.rounds=1", "promote.gates.floor.roc_auc=0.6")
DIRECT = (sys.executable, "-m", "benchmarks.orchestration.direct", CONFIG, *OVERRIDES)
RUN = (sys.executable, "-m", "pipelines", "run", CONFIG, *(part for each in OVERRIDES for part in ("--set", each)))


@dataclass(frozen=True)
class Cost:
    """Of one process and all it has waited for: seconds on the clock, CPU seconds, and MiB of its largest process."""

    wall: float
    cpu: float
    peak: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    seen: dict[str, list[Cost]] = {}
    loads = []
    with tempfile.TemporaryDirectory(prefix="headrace-overhead-") as name, prefect_server(Path(name)) as api:
        for repeat in range(asked.repeats):
            for way, cost in measured(Path(name) / str(repeat), api):
                seen.setdefault(way, []).append(cost)
                print(f"{way:34} {cost.wall:6.1f} s  {cost.cpu:6.1f} CPU s  {cost.peak:6.0f} MiB", file=sys.stderr)
            loads.append(os.getloadavg()[0])
    print(f"{os.cpu_count()} cores, load {min(loads):.1f} to {max(loads):.1f}, medians of {asked.repeats}\n")
    print("| way | s | CPU s | peak MiB |\n|---|---|---|---|")
    for way, costs in seen.items():
        wall, cpu, peak = (statistics.median(getattr(each, name) for each in costs) for name in ("wall", "cpu", "peak"))
        print(f"| {way} | {wall:.1f} | {cpu:.1f} | {peak:.0f} |")


def measured(folder: Path, api: str) -> Iterator[tuple[str, Cost]]:
    """Yield what each way has cost."""
    yield "task functions, called directly", cost_of(DIRECT, variables(folder / "direct"))
    for where, address in (("running server", api), ("embedded server", None)):
        environment = variables(folder / where.replace(" ", "-"), address)
        yield f"{where}", cost_of(RUN, environment)
        yield f"no change, {where}", cost_of(RUN, environment)


def cost_of(command: Sequence[str], environment: dict[str, str]) -> Cost:
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    if status:
        sys.exit(f"{' '.join(command)}\n{said}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def variables(folder: Path, api: str | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "HEADRACE_"))}
    folder.mkdir(parents=True, exist_ok=True)
    own = {"HEADRACE_HOME": str(folder / "home"), "PREFECT_HOME": str(folder / "prefect")}
    return kept | own | ({} if api is None else {"PREFECT_API_URL": api})


@contextmanager
def prefect_server(folder: Path) -> Iterator[str]:
    """Start a Prefect server on a free port and yield its API's address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    api = f"http://127.0.0.1:{port}/api"
    environment = variables(folder / "server") | {
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_UI_API_URL": api,
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "server.log").open("wb") as output:
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        while not answers(f"{api}/health"):
            assert server.poll() is None, (folder / "server.log").read_text()
            time.sleep(0.5)
        yield api
    finally:
        server.terminate()
        server.wait(30)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.URLError:
        return False


if __name__ == "__main__":
    main()
