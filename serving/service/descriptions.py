"""What the endpoint says of itself: its models, their cards, its page, its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from serving import __version__
from serving.config import ServeConfig
from serving.models.loaded import LoadedModel
from serving.models.served import ServedModels
from serving.page.assets import Assets
from serving.page.cards import Cards
from serving.protocol.extensions import EXTENSIONS
from serving.protocol.openapi import Served, openapi
from serving.service.exchange import Exchange, Response
from serving.service.routes import Kind, Route
from serving.watch.watch import Watch

_NOT_READY = 400
_ALWAYS: Mapping[Kind, dict[str, Any]] = {
    "server": {"name": "headrace", "version": __version__, "extensions": list(EXTENSIONS)},
    "live": {"live": True},
}
# The numbers of other workers are read from files, and the document about every model takes a while to write.
SLOW: frozenset[Kind] = frozenset({"metrics", "stats", "openapi"})


class Descriptions:
    """Answers whatever asks about the endpoint rather than for a prediction.

    Args:
        config: The settings.
        watch: Has the numbers.
    """

    def __init__(self, config: ServeConfig, watch: Watch) -> None:
        self._config = config
        self._watch = watch
        self._cards = Cards(config.store)
        self._assets = Assets()

    def loaded(self, folder: Path, model: LoadedModel) -> None:
        """Take in a version that was just loaded, from its bundle's folder. Blocks for a moment."""
        self._cards.loaded(folder, model)

    def answer(self, exchange: Exchange, served: ServedModels, *, ready: bool) -> Response:
        """Answer an exchange; for a route that is `SLOW` off the event loop.

        Args:
            exchange: Let in; its route asks for a description.
            served: The models.
            ready: Whether the endpoint takes requests.

        Raises:
            NotFoundError: What it asks for is not served.
        """
        route = exchange.route
        assert route is not None
        if route.kind == "page":
            return self._assets.answer(exchange)
        if route.kind in {"metrics", "stats"}:
            return self._watch.answer(route.kind, exchange.visible)
        if route.kind == "ready":
            return Response(200 if ready else _NOT_READY, orjson.dumps({"live": True, "ready": ready}))
        return Response(200, orjson.dumps(self._document(exchange, route, served)))

    def _document(self, exchange: Exchange, route: Route, served: ServedModels) -> dict[str, Any]:
        match route.kind:
            case "openapi":
                return self._openapi(exchange, served)
            case "models":
                return self._cards.all(served, exchange.visible)
            case "card":
                return self._cards.one(served, route.model, route.version)
            case "model":
                return served.metadata(route.model, route.version)
            case "model_ready":
                return {"name": served.get(route.model, route.version).name, "ready": True}
            case _:
                return _ALWAYS[route.kind]

    def _openapi(self, exchange: Exchange, served: ServedModels) -> dict[str, Any]:
        seen = exchange.visible
        lineups = {name: each for name, each in served.lineups.copy().items() if seen is None or name in seen}
        models = {
            name: {version: batcher.model.manifest for version, batcher in lineup.versions.items()}
            for name, lineup in lineups.items()
        }
        return openapi(
            Served(
                models,
                __version__,
                self._config.max_batch,
                keys=self._config.keys.file is not None,
                examples={name: self._cards.example(lineup.champion.model) for name, lineup in lineups.items()},
            )
        )
