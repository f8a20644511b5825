"""What can be known of the images and manifests without a container engine; `make deployment` runs it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.serving.bundles import promote, request, serving

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".venv-deployment" / "bin"
# The bar of an endpoint's installation without torch.
MOST_INSTALLED = 400 * 1000**2

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not TOOLS.is_dir(), reason="`make deployment` installs the linters"),
]


def judged(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([TOOLS / tool, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_dockerfile_has_no_findings(tmp_path: Path) -> None:
    assert judged("hadolint", "Dockerfile").returncode == 0
    (tmp_path / "Dockerfile").write_text("FROM python\nRUN cd /tmp && pip install numpy\n")
    assert judged("hadolint", str(tmp_path / "Dockerfile")).returncode != 0


def test_the_compose_file_keeps_its_schema(tmp_path: Path) -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    assert judged("check-jsonschema", *schema, "compose.yaml").returncode == 0
    (tmp_path / "compose.yaml").write_text("services: {a: {imgae: postgres}}\n")
    assert judged("check-jsonschema", *schema, str(tmp_path / "compose.yaml")).returncode != 0


def test_kserve_knows_every_field_of_the_manifest(tmp_path: Path) -> None:
    script, manifest = "tests/deployment/kserve_manifest.py", ROOT / "docs" / "examples" / "kserve.yaml"
    kept = judged("python", script, str(manifest))
    assert kept.returncode == 0, kept.stderr
    (tmp_path / "wrong.yaml").write_text(manifest.read_text().replace("periodSeconds", "periodSecond"))
    wrong = judged("python", script, str(tmp_path / "wrong.yaml"))
    assert "readinessProbe.periodSecond: V1Probe has no such field" in wrong.stderr


def test_kserves_clients_are_answered(tmp_path: Path) -> None:
    promote(tmp_path / "models")
    with serving(tmp_path / "models", tmp_path / "log", "--set", "grpc.port=0") as endpoint:
        done = judged("python", "tests/deployment/kserve_client.py", endpoint.url, endpoint.grpc)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert (said["live"], said["ready"], said["model_ready"], said["grpc_ready"]) == (True, True, True, True)
    assert said["rest"] == said["grpc"]
    identity, probabilities = said["rest"]
    assert identity == "k-1"
    assert len(probabilities) == 4 or [len(row) for row in probabilities] == [2, 2]


@pytest.mark.timeout(900)
def test_the_images_steps_install_an_endpoint_that_answers(tmp_path: Path) -> None:
    """The Dockerfile's own COPY and RUN lines, in an environment of its own; then the process on a read-only store."""
    source, environment = tmp_path / "source", tmp_path / "headrace"
    source.mkdir()
    dockerfile = (ROOT / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, re.MULTILINE):
        *names, target = line.split()
        for name in names:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, source / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, source / target)
    (install,) = re.findall(r"^FROM build AS build-serving\n(?:#.*\n)*RUN (.*)$", dockerfile, re.MULTILINE)
    subprocess.run([shutil.which("python3.11") or "python3", "-m", "venv", environment], check=True)
    path = f"{environment / 'bin'}:{os.environ['PATH']}"
    subprocess.run(["bash", "-c", install], cwd=source, env={**os.environ, "PATH": path}, check=True)
    installed = sum(file.stat().st_size for file in environment.rglob("*") if file.is_file())
    assert installed < MOST_INSTALLED
    assert not list(environment.glob("lib/python*/site-packages/torch*"))

    promote(tmp_path / "models")
    subprocess.run(["chmod", "-R", "a-w", tmp_path / "models"], check=True)
    with serving(tmp_path / "models", tmp_path / "log", python=environment / "bin" / "python") as endpoint:
        answer = httpx.post(f"{endpoint.url}/v2/models/small/infer", json=request())
        assert answer.status_code == 200, answer.text
        assert endpoint.stop() == 0
