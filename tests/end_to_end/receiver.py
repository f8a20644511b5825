"""A local receiver of webhooks: a real server that keeps what it is sent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any


@dataclass
class Receiver:
    """What came, in order.

    Attributes:
        slow: While it is clear, no request is answered.
    """

    url: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    slow: Event = field(default_factory=Event)

    def outcomes(self) -> list[str]:
        return [message["outcome"] for message in self.messages]


@contextmanager
def receiving(path: str = "/hook") -> Iterator[Receiver]:
    """Run a receiver for the time of the block."""
    receiver = Receiver()
    receiver.slow.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.messages.append(json.loads(body))
            receiver.types.append(self.headers["Content-Type"])
            receiver.slow.wait(30)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}{path}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.slow.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def wait_for(holds: Callable[[], Any], what: str, seconds: float = 180) -> Any:
    """Return the first value of a condition that is true, or fail when the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"waited {seconds:g} s in vain for {what}")
