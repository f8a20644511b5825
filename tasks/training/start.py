"""Where a training starts from: the section `train.start_from`, and how a checkpoint is found by it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, PositiveFloat, model_validator

from serving.bundle.errors import BundleError, StoreError
from serving.bundle.read import read_manifest
from serving.bundle.store import ModelStore
from tasks.errors import ConfigError, IntegrityError
from tasks.models.checkpoint import DESCRIPTION
from tasks.references import CheckpointRef
from tasks.storage import beside, digest_folder, is_whole, place

_CHAMPION = "champion"


class StartConfig(BaseModel):
    """`start_from: {checkpoint: FOLDER, ...}` or `start_from: {bundle: model@version, ...}`.

    A pattern is a parameter's name, the beginning of one up to a point, or has `*`, as in `blocks.*.bias`.

    Attributes:
        checkpoint: A checkpoint's folder.
        bundle: `model@version` or `model@champion` in the model store, or a bundle's folder.
        new_head: Whether the layer that gives the scores starts anew, for another target.
        fresh: Patterns of other parameters that start anew.
        freeze: Patterns of parameters that stay as they are.
        learning_rates: By what the learning rate is multiplied, by pattern; of several that fit, by all of them.
        digest: The checkpoint's. A run fills it in, so that another checkpoint at the same place is another training.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    checkpoint: str | None = None
    bundle: str | None = None
    new_head: bool = False
    fresh: tuple[str, ...] = ()
    freeze: tuple[str, ...] = ()
    learning_rates: Mapping[str, PositiveFloat] = {}
    digest: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> StartConfig:
        if (self.checkpoint is None) == (self.bundle is None):
            given = "neither" if self.checkpoint is None else "both"
            raise ValueError(f"expected `checkpoint` or `bundle`, got {given}\n  do: name one of them")
        return self

    @property
    def source(self) -> CheckpointRef:
        """The checkpoint of a config that `located` has completed."""
        assert self.checkpoint is not None
        assert self.digest is not None
        return CheckpointRef(path=self.checkpoint, digest=self.digest)


def start_beside(start: StartConfig | None, folder: Path) -> StartConfig | None:
    """Return a config whose relative places are taken from a folder."""
    if start is None:
        return None
    if start.checkpoint is not None:
        return start.model_copy(update={"checkpoint": str(beside(folder, start.checkpoint))})
    bundle = str(start.bundle)
    return start if _is_version(bundle) else start.model_copy(update={"bundle": str(beside(folder, bundle))})


def located(start: StartConfig, home: Path) -> StartConfig:
    """Return a config that names the checkpoint by its folder and digest.

    Args:
        start: The section `train.start_from`.
        home: Holds the model store and the checkpoints.

    Raises:
        ConfigError: There is no such checkpoint or bundle, or the bundle's checkpoint is gone.
        IntegrityError: The checkpoint is no longer the one of the config's digest.
    """
    folder = place(start.checkpoint) if start.checkpoint is not None else _of_bundle(str(start.bundle), home)
    if not (folder / DESCRIPTION).exists():
        raise ConfigError(
            f"train.start_from.checkpoint: {folder} is no checkpoint; it has no {DESCRIPTION}\n"
            "  do: name a folder of `checkpoints/`; a run's references.json says which is its own"
        )
    digest = digest_folder(folder)
    if start.digest not in {None, digest}:
        raise IntegrityError(
            f"{folder}: expected the checkpoint {start.digest}, found {digest}\n  do: run the pipeline again"
        )
    return start.model_copy(update={"checkpoint": str(folder), "bundle": None, "digest": digest})


def _of_bundle(bundle: str, home: Path) -> Path:
    try:
        folder = _bundle_folder(bundle, home)
        made_of = read_manifest(folder).proofs.get("checkpoint", {}).get("digest")
    except (BundleError, StoreError) as error:
        raise ConfigError(f"train.start_from.bundle: {error}") from error
    if made_of is None:
        raise ConfigError(
            f"train.start_from.bundle: {folder} does not say of which checkpoint it was made\n"
            "  do: run its pipeline again, or name a checkpoint's folder by `checkpoint`"
        )
    checkpoint = home / "checkpoints" / str(made_of)
    if not is_whole(checkpoint):
        raise ConfigError(
            f"train.start_from.bundle: {bundle} was made of a checkpoint that is gone, {checkpoint}\n"
            "  do: run its pipeline again, which trains it anew, or name the place where it is by `checkpoint`"
        )
    return checkpoint


def _bundle_folder(bundle: str, home: Path) -> Path:
    if not _is_version(bundle):
        return place(bundle)
    model, _, version = bundle.partition("@")
    store = ModelStore(home / "models")
    if version != _CHAMPION:
        return store.bundle_path(model, version)
    champion = store.champion(model)
    if champion is None:
        raise StoreError(f"model {model} has no champion\n  do: name a version, such as {model}@1")
    return store.bundle_path(model, champion.version)


def _is_version(bundle: str) -> bool:
    return "@" in bundle and "/" not in bundle
