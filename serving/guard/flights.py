"""How many requests may be under way at once."""

from __future__ import annotations

from serving.guard.refusals import OverloadedError, RateLimitedError

_SOON = 1.0


class Flights:
    """Counts the requests under way, in the whole process and for each client.

    Args:
        most: In the process; None for no limit.
        most_per_client: Of one client; None for no limit.

    Attributes:
        count: The requests under way now.
    """

    def __init__(self, most: int | None, most_per_client: int | None) -> None:
        self.count = 0
        self._most = most
        self._most_per_client = most_per_client
        self._of_clients: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._of_clients)

    def begin(self, client: str) -> None:
        """Count a request, until `end`.

        Raises:
            OverloadedError: As many as may be are under way in the process.
            RateLimitedError: As many as may be are under way for this client.
        """
        if self._most is not None and self.count >= self._most:
            raise OverloadedError(f"the endpoint is busy: {self._most} requests are under way", _SOON)
        if self._most_per_client is not None:
            count = self._of_clients.get(client, 0)
            if count >= self._most_per_client:
                raise RateLimitedError(f"{count} requests of this client are under way, as many as may be", _SOON)
            self._of_clients[client] = count + 1
        self.count += 1

    def end(self, client: str) -> None:
        """Count a request no longer."""
        self.count -= 1
        if self._most_per_client is not None:
            left = self._of_clients[client] - 1
            if left:
                self._of_clients[client] = left
            else:
                del self._of_clients[client]
