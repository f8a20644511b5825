"""Everything that looks at the endpoint from outside, put together as the settings say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from serving.models.loaded import LoadedModel
from serving.service.exchange import Exchange, Response
from serving.service.routes import Kind
from serving.watch.access_log import AccessLog
from serving.watch.exposition import CONTENT_TYPE
from serving.watch.families import Numbers
from serving.watch.metrics import Metrics
from serving.watch.sample_queue import SampleQueue
from serving.watch.samples import SampleTable, VersionSampler
from serving.watch.sampling import RowSampling
from serving.watch.shared import SharedFolder
from serving.watch.traces import Traces

if TYPE_CHECKING:
    from serving.config import ServeConfig
    from serving.models.lineup import Lineup
    from serving.transports.workers import Worker

logger = logging.getLogger(__name__)

_TICK_SECONDS = 1.0
_Finished = Callable[[Exchange, Response], None]


class Watch:
    """Sees every exchange and every run.

    Args:
        config: The endpoint's settings.
        worker: Which of its processes this is; None for the only one.
        lineups: Gives the served models by name.
        in_flight: Gives how many requests are under way.

    Attributes:
        finished: Takes every exchange with its answer; it neither raises nor blocks.
        metrics: What was counted.
    """

    def __init__(
        self,
        config: ServeConfig,
        worker: Worker | None,
        lineups: Callable[[], dict[str, Lineup]],
        in_flight: Callable[[], int],
    ) -> None:
        self._config = config
        self._index = 0 if worker is None else worker.index
        self._in_flight = in_flight
        self._log: AccessLog | None = None
        self._traces: Traces | None = None
        self._queue: SampleQueue | None = None
        self._sampling: RowSampling | None = None
        self._ticking: asyncio.Task[None] | None = None
        shared = SharedFolder(None if worker is None else worker.folder, self._index)
        self.metrics = Metrics(config.metrics, lineups, shared, self._index, self._numbers)
        self.finished: _Finished = self.metrics.counters.finished

    async def start(self) -> None:
        """Open the log, start the sample writer and the exporter of traces; before any model is loaded.

        Raises:
            OSError: The log or the samples' folder cannot be written, or no process started.
        """
        config = self._config
        if config.log.access is not None:
            self._log = AccessLog(config.log)
        if config.traces is not None:
            self._traces = Traces(config.traces, self._index, "http" if config.tls is None else "https")
        if config.samples is not None:
            self._queue = SampleQueue(config.samples)
            self._sampling = RowSampling(config.samples.share, config.samples.seed)
            self._queue.start()
        others = [part.finished for part in (self._log, self._traces) if part is not None]
        if others:
            self.finished = partial(_see, (self.metrics.counters.finished, *others))
        self._ticking = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        """Write what was not written yet; once every exchange has its answer."""
        if self._ticking is not None:
            self._ticking.cancel()
        await asyncio.to_thread(self.metrics.share, self.metrics.tick())
        stopping = [part.stop for part in (self._log, self._traces, self._queue) if part is not None]
        await asyncio.gather(*(asyncio.to_thread(stop) for stop in stopping))

    def loaded(self, folder: Path, model: LoadedModel) -> None:
        """Watch the runs of a version that was just loaded. Blocks for a moment.

        Args:
            folder: Of its bundle.
            model: The version.

        Raises:
            BundleError: The bundle's statistics are not what the training side writes.
        """
        sampler = None
        if self._queue is not None and self._sampling is not None:
            sampler = VersionSampler(SampleTable(model.manifest, model.version), self._sampling, self._queue)
        self.metrics.watch(folder, model, sampler)

    def answer(self, kind: Kind, visible: frozenset[str] | None) -> Response:
        """Return what `/metrics` or `/v1/stats` answers. Blocks; call it off the event loop.

        Args:
            kind: Of the route.
            visible: The models that may be named; None for all.
        """
        if kind == "metrics":
            return Response(200, self.metrics.page(), CONTENT_TYPE)
        return Response(200, orjson.dumps(self.metrics.stats(visible)))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            try:
                await asyncio.to_thread(self.metrics.share, self.metrics.tick())
            except OSError as error:
                logger.warning("the other workers cannot see this one's numbers: %s", error)

    def _numbers(self) -> Numbers:
        numbers: Numbers = {"headrace_in_flight": {(): self._in_flight()}}
        if self._log is not None:
            numbers["headrace_log_dropped_lines"] = {(): self._log.dropped}
        if self._queue is not None:
            numbers["headrace_sampled_rows"] = {(): self._queue.handed}
            numbers["headrace_sample_dropped_rows"] = {(): self._queue.dropped}
            numbers["headrace_sample_writer_restarts"] = {(): self._queue.restarts}
        return numbers


def _see(observers: Sequence[_Finished], exchange: Exchange, response: Response) -> None:
    for finished in observers:
        finished(exchange, response)
