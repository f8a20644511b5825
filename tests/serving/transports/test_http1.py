"""HTTP/1.1 as the fast transport speaks it, over raw sockets."""

from __future__ import annotations

import itertools
import json
import socket
import struct

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.serving.bundles import Endpoint, request
from tests.serving.transports.raw import INFER, LIVE, Raw, infer, post

BODY = json.dumps(request()).encode()
CHUNKED = f"POST {INFER} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n".encode()


def test_a_connection_is_kept(endpoint: Endpoint) -> None:
    with Raw(endpoint.url) as raw:
        for identity in ("a", "b"):
            raw.send(infer(identity))
            answer = raw.answer()
            assert (answer.status, answer.json["id"]) == (200, identity)
            assert sorted(answer.headers) == ["content-length", "content-type", "date"]
            assert answer.headers["date"].endswith(" GMT")


def test_pipelined_requests_are_answered_in_order(endpoint: Endpoint) -> None:
    with Raw(endpoint.url) as raw:
        raw.send(infer("0") + LIVE + infer("1") + b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n" + infer("2"))
        answers = [raw.answer() for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 200, 404, 200]
    assert [answers[n].json["id"] for n in (0, 2, 4)] == ["0", "1", "2"]
    assert answers[1].json == {"live": True}


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(1, 1500), max_size=12))
def test_how_requests_are_cut_into_packets_changes_nothing(endpoint: Endpoint, cuts: list[int]) -> None:
    chunks = b"\r\n%x;a=b\r\n%b\r\n1\r\n%b\r\n0\r\nTrailer: x\r\n\r\n" % (len(BODY) - 1, BODY[:-1], BODY[-1:])
    asked_with_a_body = b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
    stream = infer("a") + CHUNKED + chunks + asked_with_a_body + infer("b")
    with Raw(endpoint.url) as raw:
        raw.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        places = [0, *sorted(cuts), len(stream)]
        for start, stop in itertools.pairwise(places):
            raw.send(stream[start:stop])
        answers = [raw.answer() for _ in range(4)]
    assert [answer.status for answer in answers] == [200] * 4
    assert [answer.json.get("id") for answer in answers] == ["a", None, None, "b"]


def test_a_request_may_come_byte_by_byte(endpoint: Endpoint) -> None:
    with Raw(endpoint.url) as raw:
        raw.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in infer("slow"):
            raw.send(bytes([byte]))
        assert raw.answer().json["id"] == "slow"


def test_expect_continue(endpoint: Endpoint) -> None:
    head = post(BODY, headers="Expect: 100-continue\r\n").removesuffix(BODY)
    with Raw(endpoint.url) as raw:
        raw.send(head)
        assert raw.answer().status == 100
        raw.send(BODY)
        assert raw.answer().status == 200
        # The answer before comes first.
        raw.send(infer("before") + head)
        assert raw.answer().json["id"] == "before"
        assert raw.answer().status == 100
        raw.send(BODY)
        assert raw.answer().status == 200


def test_a_refused_expectation_closes(endpoint: Endpoint) -> None:
    with Raw(endpoint.url) as raw:
        raw.send(post(BODY, "/v2/models/other/infer", "Expect: 100-continue\r\n").removesuffix(BODY))
        answer = raw.answer()
        assert (answer.status, answer.headers["connection"]) == (404, "close")
        assert raw.closed()


def test_head_tells_the_length_and_sends_no_body(endpoint: Endpoint) -> None:
    with Raw(endpoint.url) as raw:
        raw.send(LIVE.replace(b"GET", b"HEAD") + LIVE)
        assert raw.answer(bodyless=True).headers["content-length"] == "13"
        assert raw.answer().json == {"live": True}


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("GET /v2 HTTP/1.0\r\n\r\n", "close"),
        ("GET /v2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "keep-alive"),
        (
            "GET /v2 HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v2",
            "close",
        ),
        ("GET /v2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "close"),
        ("GET /v2 HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\nGET /v2 HTTP/1.1\r\nHost: x\r\n\r\n", "close"),
    ],
)
def test_what_is_said_of_the_connection_is_done(endpoint: Endpoint, head: str, line: str) -> None:
    with Raw(endpoint.url) as raw:
        raw.send(head.encode())
        answer = raw.answer()
        assert (answer.status, answer.headers["connection"]) == (200, line)
        if line == "keep-alive":
            raw.send(LIVE)
            assert raw.answer().status == 200
        else:
            assert raw.closed()


