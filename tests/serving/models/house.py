"""A store of three versions of one model, and what is served of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from serving.bundle.store import ModelStore
from serving.bundle.traffic import TrafficPlan
from serving.models.served import ServedModels
from serving.models.settings import VersionsConfig
from tests.serving.bundles import promote, small_model, write_bundle

NAMES = [f"r-{n}" for n in range(400)]


class House:
    """A store with the champion 1 and the versions 2 and 3, and what is served of it."""

    def __init__(self, root: Path, kept: int = 1) -> None:
        self.store = ModelStore(root)
        promote(root, 0)
        self.register(2.0)
        self.register(-2.0)
        self.served = ServedModels(self.store, max_batch=100, versions=VersionsConfig(kept=kept))
        self.served.refresh()

    def register(self, bias: float, **changes: Any) -> str:
        return self.store.register("small", lambda folder: write_bundle(folder, small_model(bias), **changes)).version

    def plan(self, **changes: Any) -> None:
        self.store.set_traffic("small", lambda _: TrafficPlan.model_validate(changes))
        self.served.refresh()

    def champion(self, version: str) -> None:
        self.store.set_champion("small", version)
        self.served.refresh()

    @property
    def roles(self) -> dict[str, str]:
        return dict(self.served.lineup("small").roles)

    def picked(self, names: list[str]) -> list[str]:
        lineup = self.served.lineup("small")
        return [lineup.pick(None, name).model.version for name in names]
