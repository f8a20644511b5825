"""The model store: versioned bundles, and for each model a pointer to its champion.

    <root>/<model>/<version>/     one bundle; written once, never changed
    <root>/<model>/champion       `Champion` as JSON; replaced atomically
    <root>/<model>/traffic        `TrafficPlan` as JSON, where anything is served beside the champion

The root is a folder or a place in an object store. Writers of one model exclude each other by a lock on the model's
folder; readers need none. An object store has no locks: there two promotions of one model at the same moment end with
one of the two champions, and with one entry of the history.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from serving.bundle.errors import BundleError, StoreError
from serving.bundle.manifest import BundleManifest
from serving.bundle.pointers import read_pointer
from serving.bundle.read import open_bundle, read_manifest
from serving.bundle.traffic import TRAFFIC, TrafficPlan, read_traffic, write_traffic
from serving.bundle.writing import building, folder_names, locked, replace_file, settle, version_names

CHAMPION = "champion"
HISTORY_LENGTH = 100
# No dot first, no separator anywhere: such a name cannot leave the store's folder.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


class StoredVersion(BaseModel):
    """One version of a model and the digest of its bundle."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    digest: str


class Champion(StoredVersion):
    """The content of the pointer.

    Attributes:
        history: The champions before this one, oldest first, at most `HISTORY_LENGTH`; a rollback takes the last.
    """

    history: tuple[StoredVersion, ...] = ()


