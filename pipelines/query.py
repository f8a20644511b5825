"""Ask a freshly started endpoint one question, as a client would."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.answers import in_words
from pipelines.run_state import REFERENCES
from serving.bundle.read import read_manifest
from tasks.export.verify import read_certificate
from tasks.promotion.server_process import serving_process
from tasks.references import CertificateRef
from tasks.storage import headrace_home, place

_READY_SECONDS = 60.0


def ask_endpoint(run: Path, say: Callable[[str], None]) -> None:
    """Start the endpoint over the model store, send it one real raw record, say what it answers and means, and stop it.

    Args:
        run: The run's folder; the references there lead to the model and to a record of its data.
        say: Takes each line.

    Raises:
        ServerError: The endpoint did not start or did not answer.
    """
    references = json.loads((run / REFERENCES).read_bytes())
    model = references["candidate"]["model"]
    _, sample = read_certificate(CertificateRef.model_validate(references["certificate"]))
    tensors = [
        {key: tensor[key] for key in ("name", "datatype", "shape", "data")} for tensor in sample.request["inputs"]
    ]
    body = json.dumps({"inputs": tensors})
    store = headrace_home() / "models"
    with TemporaryDirectory() as folder, serving_process(store, Path(folder) / "output") as server:
        port = server.wait_until_ready(model, _READY_SECONDS)
        say(f"$ curl -s http://127.0.0.1:{port}/v2/models/{model}/infer -d '{body}'")
        answer = server.infer(port, model, body.encode())
        say(answer.decode())
        for line in in_words(read_manifest(place(references["candidate"]["path"])), json.loads(answer)):
            say(line)
