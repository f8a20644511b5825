"""Several worker processes behind one port, as real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.config import ServeConfig
from serving.transports import workers
from serving.transports.sockets import bound
from serving.transports.workers import WorkersFailedError, supervise
from tests.serving.bundles import Endpoint, promote, serving
from tests.serving.transports.raw import LIVE, Raw, infer


def children(endpoint: Endpoint) -> dict[int, list[str]]:
    """Return the arguments of the endpoint's workers by process id."""
    listed = Path(f"/proc/{endpoint.process.pid}/task/{endpoint.process.pid}/children").read_text().split()
    commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_text().split("\0") for pid in listed}
    return {pid: command for pid, command in commands.items() if "serving.transports.worker" in command}


def wait_for(what: str, condition: object) -> None:
    """Wait until a function returns something true."""
    assert callable(condition)
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Endpoint]:
    promote(tmp_path / "models")
    with serving(tmp_path / "models", tmp_path / "log", "--set", "workers=2") as endpoint:
        pids = list(children(endpoint))
        yield endpoint
    wait_for("the workers outlive their supervisor", lambda: not any(map(alive, pids)))
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_killed_worker_costs_only_what_it_was_answering(pair: Endpoint) -> None:
    before = children(pair)
    assert len(before) == 2
    folder = Path(next(iter(before.values()))[4])
    assert folder.is_dir()
    assert {command[3] for command in before.values()} == {"0", "1"}
    stop = threading.Event()
    lost: list[int] = []
    answered: list[int] = []

    def ask(client: int) -> None:
        number = 0
        while not stop.is_set():
            with Raw(pair.url) as raw:
                try:
                    while not stop.is_set():
                        number += 1
                        raw.send(infer(f"{client}-{number}"))
                        answer = raw.answer()
                        assert (answer.status, answer.json["id"]) == (200, f"{client}-{number}")
                        answered.append(client)
                except (ConnectionError, AssertionError):
                    lost.append(client)

    clients = [threading.Thread(target=ask, args=(client,)) for client in range(8)]
    for client in clients:
        client.start()
    wait_for("nothing is answered", lambda: len(answered) > 50)
    killed = next(iter(before))
    os.kill(killed, signal.SIGKILL)
    wait_for("no worker takes the place", lambda: len(children(pair).keys() - {killed}) == 2)
    count = len(answered)
    wait_for("nothing is answered after the kill", lambda: len(answered) > count + 200)
    stop.set()
    for client in clients:
        client.join()
    assert len(lost) == len(set(lost)) <= 8
    assert sorted(command[3] for command in children(pair).values()) == ["0", "1"]
    assert pair.stop() == 0
    assert not folder.exists()


def test_workers_end_when_their_supervisor_is_killed(pair: Endpoint) -> None:
    with Raw(pair.url) as raw:
        raw.send(LIVE)
        assert raw.answer().status == 200
        pair.process.kill()
        assert raw.closed()


def test_what_no_worker_can_have_is_the_users_error(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    command = [sys.executable, "-m", "serving", "--store", str(tmp_path / "models"), "--set", "workers=2"]
    nowhere = f"log.access={tmp_path / 'models' / 'no' / 'file'}"
    (tmp_path / "models" / "no").write_text("a file where a folder should be")
    done = subprocess.run([*command, "--port", "0", "--set", nowhere], capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr, "cannot start" in done.stderr) == (2, False, True)


def test_a_worker_that_keeps_ending_ends_the_endpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(workers, "_MODULE", "tests.serving.transports.ends_at_once")
    monkeypatch.setattr(workers, "_FIRST_PAUSE_SECONDS", 0.001)
    with bound("127.0.0.1", 0, shared=True) as port:
        config = ServeConfig(store=tmp_path, workers=2)
        with pytest.raises(WorkersFailedError, match=r"5 times .* with code 7"):
            supervise(config, port.getsockname()[1], lambda _: None)


def test_a_shared_port_is_taken_for_everybody_else() -> None:
    with bound("127.0.0.1", 0, shared=True) as one:
        one.listen()
        port = one.getsockname()[1]
        with bound("127.0.0.1", port, shared=True) as other:
            assert other.getsockname()[1] == port
            with pytest.raises(OSError, match="in use"):
                bound("127.0.0.1", port)
