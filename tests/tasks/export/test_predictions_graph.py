"""The emitted decision against the one in numpy."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import onnxruntime
import pytest
import spox
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.export.outputs import output_specs, output_tensors
from tasks.export.parity import Parity, compare
from tasks.export.predictions_graph import build_predictions
from tasks.prediction.decision import Decision
from tasks.prediction.predictions import predictions
from tasks.preprocessing.targets import ClassTarget
from tests.tasks.prediction.cases import CASES, curve, scores


@functools.cache
def session(case: str, dtype: type[np.floating[Any]]) -> onnxruntime.InferenceSession:
    target, decision = CASES[case]
    argument = spox.argument(spox.Tensor(dtype, ("batch", target.outputs)))
    model = spox.build({"scores": argument}, build_predictions(argument, target, decision))
    model.ir_version = 10
    return onnxruntime.InferenceSession(model.SerializeToString())


def answers(case: str, rows: np.ndarray, dtype: type[np.floating[Any]]) -> dict[str, np.ndarray]:
    running = session(case, dtype)
    names = [output.name for output in running.get_outputs()]
    return dict(zip(names, running.run(names, {"scores": rows.astype(dtype)}), strict=True))


@settings(max_examples=50, deadline=None)
@given(data=st.data(), case=st.sampled_from(list(CASES)), dtype=st.sampled_from([np.float32, np.float64]))
def test_both_give_the_same_whatever_the_scores(data: st.DataObject, case: str, dtype: Any) -> None:
    target, decision = CASES[case]
    rows = data.draw(scores(target.outputs))
    expected = output_tensors(predictions(rows, target, decision), target)
    parity = compare(expected, answers(case, rows, dtype), unit=getattr(target, "spread", 1.0))
    # Of a number 1e30 spreads away, the last bit is 1e14 of them.
    far = 1e-12 * max(1.0, float(np.abs(rows).max())) if expected.keys() <= {"prediction", "quantiles"} else 0.0
    assert parity.max_difference <= 1e-7 + far
    assert (parity.label_flips, parity.non_finite) == (0, 0)


@pytest.mark.parametrize("case", CASES)
def test_the_tensors_are_those_of_the_manifest(case: str) -> None:
    target, _ = CASES[case]
    got = answers(case, np.zeros((2, target.outputs)), np.float32)
    kinds = {"BYTES": "O", "INT64": "i", "BOOL": "b", "FP32": "f", "FP64": "f"}
    sizes = {"FP32": 4, "FP64": 8}
    for spec in output_specs(target):
        tensor = got.pop(spec.name)
        assert tensor.shape == tuple(2 if size < 0 else size for size in spec.shape)
        assert tensor.dtype.kind == kinds[spec.datatype]
        assert tensor.dtype.itemsize == sizes.get(spec.datatype, tensor.dtype.itemsize)
    assert not got


def test_many_classes_have_a_curve_each() -> None:
    target = ClassTarget(column="x", source="integer", classes=tuple(range(40)))
    decision = Decision(curves=tuple(curve(0.01 * place) for place in range(40)))
    rows = np.random.default_rng(0).normal(size=(500, 40)) * 3
    argument = spox.argument(spox.Tensor(np.float64, ("batch", 40)))
    model = spox.build({"scores": argument}, build_predictions(argument, target, decision))
    model.ir_version = 10
    running = onnxruntime.InferenceSession(model.SerializeToString())
    names = [output.name for output in running.get_outputs()]
    got = dict(zip(names, running.run(names, {"scores": rows}), strict=True))
    expected = output_tensors(predictions(rows, target, decision), target)
    parity = compare(expected, got)
    assert parity == Parity(rows=500, max_difference=parity.max_difference)
    assert parity.max_difference < 1e-7
