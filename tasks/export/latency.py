"""Latency of a bundle's graph in this process: onnxruntime alone, without HTTP and JSON."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from tasks.export.prediction_paths import ServingPath
from tasks.export.raw_columns import feed

BATCH_SIZES = (1, 256)
_WARM_UP = 20
_RUNS = 200
# A large network is called less often: as many calls as fit into so many seconds, and a few in any case.
_SECONDS = 2.0
_FEWEST = 10


def measure_latency(serving: ServingPath, rows: pa.Table) -> dict[str, Mapping[str, float]]:
    """Time one call of the graph.

    Args:
        serving: The loaded model.
        rows: At least one typed row; repeated as often as the largest batch needs.

    Returns:
        Milliseconds at `p50` and `p99`, by batch size as text.
    """
    repeats = -(-max(BATCH_SIZES) // rows.num_rows)
    enough = pa.concat_tables([rows] * repeats).combine_chunks()
    return {str(size): _percentiles(serving, enough.slice(0, size)) for size in BATCH_SIZES}


def _percentiles(serving: ServingPath, batch: pa.Table) -> dict[str, float]:
    tensors = feed(batch, serving.inputs)
    _seconds(serving, tensors)  # the first call prepares what later ones reuse
    affordable = int(_SECONDS / _seconds(serving, tensors))
    for _ in range(min(_WARM_UP, affordable)):
        _seconds(serving, tensors)
    runs = max(_FEWEST, min(_RUNS, affordable))
    p50, p99 = np.percentile([_seconds(serving, tensors) for _ in range(runs)], [50, 99]) * 1e3
    return {"p50": round(float(p50), 4), "p99": round(float(p99), 4)}


def _seconds(serving: ServingPath, tensors: dict[str, np.ndarray]) -> float:
    start = time.perf_counter()
    serving.session.run(None, tensors)
    return time.perf_counter() - start
