"""One artifact of the current run, as the Prefect UI can show it: a table, or markdown with plots as images inside."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.server_away import create_markdown_artifact, create_table_artifact
from tasks.report.svg import as_data_uri

# The UI takes every cell of a table for markdown: `>= 0.9` would be a quotation, and a pattern's stars would be gone.
_MARKUP = re.compile(r"[\\`*\[\]<>#|~$]|(?<!\w)_|_(?!\w)|^[-+](?=\s)")


def table(rows: Sequence[Mapping[str, Any]], *, key: str, description: str) -> None:
    """Show a table of texts; every row has the same columns."""
    shown = [{name: plain(value) for name, value in row.items()} for row in rows]
    create_table_artifact(shown, key=key, description=description)


def plain(value: Any) -> str:
    """Return a text as markdown that shows it as it is."""
    return _MARKUP.sub(r"\\\g<0>", str(value))


def markdown(text: str, *, key: str, description: str) -> None:
    """Show markdown."""
    create_markdown_artifact(text, key=key, description=description)


def image(name: str, svg: str) -> str:
    """Return a drawing as markdown; an image artifact would print the drawing's text beside the page."""
    return f"![{name}]({as_data_uri(svg)})"


def figure(value: Any) -> str:
    """Return a number in four digits; `none` where there is none."""
    return f"{value:.4g}" if isinstance(value, int | float) and math.isfinite(value) else "none"


def between(ends: tuple[float, float] | None) -> str:
    """Return an interval's ends; nothing where there is none."""
    return "" if ends is None else f"{figure(ends[0])} to {figure(ends[1])}"


def bound(comparison: str, value: float) -> str:
    """Return what a gate wants."""
    return f"{'at least' if comparison == '>=' else 'at most'} {value:g}"


def markdown_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a table as markdown; every row has the same columns, and there is at least one."""
    names = list(rows[0])
    lines = [names, ["---"] * len(names), *([row[name] for name in names] for row in rows)]
    return "\n".join(f"| {' | '.join(_cell(value) for value in line)} |" for line in lines)


def key_of(kind: str, name: str) -> str:
    """Return the key of what each pipeline or model has of its own, so that the UI keeps its history.

    Args:
        kind: Such as `summary`.
        name: The pipeline's or the model's.
    """
    return f"{kind}-{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}"


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
