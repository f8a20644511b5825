"""The answers of one HTTP/1.1 connection, sent in the order in which the requests came."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from serving.service.exchange import Response
from serving.transports.heads import CLOSE, CONTINUE

if TYPE_CHECKING:
    from serving.transports.listener import Listener

_CLOSES = (b"connection", b"close")


class Sender(Protocol):
    """The side of a transport that answers are written to."""

    def write(self, data: bytes, /) -> None:
        """Send a buffer."""

    def writelines(self, list_of_data: list[bytes], /) -> None:
        """Send buffers."""


class Turn:
    """One request's place in the order of answers.

    Attributes:
        line: What the answer says about the connection; `CLOSE` makes it the last one.
        bodyless: Whether the answer's body is left out.
        response: The answer, once there is one.
        since: The listener's time when the request was complete; far in the future until then.
    """

    __slots__ = ("answers", "bodyless", "line", "response", "since")

    def __init__(self, answers: Answers, line: bytes, *, bodyless: bool) -> None:
        self.answers = answers
        self.line = line
        self.bodyless = bodyless
        self.response: Response | None = None
        self.since = math.inf

    def respond(self, response: Response) -> None:
        """Take the answer; it is sent as soon as all before it are."""
        self.response = response
        self.answers.send()


class Answers:
    """Sends what is ready, in order.

    Args:
        sent: Called after each sending; told whether the last answer of this connection was among it.

    Attributes:
        turns: The requests without an answer, and those whose answer waits for another before it.
        owes_continue: Whether the client of the last turn waits to hear that it should send the body.
    """

    __slots__ = ("_listener", "_sender", "_sent", "owes_continue", "turns")

    def __init__(self, listener: Listener, sent: Callable[[bool], None]) -> None:
        self.turns: deque[Turn] = deque()
        self.owes_continue = False
        self._listener = listener
        self._sent = sent
        self._sender: Sender | None = None

    def begin(self, sender: Sender) -> None:
        """Send to a transport from now on."""
        self._sender = sender

    def end(self) -> None:
        """Drop what was not sent, and what still comes."""
        self._sender = None
        # It is a method of the connection, which holds this: without the cycle, both are freed at once.
        self._sent = _nothing
        self.turns.clear()

    def turn(self, line: bytes, *, bodyless: bool) -> Turn:
        """Return the place of a new request, after all others."""
        turn = Turn(self, line, bodyless=bodyless)
        self.turns.append(turn)
        return turn

    def send(self) -> None:
        """Send every answer whose turn it is."""
        turns, sender = self.turns, self._sender
        # A connection that is gone has no turns.
        if not turns or turns[0].response is None or sender is None:
            return
        last = False
        while turns and not last and (response := turns[0].response) is not None:
            turn = turns.popleft()
            if response.headers and _CLOSES in response.headers:
                turn.line = CLOSE
            if self._listener.draining and not turns:
                turn.line = CLOSE
            last = turn.line is CLOSE
            pieces = self._listener.heads.pieces(response, turn.line, bodyless=turn.bodyless)
            if len(pieces) == 1:
                sender.write(pieces[0])
            else:
                sender.writelines(pieces)
        sent = self._sent
        if last:
            self.end()
        sent(last)

    def say_continue(self) -> None:
        """Let the client of the last turn send its body, if it waits for that and nothing is owed before."""
        if self.owes_continue and len(self.turns) == 1 and self._sender is not None:
            self.owes_continue = False
            self._sender.write(CONTINUE)


def _nothing(_last: bool) -> None:  # noqa: FBT001 - stands in for what takes it so
    return
