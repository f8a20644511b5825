"""`python -m serving` as a process."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.serving.bundles import promote, request, serving

HEAVY = {
    *("torch", "dask", "distributed", "prefect", "pandas"),
    *("great_expectations", "pyarrow", "onnx", "fastapi", "sklearn"),
}


def test_it_stops_well_and_answers_what_it_took(tmp_path: Path) -> None:
    promote(tmp_path / "models")
    with serving(tmp_path / "models", tmp_path / "log") as endpoint:
        body = json.dumps(request(16_384)).encode()
        asking = [http.client.HTTPConnection(urlsplit(endpoint.url).netloc, timeout=30) for _ in range(4)]
        for connection in asking:
            connection.request("POST", "/v2/models/small/infer", body)
        endpoint.process.send_signal(signal.SIGINT)
        assert [connection.getresponse().status for connection in asking] == [200] * 4
        assert endpoint.process.wait(20) == 0
        assert "Traceback" not in endpoint.log.read_text()


def test_it_names_what_it_serves(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    with serving(tmp_path / "models", tmp_path / "log") as endpoint:
        answer = httpx.get(f"{endpoint.url}/v2/models/small")
        assert answer.status_code == 404
        assert "served models: none" in answer.json()["error"]
        assert endpoint.stop() == 0


def run(*arguments: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-m", "serving", *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_wrong_arguments_exit_2(tmp_path: Path) -> None:
    code, text = run("--store", str(tmp_path / "absent"))
    assert (code, "no such folder" in text) == (2, True)
    code, text = run("--store", str(tmp_path), "--port", "70000")
    assert (code, "cannot serve" in text) == (2, True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, text = run("--store", str(tmp_path), "--port", str(taken.getsockname()[1]))
    assert (code, "cannot serve" in text) == (2, True)


def test_importing_the_endpoint_is_light() -> None:
    # The peak of `resource.getrusage` would be the parent's, which survives exec; the kernel's own starts afresh.
    code = (
        "import json, sys, pathlib, serving.transports.asgi;"
        "status = pathlib.Path('/proc/self/status').read_text().splitlines();"
        "peak = next(line.split()[1] for line in status if line.startswith('VmHWM'));"
        "print(json.dumps([sorted(sys.modules), int(peak)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules, kilobytes = json.loads(done.stdout)
    loaded = {name.split(".")[0] for name in modules}
    assert not loaded & HEAVY
    assert not loaded & {"tasks", "pipelines", "data_contracts"}
    assert kilobytes < 150 * 1024
