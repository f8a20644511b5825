"""A process that tries beside others; started by `pipelines.search.processes`."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path


def main() -> None:
    """Read on standard input what to try, and try until it is done."""
    # A terminal sends Ctrl-C to all; the search itself hears it, and ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    line = sys.stdin.readline()
    # Before the imports, which take seconds.
    threading.Thread(target=_end_with_parent, daemon=True).start()

    from pipelines import environment  # noqa: PLC0415 - Prefect reads its settings when it is first imported

    environment.prepare()
    from pipelines.cli.console import watching  # noqa: PLC0415
    from pipelines.config import load_pipeline  # noqa: PLC0415
    from pipelines.search.flow import search_beside  # noqa: PLC0415
    from pipelines.search.processes import told  # noqa: PLC0415
    from pipelines.search.study import Trials  # noqa: PLC0415

    asked = told(line)
    search = load_pipeline(Path(asked.config), asked.overrides).search
    assert search is not None, "whoever started this process has one"
    with watching():
        search_beside(asked, Trials(asked.place, search, asked.metric))


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, however it went: its end of the pipe closes."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
