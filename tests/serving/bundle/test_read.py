"""`serving.bundle.read` and `serving.bundle.graph`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from serving.bundle.errors import BundleError
from serving.bundle.graph import check_graph
from serving.bundle.manifest import MANIFEST, MODEL
from serving.bundle.read import digest_of_document, open_bundle, read_bundle
from serving.models.loaded import LoadedModel
from tasks.storage import digest_of
from tests.serving.bundles import INPUTS, small_model, write_bundle


def test_a_whole_bundle_opens(tmp_path: Path) -> None:
    write_bundle(tmp_path)
    manifest, content = read_bundle(tmp_path)
    assert open_bundle(tmp_path) == manifest
    assert content == (tmp_path / MODEL).read_bytes()


def test_the_digest_covers_the_whole_document(tmp_path: Path) -> None:
    write_bundle(tmp_path)
    document = json.loads((tmp_path / MANIFEST).read_text())
    digest = document.pop("digest")
    assert open_bundle(tmp_path).digest == digest == digest_of(document)


def rewrite(folder: Path, *, seal: bool = True, **changes: object) -> None:
    """Change the document, and its digest with it unless it is to be caught by that."""
    document = json.loads((folder / MANIFEST).read_text()) | changes
    if seal:
        document["digest"] = digest_of_document(document)
    (folder / MANIFEST).write_text(json.dumps(document))


BREAKS: dict[str, Callable[[Path], object]] = {
    "no manifest": lambda f: (f / MANIFEST).unlink(),
    "no model": lambda f: (f / MODEL).unlink(),
    "no folder": shutil.rmtree,
    "torn manifest": lambda f: (f / MANIFEST).write_text((f / MANIFEST).read_text()[:100]),
    "altered model": lambda f: (f / MODEL).write_bytes((f / MODEL).read_bytes() + b"\0"),
    "other digest": lambda f: rewrite(f, seal=False, digest="0" * 64),
    "another format": lambda f: rewrite(f, format=2),
    "unknown key": lambda f: rewrite(f, more=1),
    "file outside": lambda f: rewrite(f, files={MODEL: "0" * 64, "../secret": "0" * 64}),
    "absolute file": lambda f: rewrite(f, files={MODEL: "0" * 64, "/etc/passwd": "0" * 64}),
    "edited proofs": lambda f: rewrite(f, seal=False, proofs={"metrics": {"roc_auc": 1.0}}),
    "model not named": lambda f: rewrite(f, files={}),
    "missing file": lambda f: rewrite(f, files={"x": "0" * 64, **json.loads((f / MANIFEST).read_text())["files"]}),
}


@pytest.mark.parametrize("what", BREAKS)
def test_a_broken_bundle_is_refused(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "bundle"
    write_bundle(folder)
    BREAKS[what](folder)
    with pytest.raises(BundleError, match="do: "):
        open_bundle(folder)


def one_node(op: str, domain: str, **attributes: Any) -> onnx.ModelProto:
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    node = helper.make_node(op, ["x"], ["y"], domain=domain, **attributes)
    opsets = [helper.make_opsetid(name, 1 if name else 18) for name in {"", domain}]
    return helper.make_model(helper.make_graph([node], "g", value[:1], value[1:]), opset_imports=opsets, ir_version=10)


def branch(inner: onnx.ModelProto) -> onnx.ModelProto:
    return one_node("If", "", then_branch=inner.graph, else_branch=inner.graph)


def external_tensor() -> onnx.TensorProto:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


def with_initializer() -> onnx.ModelProto:
    model = small_model()
    model.graph.initializer.append(external_tensor())
    return model


def with_function() -> onnx.ModelProto:
    model = small_model()
    nodes = [helper.make_node("Evil", ["x"], ["y"], domain="com.microsoft")]
    model.functions.append(helper.make_function("", "F", ["x"], ["y"], nodes, [helper.make_opsetid("", 18)]))
    return model


REFUSED: dict[str, Callable[[], onnx.ModelProto]] = {
    "custom operator": lambda: one_node("Evil", "custom"),
    "contrib operator": lambda: one_node("FusedMatMul", "com.microsoft"),
    "custom operator in a branch": lambda: branch(branch(one_node("Evil", "custom"))),
    "custom operator in a function": with_function,
    "external initializer": with_initializer,
    "external constant": lambda: one_node("Constant", "", value=external_tensor()),
    "external constant in a branch": lambda: branch(one_node("Constant", "", value=external_tensor())),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_graph_from_elsewhere_is_refused(what: str) -> None:
    with pytest.raises(BundleError, match=r"domain|another file"):
        check_graph(Path("model.onnx"), REFUSED[what]().SerializeToString())


def test_standard_graphs_pass() -> None:
    check_graph(Path("model.onnx"), small_model().SerializeToString())
    check_graph(Path("model.onnx"), branch(one_node("Relu", "ai.onnx")).SerializeToString())


def test_deep_nesting_is_refused() -> None:
    graph = b""
    for _ in range(200):
        for field in (0x32, 0x2A, 0x0A):
            size = len(graph)
            length = bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14])
            graph = bytes([field]) + length + graph
    size = len(graph)
    model = b"\x3a" + bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14]) + graph
    with pytest.raises(BundleError, match="nests deeper"):
        check_graph(Path("model.onnx"), model)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_pass_or_are_refused(content: bytes) -> None:
    try:
        check_graph(Path("model.onnx"), content)
    except BundleError:
        return


@settings(deadline=None)
@given(st.integers(0, 3000), st.integers(0, 255))
def test_a_changed_byte_never_breaks_the_walk(at: int, value: int) -> None:
    content = bytearray(SMALL)
    content[at % len(content)] = value
    try:
        check_graph(Path("model.onnx"), bytes(content))
    except BundleError:
        return


SMALL = small_model().SerializeToString()


def test_what_is_no_model_is_refused_at_load(tmp_path: Path) -> None:
    write_bundle(tmp_path, b"\x08\x0a")
    with pytest.raises(BundleError, match="onnxruntime refuses"):
        LoadedModel.load(tmp_path, "1", 10)


def test_inputs_must_be_the_manifests(tmp_path: Path) -> None:
    renamed = INPUTS[0].model_copy(update={"name": "airline"})
    write_bundle(tmp_path, inputs=(renamed, *INPUTS[1:]))
    with pytest.raises(BundleError, match=r"inputs are not the manifest's.*'airline'"):
        LoadedModel.load(tmp_path, "1", 10)


def test_a_null_without_room_is_refused(tmp_path: Path) -> None:
    seats = INPUTS[2].model_copy(update={"nullable": True})
    write_bundle(tmp_path, inputs=(*INPUTS[:2], seats, *INPUTS[3:]))
    with pytest.raises(BundleError, match="'seats' may be null"):
        LoadedModel.load(tmp_path, "1", 10)
