"""A process that tries beside others; started by `pipelines.search.processes`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from tasks.children import end_with_input


def main() -> None:
    """Read on standard input what to try, and try until it is done."""
    # A terminal sends Ctrl-C to all; the search itself hears it, and ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    line = sys.stdin.readline()
    # Before the imports, which take seconds.
    end_with_input()

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


if __name__ == "__main__":
    main()
