"""The traffic plan of a model: which versions answer beside the champion, and whether the model is served at all.

<store>/<model>/traffic       `TrafficPlan` as JSON; replaced atomically under the lock of the model's folder

{"canary": {"version": "3", "percent": 10.0}, "shadow": {"version": "4", "percent": 100.0}, "also": ["2"],
 "retired": false}
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from serving.bundle.errors import StoreError
from serving.bundle.pointers import read_pointer
from serving.bundle.writing import replace_file

TRAFFIC = "traffic"


class Share(BaseModel):
    """A version and the part of a model's requests that it gets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    percent: float = Field(ge=0, le=100)


class TrafficPlan(BaseModel):
    """What is served of a model beside its champion.

    Attributes:
        canary: The version that answers a part of the requests that name no version.
        shadow: The version that gets a copy of a part of them; nobody sees what it answers, but it is compared.
        also: Versions that are loaded and answer who asks for them by number.
        retired: Whether the model is not served at all, champion included.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    canary: Share | None = None
    shadow: Share | None = None
    also: tuple[str, ...] = ()
    retired: bool = False

    def versions(self) -> Iterator[tuple[str, Literal["canary", "shadow", "also"]]]:
        """Yield every version that is named, with what it is named as; one may be named twice."""
        if self.canary is not None:
            yield self.canary.version, "canary"
        if self.shadow is not None:
            yield self.shadow.version, "shadow"
        for version in self.also:
            yield version, "also"

    def without(self, *versions: str) -> TrafficPlan:
        """Return the plan with neither canary nor shadow of these versions."""
        canary = None if self.canary is None or self.canary.version in versions else self.canary
        shadow = None if self.shadow is None or self.shadow.version in versions else self.shadow
        return self.model_copy(update={"canary": canary, "shadow": shadow})


def read_traffic(path: Path) -> TrafficPlan:
    """Read a traffic plan; where there is no file, nothing is served beside the champion.

    Raises:
        StoreError: The file is corrupt.
    """
    content = read_pointer(path)
    if content is None:
        return TrafficPlan()
    try:
        return TrafficPlan.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise StoreError(
            f"{path}: the traffic plan is corrupt: {place}: {first['msg']}\n"
            "  do: write it anew with `headrace models clear`, then `canary`, `shadow` or `also`"
        ) from error


def write_traffic(path: Path, plan: TrafficPlan) -> None:
    """Replace a traffic plan in one step."""
    replace_file(path, (json.dumps(plan.model_dump(mode="json"), indent=2) + "\n").encode())
