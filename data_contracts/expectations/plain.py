"""What the library found, as JSON that every reader takes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def plain_json(value: Any) -> Any:
    """Return a JSON value without the numbers that JSON lacks: NaN becomes null, an infinity its name."""
    if isinstance(value, dict):
        return {str(key): plain_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(part) for part in value]
    native = value.item() if isinstance(value, np.generic) else value
    if isinstance(native, float) and not math.isfinite(native):
        return None if math.isnan(native) else str(native)
    return native
