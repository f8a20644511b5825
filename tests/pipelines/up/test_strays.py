"""Orphans that come to the supervisor only after it has looked are ended too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.up import supervisor
from pipelines.up.program import Program
from pipelines.up.supervisor import Supervisor


def test_an_orphan_that_was_the_child_of_one_that_is_dying_is_ended_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = Supervisor([Program("one", (sys.executable,), {}, tmp_path / "log")], print)
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    with subprocess.Popen(command) as dying, subprocess.Popen(command, start_new_session=True) as far:
        # As the system shows them: the second becomes this process's own when the first has ended.
        seen = iter([[dying.pid], [far.pid], []])
        monkeypatch.setattr(supervisor, "children", lambda: next(seen))
        group._end_strays()
        assert dying.poll() is not None
        assert far.poll() is not None
