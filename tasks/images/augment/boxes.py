"""One rectangle in each image of a batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Boxes:
    """Rectangles in whole pixels, each side [N]; `bottom` and `right` lie just outside."""

    top: torch.Tensor
    left: torch.Tensor
    bottom: torch.Tensor
    right: torch.Tensor

    def mask(self, height: int, width: int) -> torch.Tensor:
        """Return where the rectangles are, bool [N, height, width]."""
        rows = torch.arange(height, device=self.top.device)
        columns = torch.arange(width, device=self.top.device)
        in_rows = (rows >= self.top[:, None]) & (rows < self.bottom[:, None])
        in_columns = (columns >= self.left[:, None]) & (columns < self.right[:, None])
        return in_rows[:, :, None] & in_columns[:, None, :]

    @property
    def area(self) -> torch.Tensor:
        """Pixels of each rectangle."""
        return (self.bottom - self.top) * (self.right - self.left)
