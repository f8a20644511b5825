"""Open a model in onnxruntime the one way that the endpoint and every proof about it share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as _state

from serving.bundle.errors import BundleError
from serving.bundle.manifest import BundleManifest

# onnxruntime's exceptions have no base class of their own.
SESSION_ERRORS: tuple[type[Exception], ...] = (
    _state.Fail,
    _state.InvalidArgument,
    _state.InvalidGraph,
    _state.InvalidProtobuf,
    _state.NotImplemented,
    _state.RuntimeException,
)
_ERRORS_ONLY = 3
# onnxruntime's names, by those of tensors inside the graph and by those of the wire.
_GRAPH_TYPES = {
    name: f"tensor({element})"
    for *names, element in (
        ("string", "BYTES", "string"),
        ("float64", "FP64", "double"),
        ("float32", "FP32", "float"),
        ("float16", "FP16", "float16"),
        ("int8", "INT8", "int8"),
        ("int16", "INT16", "int16"),
        ("int32", "INT32", "int32"),
        ("int64", "INT64", "int64"),
        ("uint8", "UINT8", "uint8"),
        ("uint16", "UINT16", "uint16"),
        ("uint32", "UINT32", "uint32"),
        ("uint64", "UINT64", "uint64"),
        ("bool", "BOOL", "bool"),
    )
    for name in names
}


class _Session(ort.InferenceSession):  # type: ignore[misc]  # onnxruntime has no types
    """A session whose `run` leaves out the checks that onnxruntime makes in Python.

    They search every input's name among all the others, which for twenty inputs takes a sixth of a small model's run;
    the library beneath makes the same checks again.
    """

    def run(
        self,
        output_names: Sequence[str] | None,
        input_feed: Mapping[str, Any],
        run_options: ort.RunOptions | None = None,
    ) -> list[Any]:
        """Run the graph.

        Args:
            output_names: The outputs to give; all by default.
            input_feed: Arrays by input.
            run_options: As onnxruntime takes them.

        Raises:
            SESSION_ERRORS: Inputs are missing, unknown or of another type, or the graph fails.
        """
        names = output_names or [output.name for output in self.get_outputs()]
        outputs: list[Any] = self._sess.run(names, input_feed, run_options)
        return outputs


def load_session(model: bytes) -> ort.InferenceSession:
    """Load a model in ONNX format, single-threaded.

    Raises:
        SESSION_ERRORS: onnxruntime refuses it.
    """
    options = ort.SessionOptions()
    # One small graph runs fastest on the calling thread; requests, not operators, are what runs side by side.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _ERRORS_ONLY
    # Without this, bytes that also pass for onnxruntime's own format would be read as that, unchecked.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    return _Session(model, options, providers=["CPUExecutionProvider"])


def open_session(path: Path, model: bytes, manifest: BundleManifest) -> ort.InferenceSession:
    """Load a checked model, single-threaded, and see that its inputs and outputs are the manifest's.

    Args:
        path: The bundle; for messages only.
        model: The bytes that `serving.bundle.read.read_bundle` checked.
        manifest: The bundle's manifest.

    Raises:
        BundleError: onnxruntime refuses the graph, or an input or output differs in name or type.
    """
    try:
        session = load_session(model)
    except SESSION_ERRORS as error:
        raise BundleError.at(path, f"onnxruntime refuses the graph: {error!s:.500}") from error
    inputs = {spec.name: _GRAPH_TYPES[spec.tensor] for spec in manifest.inputs}
    _compare(path, "inputs", inputs, {node.name: node.type for node in session.get_inputs()})
    outputs = {spec.name: _GRAPH_TYPES[spec.datatype] for spec in manifest.outputs}
    _compare(path, "outputs", outputs, {node.name: node.type for node in session.get_outputs()})
    return session


def _compare(path: Path, what: str, expected: dict[str, str], got: dict[str, str]) -> None:
    if expected == got:
        return
    names = [name for name in {**expected, **got} if expected.get(name) != got.get(name)]
    shown = "; ".join(f"{n!r}: manifest {expected.get(n, 'none')}, graph {got.get(n, 'none')}" for n in names[:5])
    raise BundleError.at(path, f"the graph's {what} are not the manifest's in {len(names)} places: {shown}")
