"""The endpoint's guard: who may ask, how often, how much at once, and whether there is time for it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from serving.guard.admission import Admission, LoopLag
from serving.guard.flights import Flights
from serving.guard.key_file import Action, read_keys
from serving.guard.keys import KeyRing, KeysConfig
from serving.guard.limits import LimitsConfig
from serving.guard.rates import Rates, network_of
from serving.service.exchange import Exchange
from serving.service.routes import Kind

logger = logging.getLogger(__name__)

# What a key must allow for each kind of route; None is open to everybody and always let in: a platform's health checks
# carry no key, and must not fail because there is much to do.
ACTIONS: Mapping[Kind, Action | None] = {
    "live": None,
    "ready": None,
    "model_ready": None,
    # The page holds nothing but itself; what it shows it asks for with a key.
    "page": None,
    "server": "describe",
    "openapi": "describe",
    "model": "describe",
    "models": "describe",
    "card": "describe",
    "infer": "predict",
    "predict": "predict",
    "metrics": "metrics",
    "stats": "describe",
}


class Gate:
    """Lets exchanges in, or not; refusing costs less than reading the body would.

    Args:
        limits: How much is accepted.
        keys: Who may ask.
        wait: Gives the seconds that a request is expected to wait for its model.
    """

    def __init__(self, limits: LimitsConfig, keys: KeysConfig, wait: Callable[[Exchange], float]) -> None:
        rate = limits.rate_per_second
        burst = limits.burst or max(1, round(rate or 1))
        self._ring = KeyRing(keys.file, keys.poll_seconds) if keys.file is not None else None
        self._rates = Rates(rate, burst, limits.max_clients) if rate is not None else None
        self._flights = Flights(limits.max_in_flight, limits.max_in_flight_per_key)
        self._knows_clients = rate is not None or limits.max_in_flight_per_key is not None
        self._admission = Admission(limits.target_wait_ms / 1000) if limits.target_wait_ms is not None else None
        self._wait = wait
        self._lag = LoopLag()

    @property
    def in_flight(self) -> int:
        """How many requests are under way."""
        return self._flights.count

    def admit(self, exchange: Exchange) -> None:
        """Let an exchange in; `exchange.route` and `exchange.credentials` are known.

        Raises:
            RequestError: It may not come in.
        """
        route = exchange.route
        assert route is not None
        action = ACTIONS.get(route.kind, "predict")
        if action is None:
            if self._ring is not None:
                # Whoever needs no key is told of no model, not even by the words of a refusal.
                exchange.visible = frozenset()
            return
        if self._ring is not None:
            caller = self._ring.check(exchange.credentials, action, route.model, exchange.started)
            exchange.key, exchange.visible = caller.id, caller.models
        if action == "metrics":
            # Whoever watches must see an overload, not be shut out by it.
            return
        if self._admission is not None and action == "predict":
            self._admission.check(route.model, self._wait(exchange), self._lag())
        client = _client(exchange) if self._knows_clients else ""
        if self._rates is not None:
            self._rates.take(client, exchange.started)
        self._flights.begin(client)
        exchange.admitted = True

    def finished(self, exchange: Exchange) -> None:
        """An exchange has its answer, or its client is gone."""
        if exchange.admitted:
            exchange.admitted = False
            self._flights.end(_client(exchange) if self._knows_clients else "")


def check_door(host: str, keys: KeysConfig) -> None:
    """See that the keys can be read; log a warning where other machines can reach the endpoint and nobody needs one.

    Raises:
        KeyFileError: The key file cannot be read.
    """
    if keys.file is not None:
        read_keys(keys.file)
    elif not (host in {"localhost", "::1"} or host.startswith("127.")):
        logger.warning(
            "listening on %s without API keys: whoever reaches this address may ask for predictions; "
            "`headrace keys add NAME --file keys.json` makes a key, `--keys keys.json` asks for it",
            host,
        )


def _client(exchange: Exchange) -> str:
    return exchange.key or (network_of(exchange.client) if ":" in exchange.client else exchange.client)
