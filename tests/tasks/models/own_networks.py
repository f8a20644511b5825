"""Networks as a user might write them, good and bad."""

from __future__ import annotations

import torch
from torch import nn

from tasks.models.spec import FeatureSpec


class TwoLayers(nn.Module):
    """What a user writes who follows docs/own-network.md."""

    def __init__(self, spec: FeatureSpec, width: int = 8) -> None:
        super().__init__()
        self.codes = nn.ModuleList(nn.Embedding(item.cardinality, 2) for item in spec.categorical)
        self.hidden = nn.Linear(len(spec.numeric) + 2 * len(spec.categorical), width)
        self.out = nn.Linear(width, spec.outputs)

    def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        embedded = [table(codes[:, column]) for column, table in enumerate(self.codes)]
        scores: torch.Tensor = self.out(torch.tanh(self.hidden(torch.cat([numbers, *embedded], dim=1))))
        return scores


class Squeezed(TwoLayers):
    def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        return super().forward(numbers, codes).squeeze()


class Doubled(TwoLayers):
    def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        return super().forward(numbers, codes).double()


class Halved(TwoLayers):
    def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        scores = super().forward(numbers, codes)
        return scores[:, :1] if self.training else scores


class Centred(TwoLayers):
    def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        return super().forward(numbers - numbers.mean(dim=0, keepdim=True), codes)


class Clearing(TwoLayers):
    def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        return super().forward(numbers.mul_(0.5), codes)


class Normalized(TwoLayers):
    def __init__(self, spec: FeatureSpec) -> None:
        super().__init__(spec)
        self.normal = nn.BatchNorm1d(len(spec.numeric))

    def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        return super().forward(self.normal(numbers), codes)


class Paired(TwoLayers):
    def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> tuple[torch.Tensor, None]:  # type: ignore[override]
        return super().forward(numbers, codes), None


class Deciding(TwoLayers):
    def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        scores = super().forward(numbers, codes)
        return scores if float(scores.sum()) > 0 else -scores


class Tied(TwoLayers):
    def __init__(self, spec: FeatureSpec) -> None:
        super().__init__(spec)
        self.again = nn.Parameter(self.out.weight.data)


class Remembering(TwoLayers):
    def get_extra_state(self) -> dict[str, int]:
        return {"seen": 0}


class Narrow(TwoLayers):
    def __init__(self, spec: FeatureSpec) -> None:
        super().__init__(spec)
        self.hidden = nn.Linear(1, 1)


class Demanding(TwoLayers):
    def __init__(self, spec: FeatureSpec) -> None:
        super().__init__(spec)
        raise LookupError(f"no column `age` among {[item.name for item in spec.numeric]}")


class OneInput(nn.Module):
    def __init__(self, spec: FeatureSpec) -> None:
        super().__init__()

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        return numbers


class NoNetwork:
    """Has nothing of torch."""


count = 3
