"""The way down of the real process."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from tests.serving.bundles import Endpoint, promote, request, serving
from tests.serving.transports.raw import Raw, infer, post

READY = b"GET /v2/health/ready HTTP/1.1\r\nHost: x\r\n\r\n"
Start = Callable[..., AbstractContextManager[Endpoint]]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    folder = tmp_path_factory.mktemp("drain")
    promote(folder / "models")

    def start(**transport: float) -> AbstractContextManager[Endpoint]:
        more = [word for name, value in transport.items() for word in ("--set", f"transport.{name}={value}")]
        return serving(folder / "models", folder / "log", *more)

    yield start
    assert "Traceback" not in (folder / "log").read_text()


def wait_until_refused(endpoint: Endpoint) -> None:
    """Return once the endpoint takes no connections any more."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            Raw(endpoint.url).socket.close()
        except OSError:
            return
        time.sleep(0.01)
    pytest.fail("the endpoint still takes connections")


def test_what_was_begun_is_answered(start: Start) -> None:
    whole = post(json.dumps(request()).encode())
    with start() as endpoint, Raw(endpoint.url) as idle, Raw(endpoint.url) as begun, Raw(endpoint.url) as sent:
        # The line was printed, so it is ready.
        idle.send(READY)
        assert idle.answer().json == {"live": True, "ready": True}
        begun.send(whole[:-1])
        sent.send(infer("sent"))
        endpoint.process.send_signal(signal.SIGTERM)
        assert sent.answer().json["id"] == "sent"
        assert idle.closed()
        wait_until_refused(endpoint)
        begun.send(whole[-1:])
        answer = begun.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert begun.closed()
        assert endpoint.process.wait(20) == 0


def test_notice_is_given_first_and_the_rest_has_a_limit(start: Start) -> None:
    with start(notice_seconds=0.5, drain_seconds=0.3) as endpoint, Raw(endpoint.url) as begun:
        begun.send(infer("never")[:-1])
        endpoint.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 10
        ready = 200
        while ready == 200 and time.monotonic() < deadline:
            with Raw(endpoint.url) as raw:
                raw.send(READY)
                ready = raw.answer().status
        assert ready == 400
        assert begun.closed()
        assert endpoint.process.wait(20) == 0


def test_a_second_signal_ends_it_at_once(start: Start) -> None:
    with start(drain_seconds=1000) as endpoint, Raw(endpoint.url) as begun:
        begun.send(infer("never")[:-1])
        endpoint.process.send_signal(signal.SIGINT)
        wait_until_refused(endpoint)
        endpoint.process.send_signal(signal.SIGINT)
        assert endpoint.process.wait(20) == 128 + signal.SIGINT
        assert begun.closed()
