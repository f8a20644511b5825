"""A call in a process of its own ends as the call in this one would, and never outlives who asked for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.own_process import in_own_process
from tasks.errors import DataError

ROOT = Path(__file__).parents[2]


def whose(text: str, *, times: int) -> tuple[str, int]:
    return text * times, os.getpid()


def refuse() -> None:
    raise DataError("customers.csv:3: no such day")


def break_down() -> None:
    raise KeyError("never to be seen by a user")


class NeedsMoreThanItsMessageError(Exception):
    def __init__(self, message: str, *, response: object) -> None:
        super().__init__(message)
        self.response = response


def break_down_strangely() -> None:
    raise NeedsMoreThanItsMessageError("status 418", response=None)


def hold_what_cannot_travel() -> None:
    raise NeedsMoreThanItsMessageError("status 418", response=lambda: None)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave() -> None:
    os._exit(3)


def last_for_ever(written: Path) -> None:
    written.write_text(str(os.getpid()))
    time.sleep(600)


def test_it_returns_what_the_function_returns_and_runs_elsewhere() -> None:
    text, process = in_own_process(whose)("ab", times=2)
    assert text == "abab"
    assert process != os.getpid()


def test_an_error_is_raised_as_it_was() -> None:
    with pytest.raises(DataError, match=r"customers\.csv:3: no such day"):
        in_own_process(refuse)()


def test_an_error_that_nobody_foresaw_says_where_it_came_from() -> None:
    with pytest.raises(KeyError) as caught:
        in_own_process(break_down)()
    assert "in break_down" in caught.value.__notes__[0]


@pytest.mark.parametrize("function", [break_down_strangely, hold_what_cannot_travel])
def test_an_error_that_cannot_be_sent_is_told_in_its_words(function: Callable[[], None]) -> None:
    with pytest.raises(RuntimeError, match="NeedsMoreThanItsMessageError: status 418") as caught:
        in_own_process(function)()
    assert f"in {function.__name__}" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("function", "how"),
    [(die, "die: its process was killed by SIGKILL"), (leave, "leave: .* ended with exit status 3")],
)
def test_a_process_that_dies_is_worth_another_try(function, how: str) -> None:
    with pytest.raises(OSError, match=how):
        in_own_process(function)()


def test_it_ends_with_the_process_that_called(tmp_path: Path) -> None:
    written = tmp_path / "pid"
    program = (
        "from pathlib import Path\n"
        "from pipelines.own_process import in_own_process\n"
        "from tests.pipelines.test_own_process import last_for_ever\n"
        f"in_own_process(last_for_ever)(Path({str(written)!r}))\n"
    )
    caller = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    try:
        _until(lambda: written.exists() and written.read_text() != "")
    finally:
        caller.kill()
        caller.wait()
    _until(lambda: not _runs(int(written.read_text())))


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _until(holds, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)
