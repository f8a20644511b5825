"""What is counted of one model version's runs."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

from serving.records.request import InferRequest
from serving.records.tensors import Feed
from serving.watch.histogram import COUNTS, SECONDS, Histogram

if TYPE_CHECKING:
    from serving.protocol.answer import Outputs
    from serving.watch.features import FeatureCounts
    from serving.watch.samples import VersionSampler


_BEYOND = len(COUNTS)


class RunWatch:
    """Sees every run of one model version, on the event loop or in the worker thread.

    Args:
        features: Counts what enters the graph; None for no such counts.
        sampler: Takes samples of records and predictions; None for none.
    """

    def __init__(self, features: FeatureCounts | None = None, sampler: VersionSampler | None = None) -> None:
        self.features = features
        self.seconds = Histogram(SECONDS)
        self.rows = Histogram(COUNTS)
        self.requests = Histogram(COUNTS)
        self._sampler = sampler
        self._lock = Lock()

    def ran(self, requests: Sequence[InferRequest], feed: Feed, outputs: Outputs, seconds: float) -> None:
        """Take in one run.

        Args:
            requests: What was answered by it, in the order of the rows.
            feed: What entered the graph.
            outputs: What came out.
            seconds: How long it took.
        """
        with self._lock:
            # Written out: this is paid by every run, and a lone request is one.
            histogram = self.seconds
            histogram.counts[bisect_left(SECONDS, seconds)] += 1
            histogram.total += seconds
            count = len(requests)
            _count(self.requests, count)
            _count(self.rows, requests[0].rows if count == 1 else sum([request.rows for request in requests]))
            if self.features is not None:
                self.features.look(feed)
            if self._sampler is not None:
                self._sampler.ran(requests, feed, outputs)


def _count(histogram: Histogram, value: int) -> None:
    # The bounds are the powers of two.
    place = (value - 1).bit_length()
    histogram.counts[min(_BEYOND, place)] += 1
    histogram.total += value
