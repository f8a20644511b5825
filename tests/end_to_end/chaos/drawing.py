"""What happens to a run, and when: drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Kind = Literal["group", "alone", "worker", "rank", "server", "database", "disk"]
Variant = Literal["plain", "cluster", "ranks"]

KINDS: tuple[Kind, ...] = ("group", "alone", "worker", "rank", "server", "database", "disk")

TRAINING = ("train.rounds=12", "train.steps_per_round=40", "train.selection.patience=12")
# How a run is started; those whose processes are others may differ in the last bits of a sum, and so in the digest.
SETTINGS: dict[Variant, tuple[str, ...]] = {
    "plain": TRAINING,
    "cluster": (*TRAINING, "dask.processes=true", "dask.workers=2"),
    "ranks": (*TRAINING, "train.machine={threads: 1, devices: 2, accelerator: cpu}"),
}
_VARIANTS: dict[Kind, tuple[Variant, ...]] = {
    "group": ("plain", "cluster", "ranks"),
    "alone": ("cluster", "ranks"),
    "worker": ("cluster",),
    "rank": ("ranks",),
    "server": ("plain",),
    "database": ("plain",),
    "disk": ("plain",),
}


@dataclass(frozen=True)
class Blow:
    """One harm.

    Attributes:
        kind: What is hurt: all processes of the run (`group`), the run's own process alone (`alone`), one of Dask's
            workers, one rank of the training, the Prefect server, its database, or the disk.
        variant: How the run is started.
        share: When, as a share of the time that an unharmed run takes, from the start of its process.
        seconds: How long a server or a database stays away.
    """

    seed: int
    kind: Kind
    variant: Variant
    share: float
    seconds: float


def draw(seed: int) -> Blow:
    """Return the blow of a seed; any seven seeds in a row have one of each kind."""
    chance = random.Random(seed)
    kind = KINDS[seed % len(KINDS)]
    return Blow(seed, kind, chance.choice(_VARIANTS[kind]), chance.random(), chance.uniform(1.0, 12.0))
