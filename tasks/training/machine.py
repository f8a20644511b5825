"""What networks are trained on: kind and number of devices, machines, precision, threads."""

from __future__ import annotations

import os
import re
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, PositiveInt, model_validator

from tasks.errors import ConfigError

_ADDRESS = re.compile(r"(?P<host>[^\s:]+|\[[0-9A-Fa-f:]+\]):(?P<port>[0-9]{1,5})")
_WANTED = {"auto": ("cuda", "mps", "cpu"), "gpu": ("cuda", "mps")}


class MachineConfig(BaseModel):
    """What a network is trained on.

    Attributes:
        accelerator: Lightning's name for it: `auto` takes a GPU where there is one.
        devices: How many of each machine; on the CPU, processes. Every one trains on its part of each batch.
        num_nodes: How many machines.
        address: `host:port` of the first of several machines, where the others find it.
        strategy: How devices train together: `ddp`, where each has the whole network and gradients are averaged, or
            `fsdp`, where weights, their average and the optimizer's state are split among them.
        precision: Lightning's name for the precision of training: `bf16-mixed` anywhere, `16-mixed` on a GPU. The
            weights, and what validates them, are float32 in any case.
        threads: Threads of torch on the CPU in each process; by default the machine's cores, shared by its devices.
            Another number gives other last bits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    devices: PositiveInt = 1
    num_nodes: PositiveInt = 1
    address: str | None = None
    strategy: Literal["ddp", "fsdp"] = "ddp"
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    threads: PositiveInt | None = None

    @model_validator(mode="after")
    def _possible_together(self) -> MachineConfig:
        if self.num_nodes == 1 and self.address is not None:
            raise ValueError("address is for several machines, and num_nodes is 1\n  do: leave it out")
        if self.num_nodes > 1 and (self.address is None or not _ADDRESS.fullmatch(self.address)):
            raise ValueError(
                f"{self.num_nodes} machines need the `address` of the first, got {self.address!r}\n"
                "  do: write one that the others can reach, such as `address: 10.0.0.1:29500`"
            )
        if self.strategy == "fsdp" and (self.processes == 1 or self.precision == "16-mixed"):
            raise ValueError(
                "strategy fsdp splits weights among several devices, and not with precision 16-mixed; got "
                f"{self.processes} and {self.precision}\n  do: write `strategy: ddp`, or more devices and bf16-mixed"
            )
        return self

    @property
    def processes(self) -> int:
        """How many processes train together."""
        return self.devices * self.num_nodes

    def meeting_point(self) -> tuple[str, int] | None:
        """Return host and port where the machines meet; None for one machine."""
        found = None if self.address is None else _ADDRESS.fullmatch(self.address)
        return None if found is None else (found["host"].strip("[]"), int(found["port"]))

    def thread_count(self) -> int:
        """Return the number of threads to use."""
        return self.threads or max(1, (os.cpu_count() or 1) // self.devices)

    def device(self) -> Literal["cpu", "cuda", "mps"]:
        """Return the kind of device that `accelerator` stands for on this machine.

        Raises:
            ConfigError: It is not there, there are fewer than asked for, or it cannot do the precision.
        """
        there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
        found = next((each for each in _WANTED.get(self.accelerator, (self.accelerator,)) if there[each]), None)
        if found is None:
            raise ConfigError(
                f"train.machine.accelerator: this machine has no {self.accelerator}, or its torch cannot use it\n"
                "  do: write `auto`, or train on a machine that has one"
            )
        if self.precision == "16-mixed" and found == "cpu":
            raise ConfigError(
                "train.machine.precision: 16-mixed needs a GPU, and this training runs on the CPU\n"
                "  do: write 32-true, which is the fastest on most CPUs, or bf16-mixed"
            )
        self._require_enough(found)
        return found  # type: ignore[return-value]

    def _require_enough(self, device: str) -> None:
        if device == "cpu":
            return
        there = torch.cuda.device_count() if device == "cuda" else 1
        if self.devices > there:
            raise ConfigError(
                f"train.machine.devices: {self.devices} devices are asked for, and this machine has {there} of the "
                f"kind {device}\n  do: write {there}, or `accelerator: cpu`"
            )


def require_world(machine: MachineConfig, world: int) -> None:
    """Check that as many processes were started as a config says.

    Raises:
        ConfigError: They are more or fewer.
    """
    if world != machine.processes:
        raise ConfigError(
            f"train.machine: {machine.num_nodes} machines of {machine.devices} devices are {machine.processes} ranks, "
            f"and WORLD_SIZE says {world}\n  do: start one rank for each device"
        )
