"""The order of the data: an endless shuffled stream, cut into rounds, and a pure function of the seed and the step."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from tasks.training.on_the_fly import BalancedPass, BatchNoise
from tasks.training.splits import Batch, SplitTensors


class RoundLoader:
    """Yields one round of training batches by slicing tensors, far cheaper than gathering records one by one.

    The rows pass by in a new order each time, and each pass leaves out the few that fill no whole batch. A round is
    what Lightning calls an epoch, though it may hold part of a pass or several: Lightning then validates and saves
    at round boundaries only, and a resumed run needs to know nothing but the number of its round.
    """

    def __init__(
        self,
        train: SplitTensors,
        *,
        batch_size: int,
        steps: int,
        seed: int,
        balanced: BalancedPass | None = None,
        noise: BatchNoise | None = None,
    ) -> None:
        """Take the training split.

        Args:
            train: The split; a batch is a whole pass where that has fewer rows than `batch_size`.
            batch_size: Rows of a batch.
            steps: Batches of a round.
            seed: Decides every order.
            balanced: How often rows occur in a pass; once each by default.
            noise: Put on every batch.
        """
        self._train = train
        self._rows = len(train) if balanced is None else len(balanced)
        self._batch_size = min(batch_size, self._rows)
        self._steps = steps
        self._seed = seed
        self._balanced = balanced
        self._noise = noise
        self._round = 0

    @property
    def sampler(self) -> RoundLoader:
        """Lightning looks here for something whose `set_epoch` it calls before it starts a round."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Say which round the next iteration yields."""
        self._round = epoch

    def __len__(self) -> int:
        return self._steps

    def __iter__(self) -> Iterator[Batch]:
        per_pass = self._rows // self._batch_size
        number, order = -1, torch.empty(0, dtype=torch.int64)
        for step in range(self._round * self._steps, (self._round + 1) * self._steps):
            through, position = divmod(step, per_pass)
            if through != number:
                number, order = through, self._order(through)
            batch = self._train.rows(order[position * self._batch_size :][: self._batch_size])
            yield batch if self._noise is None else self._noise(batch, step)

    def _order(self, through: int) -> torch.Tensor:
        # Neighbouring seeds are far apart for a Mersenne Twister seeded by torch; the product keeps runs apart too.
        generator = torch.Generator().manual_seed((self._seed * 1_000_003 + through) % (1 << 63))
        if self._balanced is not None:
            return self._balanced.order(generator)
        return torch.randperm(self._rows, generator=generator)


class SliceLoader:
    """Yields a split in its order, in slices."""

    def __init__(self, split: SplitTensors, *, batch_size: int) -> None:
        self._split = split
        self._batch_size = batch_size

    def __len__(self) -> int:
        return math.ceil(len(self._split) / self._batch_size)

    def __iter__(self) -> Iterator[Batch]:
        for start in range(0, len(self._split), self._batch_size):
            yield self._split.rows(slice(start, start + self._batch_size))
