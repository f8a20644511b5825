from __future__ import annotations

import io
import logging
import os
import pty
import re
import subprocess
import sys
import threading
import time

import pytest
from rich.console import Console

from pipelines.cli.console import watching
from pipelines.cli.live_view import LiveView

# What a run says, in a process of its own: its standard error is what is looked at.
RUN = """
import logging, time
from pipelines.cli.console import watching
from tasks.progress import measured, progress
with watching(quiet={quiet}):
    with progress("train", 1, "piece"), progress("training", 300, "steps") as advance:
        for place in range(3):
            advance(100)
            measured("round", {{"round": place, "log_loss": 0.5}})
            time.sleep({pause})
    logging.getLogger("pipelines").info("train      3 rounds %s", "1.0 s")
"""


def drawn(view: LiveView, width: int = 90) -> str:
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as captured:
        console.print(view)
    return captured.get().removesuffix("\n")


def test_one_line_says_which_piece_how_far_how_fast_and_how_long() -> None:
    view = LiveView()
    assert drawn(view).startswith("starting   0 s")
    with view.bar("train", 1, "piece"):
        assert drawn(view).startswith("train      0 s")
        with view.bar("training", 400, "steps") as advance:
            advance(100)
            view.read("round", {"round": 2.0, "log_loss": 0.5})
            rate = r"100 of 400 steps, \S+ a second, \S+ s left"
            assert re.fullmatch(rf"train      ━{{5}} {{16}}{rate} · round 2: log_loss 0.5", drawn(view, 160))
    assert drawn(view).startswith("working")


@pytest.mark.parametrize("width", [20, 40, 80])
def test_a_narrow_terminal_still_has_one_line(width: int) -> None:
    view = LiveView()
    with view.bar("validate", 400, "partitions") as advance:
        advance(7)
        view.read("round", {"round": 2.0, "a_long_name_of_a_metric": 0.5})
        said = drawn(view, width)
    assert "\n" not in said
    assert len(said) <= width
    assert said.startswith("validate")


def test_what_threads_count_is_not_lost() -> None:
    view = LiveView()
    with view.bar("clean", 40_000, "partitions") as advance:

        def count() -> None:
            for _ in range(10_000):
                advance()

        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert "40,000 of 40,000 partitions" in drawn(view)


def run_script(*, quiet: bool) -> str:
    script = RUN.format(quiet=quiet, pause=0)
    # What would make Rich believe in a terminal that is not there.
    environment = {**os.environ, "FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == ""
    return done.stderr


def test_what_is_no_terminal_gets_plain_lines() -> None:
    assert run_script(quiet=False) == "train      3 rounds 1.0 s\n"


def test_quiet_says_nothing_on_the_way() -> None:
    assert run_script(quiet=True) == ""


def test_a_terminal_is_refreshed_at_most_twice_a_second_and_left_clean() -> None:
    began = time.monotonic()
    main, terminal = pty.openpty()
    script = RUN.format(quiet=False, pause=0.3)
    process = subprocess.Popen([sys.executable, "-c", script], stderr=terminal, env={**os.environ, "TERM": "xterm"})
    os.close(terminal)
    said = b""
    try:
        while part := os.read(main, 4096):
            said += part
    except OSError:  # the other end is closed
        pass
    assert process.wait() == 0
    os.close(main)
    text = said.decode()
    # Beside those by the clock: the first and the last picture, and one below the line that was printed.
    pictures = re.findall(r"(?:starting|train|working) +(?:\x1b|\d+ s)", text)
    assert 2 <= len(pictures) <= 2 * (time.monotonic() - began) + 3
    assert " of 300 steps" in text
    assert "\x1b[?25l" in text
    assert text.rindex("\x1b[?25h") > text.rindex("3 rounds"), "the cursor is shown again"
    assert re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).rstrip().rsplit("\n", 1)[-1].strip().startswith("working")


def test_loggers_are_left_as_they_were() -> None:
    before = {room: list(logging.getLogger(room).handlers) for room in ("data_contracts", "pipelines", "tasks")}
    with watching():
        pass
    assert {room: list(logging.getLogger(room).handlers) for room in before} == before
