"""The guard as the service asks it, with exchanges that no transport carries."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest

from serving.config import ServeConfig
from serving.guard.gate import ACTIONS, Gate, check_door
from serving.guard.key_file import KeyFileError, add_key
from serving.guard.keys import KeysConfig
from serving.guard.limits import LimitsConfig
from serving.service.exchange import Exchange, Response
from serving.service.routes import Kind
from serving.service.service import Service

INFER = "/v2/models/small/infer"
OPEN = ("/v2/health/live", "/v2/health/ready")


class Asked:
    """A service without models, so whatever is let in ends as 404; and what it answered."""

    def __init__(self, folder: Path, keys: Path | None = None, **limits: Any) -> None:
        limits = {"target_wait_ms": None} | limits
        self.service = Service(
            ServeConfig(store=folder, limits=LimitsConfig(**limits), keys=KeysConfig(file=keys, poll_seconds=0.01))
        )
        self.answers: list[Response] = []
        self.waiting: list[Exchange] = []

    def open(
        self, path: str = INFER, headers: Sequence[tuple[bytes, bytes]] = (), client: str = "10.0.0.1"
    ) -> Response | None:
        """Return the answer to a request's head; None where its body is read next."""
        method = "POST" if path.endswith("/infer") else "GET"
        exchange = Exchange(method, path, "", headers, client, self.answers.append)
        count = len(self.answers)
        if self.service.open(exchange):
            self.waiting.append(exchange)
        return self.answers[-1] if len(self.answers) > count else None

    def status(self, *arguments: Any, **named: Any) -> int:
        answer = self.open(*arguments, **named)
        return answer.status if answer is not None else 200


def bearer(key: str) -> list[tuple[bytes, bytes]]:
    return [(b"host", b"x"), (b"authorization", f"Bearer {key}".encode())]


def test_every_kind_of_route_has_its_rule() -> None:
    assert set(ACTIONS) == {*get_args(Kind)}


def test_without_a_key_file_nobody_needs_a_key(tmp_path: Path) -> None:
    assert Asked(tmp_path).status("/v2") == 200


def test_only_health_is_open(tmp_path: Path) -> None:
    add_key(tmp_path / "k", "a", ["*"], ["predict"])
    asked = Asked(tmp_path, tmp_path / "k", max_in_flight=1)
    for path in OPEN:
        assert asked.status(path) == 200
    # It is let in, and then there is no such model.
    assert asked.status("/v2/models/small/ready") == 404
    for path in ("/v2", "/v2/", "/openapi.json", "/v2/models/small", INFER, "/v2/models/small/versions/1/infer"):
        assert asked.status(path) == 401, path


def test_a_key_in_either_header(tmp_path: Path) -> None:
    key = add_key(tmp_path / "k", "a", ["*"], ["predict", "describe"])
    asked = Asked(tmp_path, tmp_path / "k")
    raw = key.encode()
    assert asked.status("/v2", bearer(key)) == 200
    assert asked.waiting[-1].key == "a"
    assert asked.status("/v2", [(b"x-api-key", raw)]) == 200
    # A proxy may have put its own credentials into the other one.
    for order in (1, -1):
        assert asked.status("/v2", [(b"authorization", b"Basic eDp5"), (b"x-api-key", raw)][::order]) == 200
    assert asked.status("/v2", [(b"x-api-key", b"hr_a_b"), (b"authorization", raw)]) == 401


def test_what_a_key_does_not_count_for_looks_the_same_whether_it_exists(tmp_path: Path) -> None:
    key = add_key(tmp_path / "k", "a", ["mine"], ["predict"])
    asked = Asked(tmp_path, tmp_path / "k")
    answers = [asked.open(f"/v2/models/{name}/infer", bearer(key)) for name in ("other", "absent")]
    assert answers[0] is not None
    assert answers[1] is not None
    assert answers[0].status == answers[1].status == 403
    assert answers[0].body.replace(b"other", b"absent") == answers[1].body
    mine = asked.open("/v2/models/mine/infer", bearer(key))
    assert mine is not None
    assert (mine.status, mine.body) == (404, b'{"error":"this model, or this version of it, is not served"}')


