"""How threads wait for each other: on the spot (OpenMP's default) or asleep, as Headrace sets it.

    python -m benchmarks.training.waiting --busy 2 --repeats 3

Two threads grow trees and train a network, in a process of their own each time, with so many other processes busy on
the same cores. Both ways by turns; medians of wall and CPU milliseconds of a tree, or of a step.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import lightgbm
import numpy as np
import torch
from torch.nn import functional

from pipelines.environment import prepare

_THREADS = 2
_ROUNDS = 15
_BUSY = "while True: pass"


def trees() -> Callable[[], object]:
    random = np.random.default_rng(0)
    numbers = random.normal(size=(100_000, 36)).astype(np.float32)
    late = numbers[:, 0] + numbers[:, 1] + random.normal(size=len(numbers)) > 0
    settings = {"objective": "binary", "num_threads": _THREADS, "verbosity": -1, "force_col_wise": True}
    return lightgbm.Booster(settings, lightgbm.Dataset(numbers, late, params=settings)).update


def network() -> Callable[[], object]:
    torch.set_num_threads(_THREADS)
    layers = torch.nn.Sequential(
        torch.nn.Linear(800, 256), torch.nn.ReLU(), torch.nn.Linear(256, 256), torch.nn.ReLU(), torch.nn.Linear(256, 2)
    )
    optimizer = torch.optim.AdamW(layers.parameters(), fused=True)
    numbers, truth = torch.randn(2048, 800), torch.randint(0, 2, (2048,))

    def step() -> None:
        optimizer.zero_grad()
        loss = functional.cross_entropy(layers(numbers), truth)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


WORK = {"trees": trees, "network": network}


def measure(name: str) -> tuple[float, float]:
    """Return wall and CPU milliseconds of a round of this work, after two that are not counted."""
    again = WORK[name]()
    for _ in range(2):
        again()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(_ROUNDS):
        again()
    return 1000 * (time.perf_counter() - wall) / _ROUNDS, 1000 * (time.process_time() - cpu) / _ROUNDS


def in_a_process(name: str, variables: dict[str, str]) -> tuple[float, float]:
    command = [sys.executable, "-m", "benchmarks.training.waiting", "--measure", name]
    said = subprocess.run(command, env=variables, check=True, stdout=subprocess.PIPE, text=True).stdout
    wall, cpu = json.loads(said)
    return wall, cpu


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    processes = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--busy", type=int, default=2, help="other processes that want the cores")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--measure", choices=WORK, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure)))
        return
    spot = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    os.environ.pop("OMP_WAIT_POLICY", None)
    prepare()
    ways = {"on the spot": spot, "asleep": dict(os.environ)}
    for busy in dict.fromkeys((0, arguments.busy)):
        with neighbours(busy):
            for name in WORK:
                taken: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
                for _ in range(arguments.repeats):
                    for way, variables in ways.items():
                        taken[way].append(in_a_process(name, variables))
                for way, runs in taken.items():
                    wall, cpu = (statistics.median(run[place] for run in runs) for place in range(2))
                    print(
                        f"{name:8} {busy} busy beside, waiting {way:11}: {wall:7.1f} ms, {cpu:7.1f} CPU ms", flush=True
                    )


if __name__ == "__main__":
    main()