class ModelStore:
    """The bundles below one folder. Nothing is cached: every call reads what is on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def models(self) -> tuple[str, ...]:
        """Return the names of the models, sorted; a store that does not exist yet has none."""
        return tuple(sorted(filter(_is_name, folder_names(self.root))))

    def versions(self, model: str) -> tuple[str, ...]:
        """Return a model's versions, oldest first (1, 2, ..., 10); an unknown model has none."""
        return tuple(sorted(filter(_is_name, version_names(self._folder(model))), key=_by_number))

    def bundle_path(self, model: str, version: str) -> Path:
        """Return the folder of a version, which need not exist.

        Raises:
            StoreError: Either name could lead out of the store.
        """
        return self._folder(model) / _checked("version", version)

    def pointer_path(self, model: str) -> Path:
        """Return the file that names a model's champion, which need not exist."""
        return self._folder(model) / CHAMPION

    def champion(self, model: str) -> Champion | None:
        """Return the champion of a model, or None where no version was promoted yet.

        Raises:
            StoreError: The pointer is corrupt.
        """
        path = self.pointer_path(model)
        content = read_pointer(path)
        if content is None:
            return None
        try:
            champion = Champion.model_validate_json(content)
        except ValidationError as error:
            raise StoreError(
                f"{path}: the champion pointer is corrupt: {error.errors()[0]['msg']}\n"
                "  do: promote a version again (`headrace models promote`)"
            ) from error
        _checked("version", champion.version)
        return champion

    def register(self, model: str, build: Callable[[Path], None]) -> StoredVersion:
        """Add a bundle as the model's next version (1, 2, ...), whole or not at all.

        Args:
            model: The model's name; the bundle's manifest must say the same.
            build: Fills the empty folder it is given with the bundle's files.

        Returns:
            The new version, or the one that already holds a bundle of the same digest.

        Raises:
            BundleError: The built bundle is broken.
            StoreError: The bundle belongs to another model.
        """
        folder = self._folder(model)
        with building(folder) as built:
            build(built)
            manifest = open_bundle(built)
            if manifest.model != model:
                raise StoreError(f"the bundle belongs to model {manifest.model!r}, not to {model!r}")
            with locked(folder):
                known = self._version_of(model, manifest)
                version = known or settle(built, folder, manifest.digest, self._first_free(model))
        return StoredVersion(version=version, digest=manifest.digest)

    def set_champion(self, model: str, version: str) -> Champion:
        """Point a model at a version after checking its bundle; the old champion goes to the history.

        Raises:
            StoreError: The model has no such version.
            BundleError: The version's bundle is broken; the champion stays.
        """
        manifest = self._open(model, version)
        with locked(self._folder(model)):
            old = self.champion(model)
            if old is not None and (old.version, old.digest) == (version, manifest.digest):
                return old
            history = () if old is None else (*old.history, StoredVersion(version=old.version, digest=old.digest))
            new = Champion(version=version, digest=manifest.digest, history=history[-HISTORY_LENGTH:])
            self._point(model, new, version)
        return new

    def rollback(self, model: str) -> Champion:
        """Point a model back at the champion before this one, which leaves the history.

        Raises:
            StoreError: There is no earlier champion, or its bundle is no longer the one that was promoted.
            BundleError: The earlier champion's bundle is broken; the champion stays.
        """
        with locked(self._known_folder(model)):
            now = self.champion(model)
            if now is None or not now.history:
                raise StoreError(f"model {model!r} has no earlier champion to go back to\n  do: promote a version")
            *history, earlier = now.history
            digest = open_bundle(self.bundle_path(model, earlier.version)).digest
            if digest != earlier.digest:
                raise StoreError(
                    f"version {earlier.version!r} of model {model!r} is not the bundle that was promoted: "
                    f"expected digest {earlier.digest}, got {digest}"
                )
            new = Champion(version=earlier.version, digest=digest, history=tuple(history))
            self._point(model, new, earlier.version, now.version)
        return new

    def traffic_path(self, model: str) -> Path:
        """Return the file of a model's traffic plan, which need not exist."""
        return self._folder(model) / TRAFFIC

    def traffic(self, model: str) -> TrafficPlan:
        """Return what is served of a model beside its champion.

        Raises:
            StoreError: The traffic plan is corrupt.
        """
        return read_traffic(self.traffic_path(model))

    def set_traffic(self, model: str, change: Callable[[TrafficPlan], TrafficPlan]) -> TrafficPlan:
        """Change a model's traffic plan after checking the bundles of the versions that it newly names.

        Args:
            model: The model's name.
            change: Takes the plan that there is and returns the new one.

        Raises:
            StoreError: There is no such model or version, or the plan that there is is corrupt.
            BundleError: The bundle of a newly named version is broken; the plan stays.
        """
        folder = self._known_folder(model)
        with locked(folder):
            old = self.traffic(model)
            new = change(old)
            for version in sorted(
                {version for version, _ in new.versions()} - {version for version, _ in old.versions()}
            ):
                self._open(model, version)
            write_traffic(self.traffic_path(model), new)
        return new

    def clear_traffic(self, model: str) -> None:
        """Serve nothing beside a model's champion, whatever the plan said; a retired model stays retired.

        A corrupt plan says nothing, not even that.

        Raises:
            StoreError: There is no such model.
        """
        with locked(self._known_folder(model)):
            try:
                retired = self.traffic(model).retired
            except StoreError:
                retired = False
            write_traffic(self.traffic_path(model), TrafficPlan(retired=retired))

    def _folder(self, model: str) -> Path:
        return self.root / _checked("model", model)

    def _known_folder(self, model: str) -> Path:
        folder = self._folder(model)
        if not folder.is_dir():
            raise StoreError(f"{self.root} has no model {model!r}; it has: {', '.join(self.models()) or 'none'}")
        return folder

    def _open(self, model: str, version: str) -> BundleManifest:
        path = self.bundle_path(model, version)
        if not path.is_dir():
            raise StoreError(
                f"model {model!r} has no version {version!r} in {self.root}; it has: "
                f"{', '.join(self.versions(model)) or 'none'}"
            )
        return open_bundle(path)

    def _first_free(self, model: str) -> int:
        return 1 + max((int(version) for version in self.versions(model) if version.isdecimal()), default=0)

    def _version_of(self, model: str, manifest: BundleManifest) -> str | None:
        for version in self.versions(model):
            try:
                stored = read_manifest(self.bundle_path(model, version))
            except BundleError:
                # A broken old version must not stop a new one from coming in.
                continue
            if stored.digest == manifest.digest:
                return version
        return None

    def _point(self, model: str, champion: Champion, *settled: str) -> None:
        """Move the pointer, then end what the plan tried with these versions: they were judged."""
        content = (json.dumps(champion.model_dump(mode="json"), indent=2) + "\n").encode()
        replace_file(self.pointer_path(model), content)
        try:
            plan = self.traffic(model)
        except StoreError:
            # A rollback must not wait for the repair of a plan that the endpoint refuses anyway.
            return
        if plan.without(*settled) != plan:
            write_traffic(self.traffic_path(model), plan.without(*settled))


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def _checked(what: str, name: str) -> str:
    if not _is_name(name):
        raise StoreError(
            f"{name!r:.120} is no {what} name: expected letters, digits, '_', '-' and '.', no '.' first, at most 100"
        )
    return name


def _by_number(name: str) -> tuple[int, int, str]:
    return (0, int(name), name) if name.isdecimal() else (1, 0, name)
