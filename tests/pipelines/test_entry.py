"""Ctrl-C while the program is still being imported: no traceback, and the exit code of a shell."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# What comes before is the interpreter's own start, where no program is asked.
PROGRAM = """
from pipelines.early_interrupt import be_quiet
from pipelines.entry import main
be_quiet()
print('up', flush=True)
main()
"""


def stopped_after(seconds: float, *arguments: str) -> tuple[int, str, str]:
    """Send SIGINT to a real `headrace` so many seconds after its first line of code."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=60)
    return process.returncode, out, error


@pytest.mark.parametrize("seconds", [0.0, 0.03, 0.08, 0.2, 0.45])
def test_it_ends_quietly(seconds: float) -> None:
    config = Path(__file__).parents[2] / "pipelines" / "configs" / "flights.yaml"
    code, out, error = stopped_after(seconds, "check", str(config), "--set", "source.path=nowhere")
    # A machine so fast that it was done by then has refused the source.
    assert code in {130, 2}
    assert out == ""
    assert "Traceback" not in error
    assert code == 2 or error.strip() in {"", "stopped; nothing half-written stays: run the same command again"}


def test_who_ignores_it_goes_on_doing_so() -> None:
    ignoring = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); {PROGRAM}"
    command = [sys.executable, "-c", ignoring, "--version"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, "version" in out) == (0, True)
