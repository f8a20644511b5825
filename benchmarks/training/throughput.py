"""Headrace's trainer and a loop written by hand, on the same network, tensors and recipe, one after the other.

    OMP_NUM_THREADS=1 python -m benchmarks.training.throughput --workloads flights,cnn

Headrace trains with its progress bar drawn, its CSV and TensorBoard logs written and its checkpoints saved. The loop
by hand does what one would write without any of that: batches by index, loss, backward, clipped gradients, fused AdamW
along half a cosine, a moving average of the weights, and the same measurement of the validation split once a round.
Values are random: what is learned does not matter here.
"""

from __future__ import annotations

import argparse
import copy
import math
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress
from torch.nn import functional

from tasks.augmentation.config import AugmentConfig
from tasks.images.augment.compose import ImageAugmentConfig
from tasks.metrics.selection import selection_metrics
from tasks.models.registry import build_network
from tasks.models.spec import spec_of
from tasks.preprocessing.constants import CategoricalFeature, ImageInput, NumericFeature, Preprocessing
from tasks.preprocessing.targets import ClassTarget
from tasks.progress import Advance, listening
from tasks.training.config import TrainConfig
from tasks.training.job import Material
from tasks.training.on_the_fly import Augment
from tasks.training.splits import SplitTensors
from tasks.training.train_network import fit_network

# Of the shipped flights: edges of each number's bins (0: none) and the vocabulary of each category.
BINS = (65, 59, 65, 65, 63, 0, 63, 0, 64, 0, 65, 0, 35, 0, 20, 0, 14, 0, 5, 0, 59, 0, 10, 0, 25, 0, 2, 0, 19, 0)
VOCABULARIES = (7, 15, 3, 96, 3, 6)


@dataclass(frozen=True)
class Workload:
    """One network on one kind of data."""

    material: Material
    config: TrainConfig
    augment: Augment


def flights(steps: int, threads: int, **optimizer: Any) -> Workload:
    """Return the network of pipelines/configs/flights.yaml on tables of the flights' shape."""
    generator = torch.Generator().manual_seed(0)
    random = np.random.default_rng(0)
    numeric = tuple(
        NumericFeature(
            name=f"x{place}", column=f"x{place}", source="number", edges=tuple(np.sort(random.normal(size=edges)))
        )
        for place, edges in enumerate(BINS)
    )
    categorical = tuple(
        CategoricalFeature(
            name=f"c{place}",
            column=f"c{place}",
            source="string",
            vocabulary=tuple(f"{word:03d}" for word in range(size)),
        )
        for place, size in enumerate(VOCABULARIES)
    )
    target = ClassTarget(column="late", source="boolean", classes=(False, True))

    def split(rows: int) -> SplitTensors:
        codes = [torch.randint(0, size + 3, (rows,), generator=generator) for size in VOCABULARIES]
        inputs = (torch.randn(rows, len(BINS), generator=generator), torch.stack(codes, dim=1))
        return SplitTensors(inputs=inputs, target=torch.randint(0, 2, (rows,), generator=generator))

    model = {"name": "mlp-ple", "hidden": [256], "activation": "relu", "embedding_dropout": 0.0, "numeric_width": 32}
    recipe = {"learning_rate": 0.004, "weight_decay": 0.5, **optimizer}
    return Workload(
        Material(
            split(200_000), split(16_384), Preprocessing(numeric=numeric, categorical=categorical, target=target), "f"
        ),
        _config(model, recipe, steps, threads, batch_size=2048),
        AugmentConfig(),
    )


def cnn(steps: int, threads: int, **optimizer: Any) -> Workload:
    """Return the small convolutional network on grey images of 28 by 28 pixels, unaugmented."""
    generator = torch.Generator().manual_seed(0)
    image = ImageInput(height=28, width=28, mode="L", mean=(128.0,), deviation=(74.0,))
    target = ClassTarget(column="garment", source="integer", classes=tuple(range(10)))

    def split(rows: int) -> SplitTensors:
        pixels = torch.randint(0, 256, (rows, *image.shape), generator=generator, dtype=torch.uint8)
        return SplitTensors(inputs=(pixels,), target=torch.randint(0, 10, (rows,), generator=generator))

    return Workload(
        Material(
            split(20_000), split(1_000), Preprocessing(numeric=(), categorical=(), target=target, image=image), "i"
        ),
        _config({"name": "cnn"}, {"learning_rate": 0.003, **optimizer}, steps, threads, batch_size=128),
        ImageAugmentConfig(),
    )


def _config(model: dict[str, Any], optimizer: dict[str, Any], steps: int, threads: int, batch_size: int) -> TrainConfig:
    return TrainConfig.model_validate(
        {
            "model": model,
            "batch_size": batch_size,
            "steps_per_round": steps,
            "rounds": 2,
            "optimizer": optimizer,
            "machine": {"accelerator": "cpu", "threads": threads},
            "logs": {"csv": True, "tensorboard": True},
        }
    )


