"""Measure two processes of one thread each against one process with one thread: python -m benchmarks.training.ddp.

Both see the same batches: each of two processes takes half of every one. What is timed begins with the first steps, so
starting the processes is not part of it. Printed are steps a second by the clock, and the CPU milliseconds that the
first process spends on a step, which other work on the machine disturbs less.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.training.throughput import WORKLOADS
from tasks.progress import Advance, listening
from tasks.training.batches import Share
from tasks.training.train_network import fit_network

Moment = tuple[int, float, float]


def run_rank(name: str, steps: int, folder: Path, share: Share) -> None:
    """Train in this process and, if it is the first, print steps, seconds and CPU seconds between first and last."""
    work = WORKLOADS[name](steps, 1)
    machine = work.config.machine.model_copy(update={"devices": share.world})
    config = work.config.model_copy(update={"machine": machine})
    moments: list[Moment] = []

    @contextmanager
    def clock(label: str, total: int, unit: str) -> Iterator[Advance]:  # noqa: ARG001
        def advance(amount: int = 1) -> None:
            made = moments[-1][0] + amount if moments else amount
            moments.append((made, time.perf_counter(), time.process_time()))

        yield advance

    with listening(clock):
        fit_network(work.material, config, work.augment, folder, share)
    if share.rank == 0:
        # The first entry says that nothing is made yet; the second is of the first steps.
        began, ended = moments[1], moments[-1]
        print(json.dumps([end - begin for begin, end in zip(began, ended, strict=True)]))


def measure(name: str, steps: int, world: int) -> tuple[float, float]:
    """Start the ranks; return steps a second and CPU milliseconds a step."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with TemporaryDirectory() as folder:
        ranks = []
        for rank in range(world):
            place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "NODE_RANK": "0", "LOCAL_RANK": str(rank)}
            threads = {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
            command = [sys.executable, "-m", "benchmarks.training.ddp", "--workloads", name, "--steps", str(steps)]
            command += ["--rank", str(rank), "--world", str(world), "--folder", folder]
            environment = {**os.environ, **threads, **(place if world > 1 else {})}
            ranks.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
        said = [rank.communicate()[0] for rank in ranks]
    made, wall, cpu = json.loads(said[0].splitlines()[-1])
    return made / wall, 1000 * cpu / made


def compare(name: str, steps: int, repeats: int) -> None:
    taken: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    for _ in range(repeats):
        for world, runs in taken.items():
            runs.append(measure(name, steps, world))
    rates = {}
    for world, runs in taken.items():
        rates[world] = statistics.median(rate for rate, _ in runs)
        cpu = statistics.median(cost for _, cost in runs)
        print(f"{name:8} {world} processes: {rates[world]:8.2f} steps/s, {cpu:8.2f} CPU ms a step in each", flush=True)
    print(f"{name:8} two processes make {rates[2] / rates[1]:.2f} times the steps of one", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", default="flights,cnn", help=f"of {', '.join(WORKLOADS)}, separated by commas")
    parser.add_argument("--steps", type=int, default=60, help="of a round; a run has two")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rank", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--world", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.rank is not None:
        run_rank(arguments.workloads, arguments.steps, arguments.folder, Share(arguments.rank, arguments.world))
        return
    for name in arguments.workloads.split(","):
        compare(name, arguments.steps, arguments.repeats)


if __name__ == "__main__":
    main()
