"""How numbers and names are written for people."""

from __future__ import annotations

import math
import re
from typing import Any

from markupsafe import Markup, escape

from tasks.metrics.table import METRIC


def figure(value: Any) -> str:
    """Write a value for people: thousands separated, four decimals, powers of ten where those would hide it."""
    if value is None:
        return "\N{EN DASH}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    return f"{value:.2g}" if abs(value) < 5e-4 or abs(value) >= 1e9 else f"{value:,.4f}"


def interval(ends: tuple[float, float] | None) -> str:
    """Write an interval; nothing where there is none."""
    return "" if ends is None else f"{figure(ends[0])} to {figure(ends[1])}"


def share(part: int, whole: int) -> str:
    """Write a part as a percentage; a small part is never shown as nothing."""
    percent = 100 * part / whole if whole else 0.0
    return "<0.1%" if 0 < percent < 0.1 else f"{percent:.1f}%"


def coded(text: str) -> Markup:
    """Write a sentence as HTML, what stands between backticks as code; all of it is escaped."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704


def label(name: str) -> str:
    """Return a metric's or a key's name for people."""
    return METRIC[name].label if name in METRIC else name.replace("_", " ")