@pytest.mark.parametrize(
    "target", ["http://any:1/v2/models/small?x=1", "/v2/models/s%6Dall", "/v2/models/small?", "/v2/models/small?a=%zz"]
)
def test_targets(endpoint: Endpoint, target: str) -> None:
    with Raw(endpoint.url) as raw:
        raw.send(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert raw.answer().json["name"] == "small"


MALFORMED = {
    "no HTTP": b"hello\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303") + bytes(64),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "unknown method": b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
    "connect": b"CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "version": b"GET / HTTP/7.1\r\nHost: x\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "a space before the colon": b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "NUL in a header": b"GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n",
    "a control character in the target": b"GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
    "both lengths": CHUNKED + b"Content-Length: 3\r\n\r\n0\r\n\r\n",
    "two lengths": post(BODY, headers=f"Content-Length: {len(BODY) + 1}\r\n"),
    "a negative length": f"POST {INFER} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".encode(),
    "a huge length": f"POST {INFER} HTTP/1.1\r\nHost: x\r\nContent-Length: {'9' * 30}\r\n\r\n".encode(),
    "an unknown coding": f"POST {INFER} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: zip\r\n\r\n".encode(),
    "coded twice": CHUNKED + b"Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
    "a chunk's size": CHUNKED + b"\r\nzz\r\n",
    "a chunk's end": CHUNKED + b"\r\n2\r\n{}}\r\n0\r\n\r\n",
    "a chunk's huge size": CHUNKED + b"\r\nffffffffffffffffff\r\n",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_requests_are_answered_400_and_closed(endpoint: Endpoint, data: bytes) -> None:
    with Raw(endpoint.url) as raw:
        raw.send(LIVE + data)
        assert raw.answer().status == 200
        answer = raw.answer()
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert answer.json["error"]
        assert raw.closed()
    assert "Traceback" not in endpoint.log.read_text()


@pytest.mark.parametrize(
    "headers",
    [
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n",
        "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nExpect: 100-continue\r\n",
    ],
)
def test_a_wish_for_another_protocol_is_ignored(endpoint: Endpoint, headers: str) -> None:
    with Raw(endpoint.url) as raw:
        raw.send(post(BODY, headers=headers) + LIVE)
        answers = [raw.answer() for _ in range(3 if "Expect" in headers else 2)]
    assert answers[-2].json["model_name"] == "small"
    assert answers[-1].json == {"live": True}


@pytest.mark.parametrize("path", ["/nowhere", "/v2/health/live"])
def test_bodies_that_nobody_asked_for_are_passed_by(endpoint: Endpoint, path: str) -> None:
    body = b"x" * 100_000
    with Raw(endpoint.url) as raw:
        raw.send(post(body, path) + LIVE)
        assert raw.answer().status in {404, 405}
        assert raw.answer().json == {"live": True}


@pytest.mark.parametrize("declared", [True, False])
def test_a_client_that_sends_too_much_sees_why(endpoint: Endpoint, declared: bool) -> None:
    part = b" " * (1 << 20)
    with Raw(endpoint.url) as raw:
        if declared:
            raw.send(f"POST {INFER} HTTP/1.1\r\nHost: x\r\nContent-Length: {17 << 20}\r\n\r\n".encode())
        else:
            raw.send(CHUNKED + b"\r\n")
        for _ in range(17):
            raw.send(part if declared else b"%x\r\n%b\r\n" % (len(part), part))
        answer = raw.answer()
        assert (answer.status, answer.headers["connection"]) == (413, "close")
        assert raw.closed()


def test_a_client_that_only_listens_any_more_is_answered(endpoint: Endpoint) -> None:
    with Raw(endpoint.url) as raw:
        raw.send(infer("last"))
        raw.socket.shutdown(socket.SHUT_WR)
        assert raw.answer().json["id"] == "last"
        assert raw.closed()


def test_clients_that_vanish_cost_nothing(endpoint: Endpoint) -> None:
    big = post(json.dumps(request(16_384)).encode())
    for data in (infer("gone"), big, big[:50_000], LIVE * 50, CHUNKED + b"\r\n5\r\nab", b"GET"):
        for reset in (True, False):
            with Raw(endpoint.url) as raw:
                raw.send(data)
                if reset:
                    raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with Raw(endpoint.url) as raw:
        raw.send(infer("here"))
        assert raw.answer().json["id"] == "here"
    assert "Traceback" not in endpoint.log.read_text()


def test_large_answers_are_whole(endpoint: Endpoint) -> None:
    with httpx.Client(base_url=endpoint.url, timeout=30) as client:
        got = client.post(INFER, json=request(16_000)).json()
    assert len(got["outputs"][1]["data"]) == 32_000


def test_what_follows_the_last_answer_means_nothing(endpoint: Endpoint) -> None:
    refused = post(b"", headers="Expect: 100-continue\r\n", path="/nowhere")
    with Raw(endpoint.url) as raw:
        raw.send(refused + infer("ignored") + LIVE)
        assert raw.answer().status == 404
        assert raw.closed()
    assert "Traceback" not in endpoint.log.read_text()
