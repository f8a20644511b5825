"""An input of images at the endpoint: flat or nested levels of 0 to 255, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx.parser
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.bundle.manifest import InputRule, InputSpec, OutputSpec
from serving.errors import BadRequestError, ContractViolationError
from serving.models.loaded import LoadedModel
from serving.records.datatypes import WIRE_DTYPES
from tests.serving.bundles import small_manifest, write_bundle
from tests.serving.described import content_of, described
from tests.serving.described import judge as judge_of
from tests.serving.reading import Decoder, answered

INFER = "/v2/models/small/infer"
SHAPE = (2, 3, 1)
SPEC = InputSpec(
    name="image",
    datatype="UINT8",
    tensor="uint8",
    logical_type="image",
    nullable=False,
    shape=SHAPE,
    rules=(InputRule(id="image.required", kind="required"),),
)
MANIFEST = small_manifest(inputs=(SPEC,))
DECODER = Decoder(MANIFEST, max_batch=4)
# The label is `late` where the mean level is above 127.
_GRAPH = """
<ir_version: 10, opset_import: ["": 18]>
bright (uint8[batch, 2, 3, 1] image) => (string[batch] label, float[batch, 2] probabilities)
<float white = {255}, float half = {0.5}, float one = {1}, int64[3] inner = {1, 2, 3}, int64[1] last = {1},
 string late = {"late"}, string on_time = {"on time"}>
{
    levels = Cast <to = 1> (image)
    means = ReduceMean <keepdims = 0> (levels, inner)
    p = Div(means, white)
    q = Sub(one, p)
    p_column = Unsqueeze(p, last)
    q_column = Unsqueeze(q, last)
    probabilities = Concat <axis = 1> (q_column, p_column)
    is_late = Greater(p, half)
    label = Where(is_late, late, on_time)
}
"""


def request(data: Any, rows: int = 1, **changes: Any) -> bytes:
    entry = {"name": "image", "datatype": "UINT8", "shape": [rows, *SHAPE], "data": data}
    return json.dumps({"inputs": [entry | changes]}).encode()


@settings(max_examples=25)
@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_flat_and_nested_images_are_the_same_tensor(rows: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, *SHAPE), dtype=np.uint8)
    for data in (pixels.ravel().tolist(), pixels.tolist()):
        tensor = DECODER.decode(request(data, rows)).feed["image"]
        assert tensor.dtype == np.uint8
        np.testing.assert_array_equal(tensor, pixels)


_VALUES = st.none() | st.booleans() | st.integers(-2, 300) | st.floats(allow_nan=False) | st.text(max_size=2)


@settings(max_examples=60)
@given(st.recursive(_VALUES, lambda inner: st.lists(inner, max_size=6), max_leaves=14), st.integers(0, 5))
def test_any_data_gives_a_tensor_of_the_shape_or_a_refusal(data: Any, rows: int) -> None:
    try:
        tensor = DECODER.decode(request(data, rows)).feed["image"]
    except BadRequestError:
        return
    assert tensor.shape == (rows, *SHAPE)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (request([0] * 5), r"'image': expected 'data' to be a list of 6 values as its shape says, got a list of 5"),
        (request([[[[0]] * 3] * 3]), "a list of 6 values as its shape says, got a list of 1"),
        (request([[[[0]] * 2] * 2]), "a list of 6 values"),
        (request([[[0] * 3] * 2]), "a list of 6 values"),
        (request([[[[0, 0]] * 3] * 2]), "a list of 6 values"),
        (request(None), "got nothing"),
        (request({"a": 1}), "got an object"),
        (request([0] * 6, shape=[1, 3, 2, 1]), r"expected shape \[rows, 2, 3, 1\], got \[1,3,2,1\]"),
        (request([0] * 6, shape=[1, 6]), r"expected shape \[rows, 2, 3, 1\], got \[1,6\]"),
        (request([0] * 6, shape=[True, 2, 3, 1]), r"expected shape \[rows, 2, 3, 1\]"),
        (request([], shape=[0, 2, 3, 1]), "at least one row"),
        (request([0] * 30, 5), "at most 4 rows"),
        (request([0] * 6, datatype="FP32"), "expected datatype UINT8, got"),
    ],
)
def test_another_size_is_refused(body: bytes, said: str) -> None:
    with pytest.raises(BadRequestError, match=said):
        DECODER.decode(body)


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (256, "image.type"),
        (-1, "image.type"),
        (0.5, "image.type"),
        (True, "image.type"),
        ("7", "image.type"),
        (2**70, "image.type"),
        (None, "image.required"),
    ],
)
def test_what_is_no_level_is_named_with_its_image(wrong: object, rule: str) -> None:
    with pytest.raises(ContractViolationError) as caught:
        DECODER.decode(request([0] * 6 + [0, 0, wrong, 0, 0, -5], 2))
    (found,) = caught.value.details["violations"]
    assert (found["column"], found["rule"], found["row"]) == ("image", rule, 1)
    assert found["expected"] == ("no null" if wrong is None else "whole numbers from 0 to 255")


def test_images_are_answered(tmp_path: Path) -> None:
    write_bundle(tmp_path, onnx.parser.parse_model(_GRAPH), inputs=(SPEC,))
    model = LoadedModel.load(tmp_path, "1", max_batch=4)
    assert model.metadata()["inputs"] == [{"name": "image", "datatype": "UINT8", "shape": [-1, *SHAPE]}]
    answer = orjson.loads(answered(model, request([0] * 6 + [255] * 6, 2)))
    assert answer["outputs"][0]["data"] == ["on time", "late"]


def test_the_page_describes_both_forms() -> None:
    document = described(MANIFEST)
    content, judge = content_of(document, INFER), judge_of(document, "small.request")
    assert DECODER.decode(orjson.dumps(content["example"])).feed["image"].shape == (1, *SHAPE)
    good = [request([0] * 6), request(np.zeros((1, *SHAPE), int).tolist())]
    assert all(judge.is_valid(json.loads(body)) for body in good)
    bad = [request([256] * 6), request([0.5] * 6), request([None] * 6), request([0] * 6, shape=[1, 3, 2, 1])]
    assert not any(judge.is_valid(json.loads(body)) for body in bad)


def test_the_page_describes_tensors_of_every_datatype() -> None:
    datatypes: dict[Any, Any] = {"BYTES": "string"} | {name: dtype.name for name, dtype in WIRE_DTYPES.items()}
    specs = tuple(
        InputSpec(name=one, datatype=one, tensor=tensor, logical_type="tensor", nullable=one == "FP32", shape=(2,))
        for one, tensor in datatypes.items()
    )
    manifest = small_manifest(inputs=specs, outputs=(OutputSpec(name="y", datatype="UINT16", shape=(-1,)),))
    document = described(manifest)
    example, judge = content_of(document, INFER)["example"], judge_of(document, "small.request")
    assert judge.is_valid(example)
    assert Decoder(manifest, 1).decode(orjson.dumps(example)).feed.keys() == datatypes.keys()
    for entry, wrong in zip(example["inputs"], [None, 1, *[1e400] * 11], strict=True):
        good, entry["data"] = entry["data"], [wrong, wrong] if "FP" not in entry["name"] else ["1", "1"]
        assert not judge.is_valid(example), entry
        entry["data"] = good


def test_a_large_image_has_no_example() -> None:
    large = small_manifest(inputs=(SPEC.model_copy(update={"shape": (64, 64, 3)}),))
    assert "example" not in content_of(described(large), INFER)
