"""The section `train`: which model is trained, and how."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt

from tasks.models.config import ModelConfig
from tasks.models.mlp_ple import MlpPleConfig
from tasks.storage import digest_of
from tasks.training.class_weights import ClassWeights
from tasks.training.logs import LogsConfig
from tasks.training.losses import LossConfig
from tasks.training.machine import MachineConfig
from tasks.training.optimization import OptimizerConfig
from tasks.training.selection_config import SelectionConfig
from tasks.training.start import StartConfig

CheckpointSteps = PositiveInt | Literal["auto"]


class TrainConfig(BaseModel):
    """How a model is trained; all but `model`, `seed` and `class_weights` is for networks.

    Attributes:
        model: Which, and its settings; `name` chooses, and may stand alone.
        seed: Decides the first weights, the order of the data and what dropout drops.
        batch_size: Rows of a batch.
        steps_per_round: Steps between two validations and checkpoints.
        rounds: The most there will be; the learning rate's schedule is laid over all of them.
        optimizer: How weights are moved.
        loss: What is minimized.
        selection: Which weights are kept, and when it is enough.
        machine: Accelerator, devices, machines, precision, threads.
        start_from: The checkpoint or bundle whose weights a network starts from, and what of it stays or starts anew.
        class_weights: Weights of the classes in the training loss: `none`, `balanced` by how often each occurs, or a
            weight for each named class. What is measured and selected by is never weighted.
        logs: Files in which the training can be watched.
        checkpoint_steps: Steps between two checkpoints within a round, from which a killed run goes on; `auto` goes
            by the clock, and costs less than 2 % of the time. There is one after every round in any case.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelConfig = MlpPleConfig()
    seed: NonNegativeInt = 0
    batch_size: PositiveInt = 1024
    steps_per_round: PositiveInt = 100
    rounds: PositiveInt = 20
    optimizer: OptimizerConfig = OptimizerConfig()
    loss: LossConfig = LossConfig()
    selection: SelectionConfig = SelectionConfig()
    machine: MachineConfig = MachineConfig()
    start_from: StartConfig | None = None
    class_weights: ClassWeights = "none"
    logs: LogsConfig = LogsConfig()
    checkpoint_steps: CheckpointSteps = "auto"

    @property
    def digest(self) -> str:
        """The digest of all that can change what is trained: not of places, or of how often it is saved."""
        places: dict[str, Any] = {"logs": True, "checkpoint_steps": True, "machine": {"address"}}
        if self.start_from is not None:
            places["start_from"] = {"checkpoint", "bundle"}
        return digest_of(self.model_dump(mode="json", exclude=places))
