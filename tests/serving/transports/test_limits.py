"""The limits of HTTP connections, each tightened until a test can reach it."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.serving.bundles import Endpoint, promote, request, serving
from tests.serving.transports.raw import INFER, LIVE, Answer, Raw, infer, post

BODY = json.dumps(request()).encode()
MAX_IN_FLIGHT = 40
LIMITS = {
    "max_connections": 6,
    "max_head_bytes": 8192,
    "max_target_bytes": 200,
    "max_headers": 10,
    "max_pipelined": 4,
    "max_buffered_bytes": 1_000_000,
    "keep_alive_seconds": 0.8,
    "head_seconds": 0.4,
    "body_seconds": 0.4,
    "write_seconds": 0.4,
}


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    folder = tmp_path_factory.mktemp("strict")
    promote(folder / "models")
    more = [word for name, limit in LIMITS.items() for word in ("--set", f"transport.{name}={limit}")]
    with serving(folder / "models", folder / "log", *more, "--set", f"limits.max_in_flight={MAX_IN_FLIGHT}") as running:
        yield running
        assert "Traceback" not in (folder / "log").read_text()


def told(endpoint: Endpoint, data: bytes) -> Answer:
    """Return the answer to bytes after which the endpoint closes the connection."""
    with Raw(endpoint.url) as raw:
        raw.send(data)
        answer = raw.answer()
        assert answer.headers["connection"] == "close"
        assert raw.closed()
    return answer


@pytest.mark.parametrize(
    ("data", "status", "part"),
    [
        (b"GET /" + b"x" * 200 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "longer than 200 bytes"),
        (b"GET /" + b"x" * 100_000, 414, "longer than 200 bytes"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 10 + b"\r\n", 431, "more than 10 headers"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 20_000 + b"\r\n\r\n", 431, "larger than 8192 bytes"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 8192, 431, "larger than 8192 bytes"),
        (
            f"POST {INFER} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;".encode() + b"e" * 20_000,
            431,
            "larger than 8192 bytes",
        ),
        (b"GET /v2 HTTP/1.1\r\nHost", 408, "the head was not complete after 0.4 s"),
        (post(BODY)[:-1], 408, "the body was not complete after 0.4 s"),
    ],
)
def test_what_is_too_much_or_too_slow_is_refused(strict: Endpoint, data: bytes, status: int, part: str) -> None:
    answer = told(strict, data)
    assert (answer.status, part in answer.json["error"]) == (status, True)


def test_a_head_that_trickles_is_cut_off(strict: Endpoint) -> None:
    with Raw(strict.url) as raw:
        raw.send(b"GET /v2 HTTP/1.1\r\n")
        for _ in range(500):
            raw.send(b"A: b\r\n")
            if select.select([raw.socket], [], [], 0.02)[0]:
                break
        assert raw.answer().status == 408


def test_an_idle_connection_is_closed_without_a_word(strict: Endpoint) -> None:
    with Raw(strict.url) as silent, Raw(strict.url) as once:
        once.send(LIVE)
        assert once.answer().status == 200
        # Empty lines are allowed before a request, but are none.
        silent.send(b"\r\n\r\n")
        assert once.closed()
        assert silent.closed()


def test_one_connection_too_many_is_told_so(strict: Endpoint) -> None:
    with ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(Raw(strict.url)).send(b"G")
        answer = told(strict, b"")
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with Raw(strict.url) as raw:
            raw.send(LIVE)
            if raw.answer().status == 200:
                return
    pytest.fail("no connection was taken again")


def test_bodies_that_wait_are_bounded_over_all_connections(strict: Endpoint) -> None:
    first = post(b" " * 700_000)
    with Raw(strict.url) as waiting, Raw(strict.url) as refused:
        waiting.send(first[:-1])
        refused.send(first[:-1])
        answers = {answer.status for answer in (waiting.answer(), refused.answer())}
    # One for the memory that the other holds, which then takes too long.
    assert answers == {503, 408}
    with Raw(strict.url) as raw:
        raw.send(infer("after"))
        assert raw.answer().status == 200


def test_what_is_abandoned_is_no_longer_under_way(strict: Endpoint) -> None:
    for _ in range(MAX_IN_FLIGHT + 5):
        with Raw(strict.url) as raw:
            raw.send(post(BODY)[:-1])
    with Raw(strict.url) as raw:
        raw.send(infer("after"))
        assert raw.answer().status == 200


def test_no_client_waits_for_ever(tmp_path: Path) -> None:
    promote(tmp_path / "models")
    large = post(json.dumps(request(16_384)).encode())
    with serving(tmp_path / "models", tmp_path / "log", "--set", "transport.answer_seconds=0.02") as endpoint:
        with Raw(endpoint.url) as raw:
            raw.send(large * 4)
            statuses = []
            while 503 not in statuses:
                statuses.append(raw.answer().status)
            assert raw.closed()
        with Raw(endpoint.url) as raw:
            raw.send(LIVE)
            assert raw.answer().status == 200
        assert endpoint.stop() == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_more_pipelined_requests_than_may_wait_are_all_answered_in_order(strict: Endpoint) -> None:
    with Raw(strict.url) as raw:
        raw.send(b"".join(infer(str(number)) for number in range(100)))
        assert [raw.answer().json["id"] for _ in range(100)] == [str(number) for number in range(100)]


def test_a_client_that_takes_no_answers_is_read_no_further_and_cut_off(strict: Endpoint) -> None:
    ask = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    with Raw(strict.url) as raw:
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.socket.settimeout(20)
        with pytest.raises(ConnectionError):
            raw.send(ask * 1_000_000)
    lines = Path(f"/proc/{strict.process.pid}/status").read_text().splitlines()
    assert next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) < 200_000
    with Raw(strict.url) as raw:
        raw.send(LIVE)
        assert raw.answer().status == 200
