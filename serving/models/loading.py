"""Makes a model's lineup of what the store says, from versions that are loaded already where that can be."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from serving.bundle.errors import BundleError, StoreError
from serving.bundle.store import Champion, ModelStore
from serving.bundle.traffic import Share, TrafficPlan
from serving.models.batching import Batcher
from serving.models.lineup import Lineup, Role
from serving.models.loaded import LoadedModel
from serving.models.settings import BatchingConfig
from serving.models.shadow import Shadow, ShadowCounts

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loader:
    """Loads versions and puts lineups together. Blocks; call it off the event loop.

    Attributes:
        max_batch: The largest number of rows in one request.
        kept: How many former champions stay loaded.
        thread: Where long runs are made.
        shadow_thread: Where shadows run.
        watch: Called with each version that was loaded and its bundle's folder.
    """

    store: ModelStore
    max_batch: int
    batching: BatchingConfig
    kept: int
    thread: Executor
    shadow_thread: Executor
    watch: Callable[[Path, LoadedModel], None] | None = None

    def champion(self, model: str, champion: Champion, old: Lineup | None) -> Batcher:
        """Return the champion that a pointer names, loaded only where it is not yet.

        Raises:
            BundleError: It cannot be served, or is not the bundle that was promoted.
        """
        known = None if old is None else old.versions.get(champion.version)
        if known is not None and known.model.manifest.digest == champion.digest:
            return known
        loaded = self._load(model, champion.version)
        if loaded.model.manifest.digest != champion.digest:
            raise BundleError.at(
                self.store.bundle_path(model, champion.version),
                f"not the bundle that was promoted: expected digest {champion.digest}, "
                f"got {loaded.model.manifest.digest}",
            )
        return loaded

    def lineup(self, champion: Batcher, plan: TrafficPlan, old: Lineup | None) -> Lineup:
        """Put a champion and what a plan names beside it together; what cannot be served is refused and logged."""
        name = champion.model.name
        roles: dict[str, Role] = {champion.model.version: "champion"}
        versions = {champion.model.version: champion}
        refused: dict[str, str] = {}
        for version, role in plan.versions():
            if version in versions or version in refused:
                continue
            try:
                known = None if old is None else old.versions.get(version)
                versions[version] = known or self._load(name, version)
                roles[version] = role
            except (BundleError, StoreError) as error:
                refused[version] = str(error)
                logger.error("refused the %s of model %s, the champion serves on: %s", role, name, error)  # noqa: TRY400
        for former in self._former(versions, old):
            versions[former.model.version] = former
            roles[former.model.version] = "kept"
        canary, shadow = _beside(champion, versions, plan.canary), _beside(champion, versions, plan.shadow)
        return Lineup(
            model=name,
            champion=champion,
            roles=roles,
            versions=versions,
            canary=canary,
            percent=plan.canary.percent if plan.canary else 0.0,
            shadow=self._shadow(champion, shadow, plan.shadow.percent, old) if shadow and plan.shadow else None,
            refused=refused,
        )

    def _load(self, model: str, version: str) -> Batcher:
        path = self.store.bundle_path(model, version)
        try:
            loaded = LoadedModel.load(path, version, self.max_batch)
        except (BundleError, OSError):
            raise
        # A bundle that breaks what reads it as nobody foresaw must not keep the others from being served.
        except Exception as error:
            logger.exception("failed on the bundle %s", path)
            raise BundleError.at(path, f"it breaks what reads it ({type(error).__name__}, see the log)") from error
        if loaded.name != model:
            raise BundleError.at(path, f"the bundle belongs to model {loaded.name!r}, expected {model!r}")
        if self.watch is not None:
            self.watch(path, loaded)
        return Batcher(loaded, self.thread, self.batching)

    def _former(self, versions: Mapping[str, Batcher], old: Lineup | None) -> Iterator[Batcher]:
        """Yield the champions before this one that stay loaded, for a rollback at once; the latest first."""
        if old is None:
            return
        formers = [old.champion, *(old.versions[version] for version, role in old.roles.items() if role == "kept")]
        left = self.kept
        for former in formers:
            if left and former.model.version not in versions:
                left -= 1
                yield former

    def _shadow(self, champion: Batcher, found: Batcher, percent: float, old: Lineup | None) -> Shadow:
        before = None if old is None else old.shadow
        counts = before.counts if before is not None and before.model is found.model else ShadowCounts()
        return Shadow(found.model, champion.model, percent, self.shadow_thread, counts)


def _beside(champion: Batcher, versions: Mapping[str, Batcher], share: Share | None) -> Batcher | None:
    """Return the version of a share, None where it is refused or became the champion."""
    found = None if share is None else versions.get(share.version)
    return None if found is champion else found
