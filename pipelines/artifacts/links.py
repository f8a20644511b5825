"""Links that work from a browser on another machine; where there can be none, the path to copy.

Browsers follow no `file:` link of a page that came over HTTP, so what lies on a disk is linked to only where somebody
serves it.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

# Where the endpoint answers people, such as `http://models.example.org:8080`.
ENDPOINT_URL = "HEADRACE_ENDPOINT_URL"
# Where the folder `runs` of Headrace's home can be read, such as `http://files.example.org/runs`.
RUNS_URL = "HEADRACE_RUNS_URL"


def to_model(model: str, version: str | int | None = None) -> str | None:
    """Return the address of a model's card on the endpoint's page; None where no endpoint is named.

    Args:
        model: The model.
        version: One of its versions; None for the champion of the day.
    """
    base = os.environ.get(ENDPOINT_URL)
    if not base:
        return None
    place = "/".join(quote(str(part), safe="") for part in (model, version) if part is not None)
    return f"{base.rstrip('/')}/#{place}"


def to_document(path: Path, runs: Path, said: str) -> str:
    """Return a run's document as markdown: a link where runs are served, and always its path.

    Args:
        path: The document, in a run's folder.
        runs: The folder of all runs.
        said: What it is.
    """
    base = os.environ.get(RUNS_URL)
    if not base:
        return f"{said}: `{path}`"
    within = "/".join(quote(part) for part in path.relative_to(runs).parts)
    return f"[{said}]({base.rstrip('/')}/{within}): `{path}`"
