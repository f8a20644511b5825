"""The models that are served, kept in step with the store's champion pointers and traffic plans."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from serving.bundle.errors import BundleError, StoreError
from serving.bundle.places import RemotePath
from serving.bundle.store import ModelStore
from serving.bundle.traffic import TrafficPlan
from serving.errors import NotFoundError
from serving.models.batching import Batcher
from serving.models.lineup import Lineup
from serving.models.loaded import LoadedModel
from serving.models.loading import Loader
from serving.models.overview import ModelOverview, overview_of, summary
from serving.models.settings import BatchingConfig, VersionsConfig

logger = logging.getLogger(__name__)

_Stamp = tuple[int, int, int] | str | None


_BATCHING, _VERSIONS = BatchingConfig(), VersionsConfig()


class ServedModels:
    """The versions of every model of a store that are served.

    What cannot be loaded is refused and logged once; it is tried again when the pointer or the plan is written again.
    The champion before a refused one serves on, and in the place of a refused canary the champion. A model whose
    pointer disappears is served on too: only a pointer or a plan changes what is served.

    Args:
        store: Where the models are.
        max_batch: The largest number of rows in one request.
        batching: How requests are joined.
        versions: What stays in memory.
        watch: Called with each version that was loaded and its bundle's folder.

    Attributes:
        lineups: By model name. Replaced entry by entry, so a request sees one lineup or the other.
        retired: The models that their plan takes out of service.
        refused: Why the current champion of a model is not served.
    """

    def __init__(
        self,
        store: ModelStore,
        max_batch: int,
        batching: BatchingConfig = _BATCHING,
        versions: VersionsConfig = _VERSIONS,
        watch: Callable[[Path, LoadedModel], None] | None = None,
    ) -> None:
        self.lineups: dict[str, Lineup] = {}
        self.retired: frozenset[str] = frozenset()
        self.refused: dict[str, str] = {}
        self._store = store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="runs")
        self._shadow_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="shadows")
        # Always the same one: what several threads load and free by turns is memory that each keeps for itself.
        self._loading_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="loading")
        self._loader = Loader(store, max_batch, batching, versions.kept, self._thread, self._shadow_thread, watch)
        self._stamps: dict[str, tuple[_Stamp, _Stamp]] = {}
        self._plans: dict[str, TrafficPlan] = {}
        self._leaving: list[Lineup] = []

    @property
    def loaded(self) -> Mapping[str, LoadedModel]:
        """The champions by model name."""
        return {name: lineup.champion.model for name, lineup in self.lineups.copy().items()}

    @property
    def ready(self) -> bool:
        """Whether every promoted model is served, be it by an older version while its champion is refused."""
        return self.refused.keys() <= self.lineups.keys()

    def lineup(self, model: str) -> Lineup:
        """Return what is served of a model.

        Raises:
            NotFoundError: Nothing is.
        """
        found = self.lineups.get(model)
        if found is not None:
            return found
        if model in self.retired:
            raise NotFoundError(f"model {model!r:.120} is retired; `headrace models restore` serves it again")
        served = ", ".join(f"{m.name} (version {m.version})" for m in list(self.loaded.values())[:20]) or "none"
        raise NotFoundError(f"model {model!r:.120} is not served; served models: {served}")

    def get(self, model: str, version: str | None = None) -> LoadedModel:
        """Return a loaded version, the champion if none is named.

        Raises:
            NotFoundError: It is not served.
        """
        lineup = self.lineup(model)
        return (lineup.champion if version is None else lineup.version(version)).model

    def expected_wait(self, model: str, version: str | None = None) -> float:
        """Return in how many seconds the run of a request that came now would begin; 0 for what is not served."""
        lineup = self.lineups.get(model)
        batcher = None if lineup is None else lineup.champion if version is None else lineup.versions.get(version)
        return 0.0 if batcher is None else batcher.expected_wait()

    def metadata(self, model: str, version: str | None = None) -> dict[str, Any]:
        """Return the protocol's description of a model; its `versions` are all that are loaded, the champion first.

        Raises:
            NotFoundError: It is not served.
        """
        return self.get(model, version).metadata() | {"versions": list(self.lineup(model).versions)}

    def overview(self) -> list[ModelOverview]:
        """Return what is served of every model that is served, retired or refused, in the order of names."""
        lineups, refused = self.lineups.copy(), self.refused.copy()
        return [
            overview_of(name, lineups.get(name), refused.get(name), retired=name in self.retired)
            for name in sorted({*lineups, *self.retired, *refused})
        ]

    def refresh(self) -> None:
        """Load what changed in the store since the last call. Blocks; call it off the event loop.

        Raises:
            OSError: The store cannot be read; whatever could be read is loaded, and the next call tries the rest again.
        """
        # What left is freed here rather than on the event loop, unless a request still holds it.
        self._leaving.clear()
        failed: OSError | None = None
        for model in self._store.models():
            known = self._stamps.get(model, (None, None))
            try:
                stamps = _stamp(self._store.pointer_path(model)), _stamp(self._store.traffic_path(model))
                if stamps != known:
                    self._stamps[model] = stamps
                    self._follow(model)
            except OSError as error:
                # So that the next call tries again.
                self._stamps[model] = known
                failed = error
        if failed is not None:
            raise failed

    async def follow(self) -> None:
        """Refresh in the thread that loads.

        Raises:
            OSError: As `refresh`.
        """
        await asyncio.get_running_loop().run_in_executor(self._loading_thread, self.refresh)

    async def watch(self, seconds: float) -> None:
        """Refresh for ever, every so many seconds."""
        while True:
            await asyncio.sleep(seconds)
            (failed,) = await asyncio.gather(self.follow(), return_exceptions=True)
            if isinstance(failed, OSError):
                # The store may be on a network disk that comes back; what is loaded does not need it.
                logger.warning("cannot look into the model store: %s", failed)
            elif failed is not None:
                # A defect of ours must not stop the endpoint from following the store, nor take what it serves.
                logger.error("a change in the model store could not be followed", exc_info=failed)

    def close(self) -> None:
        """End the threads, which finish what they are at; call it once every request has its answer."""
        for thread in (self._loading_thread, self._thread, self._shadow_thread):
            thread.shutdown(wait=False, cancel_futures=True)

    def _follow(self, model: str) -> None:
        plan = self._plan(model)
        old = self.lineups.get(model)
        if old is not None:
            self._leaving.append(old)
        if plan.retired:
            self.retired |= {model}
            self.refused.pop(model, None)
            self.lineups.pop(model, None)
            return
        champion = self._champion(model, old)
        if champion is not None:
            self.lineups[model] = self._loader.lineup(champion, plan, old)
            logger.info("serving model %s version %s", model, summary(self.lineups[model]))
        self.retired -= {model}

    def _plan(self, model: str) -> TrafficPlan:
        try:
            self._plans[model] = self._store.traffic(model)
        except StoreError as error:
            logger.error("refused the traffic plan of model %s, the one before it stays: %s", model, error)  # noqa: TRY400
        return self._plans.get(model, TrafficPlan())

    def _champion(self, model: str, old: Lineup | None) -> Batcher | None:
        """Return the champion, the one before it where it is refused, or None where there is neither."""
        before = None if old is None else old.champion
        try:
            pointer = self._store.champion(model)
            found = before if pointer is None else self._loader.champion(model, pointer, old)
        except (BundleError, StoreError) as error:
            self.refused[model] = str(error)
            instead = f"version {before.model.version} serves on" if before else "nothing serves in its place"
            logger.error("refused the champion of model %s, %s: %s", model, instead, error)  # noqa: TRY400
            return before
        self.refused.pop(model, None)
        return found


def _stamp(path: Path) -> _Stamp:
    """Return what changes whenever the file is written again, or None where there is none."""
    try:
        if isinstance(path, RemotePath):
            return path.fingerprint()
        status = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        # Reading it says so.
        return "a circle of links"
    return status.st_mtime_ns, status.st_ino, status.st_size
