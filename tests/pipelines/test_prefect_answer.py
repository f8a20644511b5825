"""What a wrong `PREFECT_API_URL` is answered with, whatever stands there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from pipelines.prefect_answer import without_password
from pipelines.scheduling.server import PrefectServerError, connected
from pipelines.server_away import ServerAwayError, naming_server
from pipelines.up.command import _require_answer
from tasks.errors import ConfigError

Enter = Callable[[], AbstractContextManager[object]]


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """Answer every request with the same; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-type", "text/html" if body.startswith(b"<") else "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(("enter", "error"), [(naming_server, ServerAwayError), (connected, PrefectServerError)])
@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"<html>hello</html>", r"answers with text/html, not as the API .*\n  do: .*, such as http://.*/api$"),
        (200, b'{"a": 1}', "answers with other JSON, not as the API of a Prefect server"),
        (404, b'{"detail": "Not Found"}', r"answers with status 404, not as the API .*\n  do: .*/api$"),
        (401, b"who?", r"does not let this user in \(status 401\)\n  do: set PREFECT_API_KEY"),
        (500, b"oops", r"answers with status 500\n  do: look at that server's own log"),
    ],
)
def test_what_is_no_prefect_server_is_told_apart(
    enter: Enter, error: type[ValueError], status: int, body: bytes, said: str
) -> None:
    with (
        answering(status, body) as url,
        temporary_settings({PREFECT_API_URL: url}),
        pytest.raises(error, match=f"PREFECT_API_URL: .*{said}"),
        enter(),
    ):
        pytest.fail("it was taken for a Prefect server")


def test_a_server_that_is_well_is_used() -> None:
    with answering(200, b"true") as url, temporary_settings({PREFECT_API_URL: f"{url}/api"}):
        with naming_server(), connected() as client:
            assert str(client.api_url).startswith(url)
        _require_answer(f"{url}/api", "the test")


@pytest.mark.parametrize(
    ("status", "body", "said"), [(200, b"<html>", "answers with a page"), (404, b"{}", "answers with status 404")]
)
def test_a_group_does_not_start_beside_something_else(status: int, body: bytes, said: str) -> None:
    with answering(status, body) as url, pytest.raises(ConfigError, match=f"set by the test, {said}"):
        _require_answer(url, "the test")


def test_a_server_that_asks_who_is_there_is_there() -> None:
    with answering(401, b"who?") as url:
        _require_answer(url, "the test")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:4200/api", "http://127.0.0.1:4200/api"),
        ("https://ada:secret@host:4200/api", "https://ada:***@host:4200/api"),
    ],
)
def test_no_password_is_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown
