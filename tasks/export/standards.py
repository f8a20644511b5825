"""Versions of the ONNX standard that a bundle's model is written in, and what its outputs are called.

The versions are pinned rather than the library's defaults: `onnx` writes newer ones than onnxruntime loads, and another
server that people may want to use reads older ones still.
"""

from __future__ import annotations

from collections.abc import Mapping

from tasks.preprocessing.targets import Problem

OPSET = 18
ML_OPSET = 3
IR_VERSION = 10

# The graph's outputs, as clients know them; an ONNX graph gives every name once, so no input can have them.
LABEL = "label"
PROBABILITIES = "probabilities"
LABELS = "labels"
PREDICTION = "prediction"
QUANTILES = "quantiles"
OUTPUTS: Mapping[Problem, tuple[str, ...]] = {
    "binary": (LABEL, PROBABILITIES),
    "multiclass": (LABEL, PROBABILITIES),
    "multilabel": (LABELS, PROBABILITIES),
    "regression": (PREDICTION,),
    "quantile": (QUANTILES,),
}
