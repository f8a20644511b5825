"""How long every network takes once it is exported, on features of the flights' shape and one thread.

    OMP_NUM_THREADS=1 python -m benchmarks.training.latency

The network alone, from the matrices to the scores, with its defaults and random weights; preprocessing comes on top.
"""

from __future__ import annotations

import time

import numpy as np
import onnxruntime
import torch
from pydantic import TypeAdapter

from benchmarks.training.throughput import flights
from tasks.export.network import export_network
from tasks.models.registry import NetworkConfig, build_network, network_names
from tasks.models.spec import FeatureSpec

ROWS = (1, 256)
RUNS = 100


def microseconds(session: onnxruntime.InferenceSession, feed: dict[str, np.ndarray]) -> float:
    """Return the CPU time of a run, which a busy machine does not lengthen as it does the clock's."""
    for _ in range(RUNS // 10):
        session.run(None, feed)
    started = time.process_time()
    for _ in range(RUNS):
        session.run(None, feed)
    return 1e6 * (time.process_time() - started) / RUNS


def main() -> None:
    material = flights(1, 1).material
    spec = FeatureSpec.of(material.fitted)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    print(f"{'network':16} {'weights':>9} {'KB':>7}" + "".join(f"{f'{rows} rows, us':>14}" for rows in ROWS))
    for name in network_names():
        if name == "module":
            continue
        torch.manual_seed(0)
        network = build_network(TypeAdapter(NetworkConfig).validate_python({"name": name}), spec).eval()
        content = export_network(network, len(spec.numeric), len(spec.categorical)).SerializeToString()
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        times = []
        for rows in ROWS:
            numeric, categorical, _ = material.validation.rows(slice(rows))
            times.append(microseconds(session, {"numeric": numeric.numpy(), "categorical": categorical.numpy()}))
        weights = sum(each.numel() for each in network.parameters())
        print(
            f"{name:16} {weights:9,} {len(content) / 1024:7.0f}" + "".join(f"{each:14,.0f}" for each in times),
            flush=True,
        )


if __name__ == "__main__":
    main()
