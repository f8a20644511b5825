from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from tasks.export.network import export_network
from tests.tasks.export import small_model

CONSTANTS = small_model.preprocessing()
SIZES = (len(CONSTANTS.numeric), len(CONSTANTS.categorical))


@pytest.fixture(scope="module")
def exported() -> onnx.ModelProto:
    return export_network(small_model.network(CONSTANTS), *SIZES)


@pytest.mark.parametrize("rows", [1, 2, 77])
def test_any_batch_gives_torchs_logits(exported: onnx.ModelProto, rows: int) -> None:
    random = np.random.default_rng(rows)
    numeric = random.normal(size=(rows, SIZES[0])).astype(np.float32)
    categorical = random.integers(0, 3, (rows, SIZES[1]))
    session = onnxruntime.InferenceSession(exported.SerializeToString())
    (logits,) = session.run(["logits"], {"numeric": numeric, "categorical": categorical})
    with torch.inference_mode():
        expected = small_model.network(CONSTANTS)(torch.from_numpy(numeric), torch.from_numpy(categorical)).numpy()
    np.testing.assert_allclose(logits, expected, atol=1e-6)


def test_two_exports_are_the_same_bytes(exported: onnx.ModelProto) -> None:
    again = export_network(small_model.network(CONSTANTS), *SIZES)
    assert again.SerializeToString(deterministic=True) == exported.SerializeToString(deterministic=True)


def test_an_export_of_another_process_is_the_same_bytes(exported: onnx.ModelProto) -> None:
    code = (
        "import hashlib\n"
        "from tasks.export.network import export_network\n"
        "from tests.tasks.export import small_model as small\n"
        "constants = small.preprocessing()\n"
        "model = export_network(small.network(constants), len(constants.numeric), len(constants.categorical))\n"
        "print(hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == hashlib.sha256(exported.SerializeToString(deterministic=True)).hexdigest()


def test_nothing_but_the_network_is_in_the_file(exported: onnx.ModelProto) -> None:
    content = exported.SerializeToString()
    for trace in (b"small_model", b"SmallNetwork", b"stack_trace", b"call_function", b".py"):
        assert trace not in content, trace
    assert not exported.metadata_props
    assert not exported.functions
    assert all(not node.doc_string and not node.metadata_props for node in exported.graph.node)
