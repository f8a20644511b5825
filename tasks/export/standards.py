"""Versions of the ONNX standard that a bundle's model is written in.

Pinned rather than the library's defaults: `onnx` writes newer versions than onnxruntime loads, and another server
that people may want to use reads older ones still.
"""

from __future__ import annotations

OPSET = 18
ML_OPSET = 3
IR_VERSION = 10

# The graph's outputs, as clients know them; an ONNX graph gives every name once, so no input can have them.
LABEL = "label"
PROBABILITIES = "probabilities"
