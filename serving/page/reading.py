"""Reads what the training side writes beside a model, for people alone."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

logger = logging.getLogger(__name__)

_Document = TypeVar("_Document", bound=BaseModel)


def read_document(folder: Path, name: str, document: type[_Document]) -> _Document | None:
    """Read a file of a bundle; that it cannot be told must not keep the model from being served."""
    path = folder / name
    try:
        return document.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        logger.warning("%s tells nothing of the model: %s", path, error)
        return None
