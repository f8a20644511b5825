"""The data half of the flow for images: from a source to features, as references of the same kinds as for tables."""

from __future__ import annotations

from typing import Any

from pipelines import bindings, wording
from pipelines.artifacts.of_data import show_accounting
from pipelines.image_config import ImagePipelineConfig
from pipelines.pieces import piece
from pipelines.run_state import Data, Run
from tasks.images.taken import require_taken, validation_of


def prepare_images(run: Run, config: ImagePipelineConfig) -> Data:
    """Run the data half: ingest to features, with augmented copies where the config asks for them.

    Raises:
        ContractBrokenError: Too many images cannot be taken.
    """
    asked, where = config.images, {"home": run.home, "dask": run.dask}
    raw = piece(bindings.ingest_images, wording.images, source=asked.source, config=asked.image, **where)
    require_taken(raw, asked.max_quarantined)
    clean = piece(bindings.deduplicate_images, wording.rows, images=raw, config=asked.duplicates, **where)
    split = piece(bindings.split_images, wording.split, images=clean, config=asked.split, **where)
    show_accounting(clean, split)
    placed: dict[str, Any] = {"images": clean, "split": split}
    fitted = piece(bindings.fit_images, wording.preprocessing, **placed, **where)
    learned: dict[str, Any] = {**placed, "preprocessing": fitted, **where}
    features = piece(bindings.transform_images, wording.rows, **learned)
    training = features
    if asked.copies is not None:
        copies = piece(bindings.augment_images, wording.rows, **placed, config=asked.copies, **where)
        training = piece(bindings.transform_images, wording.rows, **learned, copies=copies)
    return Data(
        raw=raw,
        validation=validation_of(raw),
        clean=clean,
        split=split,
        leaks=None,
        preprocessing=fitted,
        features=features,
        label_noise=None,
        training=training,
    )