def test_the_rate_counts_each_key_or_address(tmp_path: Path) -> None:
    asked = Asked(tmp_path, rate_per_second=0.001, burst=2)
    assert [asked.status() for _ in range(4)] == [404, 404, 429, 429]
    assert asked.answers[-1].headers[0][0] == b"retry-after"
    assert asked.status(client="10.0.0.2") == 404
    assert [asked.status(client=f"2001:db8::{number}") for number in range(3)] == [404, 404, 429]
    assert [asked.status(path) for path in OPEN] == [200, 200]
    keys = [add_key(tmp_path / "k", name, ["*"], ["predict"]) for name in ("a", "b")]
    asked = Asked(tmp_path, tmp_path / "k", rate_per_second=0.001, burst=1)
    assert [asked.status(INFER, bearer(key)) for key in (*keys, *keys)] == [404, 404, 429, 429]


def test_requests_under_way_are_counted_until_they_end(tmp_path: Path) -> None:
    asked = Asked(tmp_path, max_in_flight=2)
    # A refused request counts no more than one that was answered.
    assert [asked.status() for _ in range(5)] == [404] * 5
    assert [asked.status("/v2") for _ in range(3)] == [200, 200, 503]
    assert asked.answers[-1].headers == ((b"retry-after", b"1"),)
    first, second = asked.waiting
    asked.service.abandon(first)
    asked.service.abandon(first)
    assert [asked.status("/v2"), asked.status("/v2")] == [200, 503]
    asked.service.answer(second, b"")
    assert [asked.status("/v2"), asked.status("/v2")] == [200, 503]
    assert [asked.status(path) for path in OPEN] == [200, 200]


def test_one_client_cannot_take_every_place(tmp_path: Path) -> None:
    asked = Asked(tmp_path, max_in_flight_per_key=1)
    assert [asked.status("/v2"), asked.status("/v2"), asked.status("/v2", client="10.0.0.2")] == [200, 429, 200]


def test_overload_refuses_predictions_and_nothing_else() -> None:
    wait = {"seconds": 0.4}
    gate = Gate(LimitsConfig(target_wait_ms=600), KeysConfig(), lambda _exchange: wait["seconds"])
    gate._lag = lambda: 0.0  # type: ignore[assignment]
    service = Service(ServeConfig(store=Path()), [gate])
    service._guards = [gate]
    answers: list[Response] = []

    def statuses() -> list[int]:
        answers.clear()
        for path in (INFER, "/v2/models/small", *OPEN):
            exchange = Exchange("POST" if path == INFER else "GET", path, "", (), "", answers.append)
            if service.open(exchange):
                service.answer(exchange, b"")
        return [answer.status for answer in answers]

    assert statuses() == [503, 404, 200, 200]
    wait["seconds"] = 0.2
    assert statuses()[0] == 503
    wait["seconds"] = 0.1
    assert statuses()[0] == 404


@pytest.mark.parametrize(
    "length", [b"-1", b"+5", b"abc", b"1_0", b"", b" 5", b"0x10", b"9" * 5000, "٣".encode(), b"1,1"]
)
def test_a_length_that_is_no_number_is_the_clients_error(tmp_path: Path, length: bytes) -> None:
    answer = Asked(tmp_path).open(INFER, [(b"content-length", length)])
    assert answer is not None
    assert answer.status == 400
    assert b"content-length: expected a number of bytes" in answer.body
    assert answer.headers == ((b"connection", b"close"),)


def test_a_long_body_is_refused_before_it_is_read(tmp_path: Path) -> None:
    asked = Asked(tmp_path, max_body_bytes=100)
    assert asked.status(INFER, [(b"content-length", b"100")]) == 404
    assert asked.status(INFER, [(b"content-length", b"101")]) == 413
    assert asked.status(INFER, [(b"content-length", b"9" * 18)]) == 413


@pytest.mark.parametrize(
    ("host", "warned"), [("127.0.0.1", 0), ("::1", 0), ("localhost", 0), ("0.0.0.0", 1), ("::", 1)]
)
def test_an_open_door_is_warned_of(host: str, warned: int, caplog: pytest.LogCaptureFixture) -> None:
    check_door(host, KeysConfig())
    assert len(caplog.records) == warned


def test_a_missing_key_file_is_an_error_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="no such file"):
        check_door("127.0.0.1", KeysConfig(file=tmp_path / "absent.json"))
