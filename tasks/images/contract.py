"""The contract of a dataset of images, derived from what the config says they are: pixels of one shape, and a class."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from data_contracts.contract import Column, Contract
from tasks.images.config import ImagesConfig
from tasks.images.layout import CLASS, IMAGE
from tasks.storage import digest_of, write_atomic

FILE = "contract.odcs.yaml"
_VERSION = "1.0.0"


def derive_contract(name: str, config: ImagesConfig) -> Contract:
    """Return the contract; `write_contract` makes the file that its path names.

    Nobody has written it, so it says no more than the config does: the shape of an image, the range of a pixel, and
    the classes where the config names them. What an image must be to be taken is the config's section `image`.

    Args:
        name: The dataset's name.
        config: What images become, and their classes.
    """
    target = Column(name=CLASS, logical_type="string", required=True, enum=config.source.classes)
    digest = digest_of(_document(name, config))
    return Contract(name=name, version=_VERSION, path=FILE, digest=digest, columns=(target,))


def write_contract(name: str, config: ImagesConfig, folder: Path) -> Contract:
    """Write the contract as an ODCS file into a folder, and return it."""
    text = io.StringIO()
    YAML().dump(_document(name, config), text)
    write_atomic(folder / FILE, text.getvalue().encode())
    return derive_contract(name, config).model_copy(update={"path": str(folder / FILE)})


def _document(name: str, config: ImagesConfig) -> dict[str, Any]:
    image = config.image
    target: dict[str, Any] = {"name": CLASS, "logicalType": "string", "required": True}
    if config.source.classes is not None:
        target["enum"] = [{"value": each} for each in config.source.classes]
    return {
        "apiVersion": "v3.1.0" if config.source.classes is None else "v3.2.0",
        "kind": "DataContract",
        "id": name,
        "name": name,
        "version": _VERSION,
        "status": "active",
        "schema": [
            {
                "name": name,
                "logicalType": "object",
                "properties": [
                    {"name": IMAGE, "required": True, **_pixels(image.height, image.width, image.mode)},
                    target,
                ],
            }
        ],
    }


def _pixels(height: int, width: int, mode: str) -> Mapping[str, Any]:
    levels: dict[str, Any] = {"logicalType": "integer", "logicalTypeOptions": {"minimum": 0, "maximum": 255}}
    for size in (3 if mode == "RGB" else 1, width, height):
        levels = {
            "logicalType": "array",
            "logicalTypeOptions": {"minItems": size, "maxItems": size},
            "items": levels,
        }
    return levels
