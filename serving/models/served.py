"""The models that are served, kept in step with the store's champion pointers."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from serving.bundle.errors import BundleError, StoreError
from serving.bundle.places import RemotePath
from serving.bundle.store import ModelStore
from serving.errors import NotFoundError
from serving.models.loaded import LoadedModel

logger = logging.getLogger(__name__)

_Stamp = tuple[int, int, int] | str


class ServedModels:
    """One loaded champion per model of a store.

    A champion that cannot be loaded is refused and logged once, and the version before it serves on; it is tried again
    when the pointer is written again. A model whose pointer disappears is served on too: only a pointer changes what
    is served.

    Attributes:
        loaded: The champions by model name. Replaced entry by entry, so a request sees one version or the other.
        refused: Why the current champion of a model is not served.
    """

    def __init__(self, store: ModelStore, max_batch: int) -> None:
        self.loaded: dict[str, LoadedModel] = {}
        self.refused: dict[str, str] = {}
        self._store = store
        self._max_batch = max_batch
        self._stamps: dict[str, _Stamp] = {}

    def get(self, model: str, version: str | None = None) -> LoadedModel:
        """Return a loaded model.

        Args:
            model: The model's name.
            version: The version asked for; None for whichever is the champion.

        Raises:
            NotFoundError: It is not served.
        """
        found = self.loaded.get(model)
        if found is not None and version in {None, found.version}:
            return found
        served = ", ".join(f"{m.name} (version {m.version})" for m in list(self.loaded.values())[:20]) or "none"
        asked = f"model {model!r:.120}" + ("" if version is None else f" version {version!r:.120}")
        raise NotFoundError(f"{asked} is not served; served models: {served}")

    @property
    def ready(self) -> bool:
        """Whether every promoted model is served, be it by an older version while its champion is refused."""
        return self.refused.keys() <= self.loaded.keys()

    def refresh(self) -> None:
        """Load what changed in the store since the last call. Blocks; call it off the event loop."""
        for model in self._store.models():
            stamp = _stamp(self._store.pointer_path(model))
            if stamp is None or stamp == self._stamps.get(model):
                continue
            try:
                self._load(model)
            except (BundleError, StoreError) as error:
                self._refuse(model, str(error))
            # After an OSError this is not reached, so that the next call tries again.
            self._stamps[model] = stamp

    async def watch(self, seconds: float) -> None:
        """Refresh for ever, every so many seconds, in a thread."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await asyncio.to_thread(self.refresh)
            except OSError as error:
                # The store may be on a network disk that comes back; what is loaded does not need it.
                logger.warning("cannot look into the model store: %s", error)

    def _refuse(self, model: str, why: str) -> None:
        self.refused[model] = why
        kept = self.loaded.get(model)
        instead = f"version {kept.version} serves on" if kept else "nothing serves in its place"
        logger.error("refused the champion of model %s, %s: %s", model, instead, why)

    def _load(self, model: str) -> None:
        champion = self._store.champion(model)
        if champion is None:
            return
        path = self._store.bundle_path(model, champion.version)
        new = LoadedModel.load(path, champion.version, self._max_batch)
        if new.manifest.digest != champion.digest or new.name != model:
            raise BundleError.at(
                path,
                f"not the bundle that was promoted: expected model {model!r}, digest {champion.digest}, "
                f"got model {new.name!r}, digest {new.manifest.digest}",
            )
        self.loaded[model] = new
        self.refused.pop(model, None)
        logger.info("serving model %s version %s", model, champion.version)


def _stamp(path: Path) -> _Stamp | None:
    """Return what changes whenever the pointer is written again, or None where there is none."""
    try:
        if isinstance(path, RemotePath):
            return path.fingerprint()
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
