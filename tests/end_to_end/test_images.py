"""A pipeline of images, from files to the endpoint."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.end_to_end.conftest import Shell
from tests.end_to_end.test_whole_way import pieces
from tests.tasks.images.pictures import write_idx

PIPELINE = """\
name: halves
model: half
images:
  source: {path: pictures, format: idx, classes: [above, below]}
  image: {width: 6, height: 6, mode: L, resize: exact}
  augment: {flip: {horizontal: 0.5}, mixup: {probability: 0.2}}
  copies: {augment: {noise: {std: 0.02}}}
train:
  model: {name: cnn, channels: [8, 8]}
  batch_size: 40
  steps_per_round: 5
  rounds: 3
  optimizer: {learning_rate: 0.02, average_decay: 0.5}
  machine: {threads: 1}
evaluate: {bootstrap: 50}
promote:
  gates:
    floor: {accuracy: 0.8}
"""


def write_project(folder: Path) -> None:
    random, classes = np.random.default_rng(0), np.arange(200, dtype=np.uint8) % 2
    pixels = random.integers(0, 90, (200, 6, 6), dtype=np.uint8)
    pixels[classes == 0, :3] += 150
    pixels[classes == 1, 3:] += 150
    classes[7] = 9
    write_idx(folder / "pictures" / "train-images-idx3-ubyte", pixels)
    write_idx(folder / "pictures" / "train-labels-idx1-ubyte", classes)
    (folder / "halves.yaml").write_text(PIPELINE)


@pytest.mark.slow
def test_images_become_a_served_model_and_a_second_run_reuses_everything(shell: Shell) -> None:
    write_project(shell.folder)
    first = shell.run("run", "halves.yaml", "--json", "--query")
    assert first.returncode == 0, first.stderr
    summary = json.loads(first.stdout.splitlines()[-1])
    assert summary["status"] == "promoted"
    assert '"outputs":[{"name":"label"' in first.stderr
    page = Path(summary["report"]).read_text()
    assert "label.unknown" in page
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", page)
    names = ["ingest", "clean", "split", "fit", "transform", "augment", "train"]
    assert list(pieces(first.stderr))[: len(names)] == names
    again = shell.run("run", "halves.yaml", "--json")
    assert again.returncode == 0, again.stderr
    assert {name for name, how in pieces(again.stderr).items() if how != "reused"} == {"ingest", "promote"}
    assert json.loads(again.stdout.splitlines()[-1])["digest"] == summary["digest"]