# Steps of a round, as in the pipelines that are shipped: a short round makes much of its validation and checkpoints.
ROUNDS = {"flights": 100, "flights-bare": 100, "cnn": 210}
WORKLOADS: dict[str, Callable[[int, int], Workload]] = {
    "flights": flights,
    # Nothing but forward, backward and step, so that whatever the trainer adds weighs the most.
    "flights-bare": lambda steps, threads: flights(steps, threads, gradient_norm=0.0, average_decay=0.0),
    "cnn": cnn,
}


def by_headrace(work: Workload) -> None:
    with TemporaryDirectory() as folder, _bar():
        fit_network(work.material, work.config, work.augment, Path(folder))


@contextmanager
def _bar() -> Iterator[None]:
    """Draw a bar as in a terminal, to nowhere."""
    with (
        Path(os.devnull).open("w") as nowhere,
        Progress(console=Console(file=nowhere, force_terminal=True), refresh_per_second=2) as bars,
    ):

        @contextmanager
        def bar(label: str, total: int, unit: str) -> Iterator[Advance]:
            task = bars.add_task(f"{label} {unit}", total=total)

            def advance(amount: int = 1) -> None:
                bars.advance(task, amount)

            yield advance

        with listening(bar):
            yield


def by_hand(work: Workload) -> None:
    config, material = work.config, work.material
    torch.set_num_threads(config.machine.thread_count())
    torch.manual_seed(config.seed)
    build: Any = build_network
    network = build(config.model, spec_of(material.fitted))
    average = copy.deepcopy(network).eval()
    recipe, total = config.optimizer, config.rounds * config.steps_per_round
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=recipe.rate, weight_decay=recipe.weight_decay or 0.0, fused=True
    )
    tensors = (*material.train.inputs, material.train.target)
    order, place, size = torch.randperm(len(material.train)), 0, config.batch_size
    for step in range(total):
        if place + size > len(order):
            order, place = torch.randperm(len(order)), 0
        *inputs, target = (each[order[place : place + size]] for each in tensors)
        place += size
        optimizer.param_groups[0]["lr"] = recipe.rate * 0.5 * (1.0 + math.cos(math.pi * step / total))
        optimizer.zero_grad()
        loss: Any = functional.cross_entropy(network(*inputs), target)
        loss.backward()
        if recipe.gradient_norm:
            torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.gradient_norm)
        optimizer.step()
        if recipe.average_decay:
            with torch.no_grad():
                torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1.0 - recipe.average_decay)
        if (step + 1) % config.steps_per_round == 0:
            _validate(average if recipe.average_decay else network, material)


def _validate(network: Any, material: Material) -> None:
    network.eval()
    split, size = material.validation, 1024 if material.fitted.image is not None else 8192
    with torch.inference_mode():
        parts = [network(*split.rows(slice(at, at + size))[:-1]) for at in range(0, len(split), size)]
    selection_metrics(split.target.numpy(), torch.cat(parts).double().numpy(), material.fitted.target)
    network.train()


def seconds(train: Callable[[Workload], None], work: Workload) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    train(work)
    return time.perf_counter() - wall, time.process_time() - cpu


def compare(name: str, steps: int, threads: int, repeats: int) -> None:
    """Run both by turns, after a short run of each that is not counted, and print medians and their ratio."""
    for each in (by_headrace, by_hand):
        each(WORKLOADS[name](3, threads))
    work = WORKLOADS[name](steps, threads)
    taken: dict[str, list[tuple[float, float]]] = {"headrace": [], "by hand": []}
    for _ in range(repeats):
        taken["headrace"].append(seconds(by_headrace, work))
        taken["by hand"].append(seconds(by_hand, work))
    medians = {}
    for trained, runs in taken.items():
        medians[trained] = [statistics.median(run[place] for run in runs) for place in range(2)]
        wall, cpu = (1000 * value / (work.config.rounds * steps) for value in medians[trained])
        print(f"{name:14} {trained:9} {wall:9.2f} ms a step, {cpu:9.2f} CPU ms", flush=True)
    wall, cpu = (medians["by hand"][place] / medians["headrace"][place] for place in range(2))
    print(
        f"{name:14} headrace's throughput is {wall:.3f} of the loop's by the clock, {cpu:.3f} by CPU time", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", default="flights,cnn", help=f"of {', '.join(WORKLOADS)}, separated by commas")
    parser.add_argument("--steps", type=int, help="of a round; a run has two (default: as shipped)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    for name in arguments.workloads.split(","):
        compare(name, arguments.steps or ROUNDS[name], arguments.threads, arguments.repeats)


if __name__ == "__main__":
    main()
