"""A project whose world changes: what shoppers look at, and what of it they buy."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Any

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: 7f1d2c3e-shoppers
name: shoppers
version: 1.0.0
status: active
schema:
  - name: shoppers
    logicalType: object
    properties:
      - {name: shopper, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: minutes, logicalType: number, required: true}
      - {name: pages, logicalType: integer, required: true, logicalTypeOptions: {minimum: 0}}
      - {name: device, logicalType: string, required: true}
      - {name: bought, logicalType: boolean, required: true}
"""

PIPELINE = """\
name: shoppers
model: buys
contract: shoppers.odcs.yaml
target: bought
source:
  path: visits
preprocess:
  exclude: [shopper]
train:
  model: {name: trees, rounds: 60}
  machine: {threads: 1}
promote:
  gates:
    floor: {roc_auc: 0.6}
    gain: {roc_auc: 0.02}
watch:
  samples: samples
  labels: bought.csv
notify:
  - webhook: env:SHOPPERS_HOOK
    on: [promoted, refused, drift]
"""

ENDPOINT = """\
samples: {folder: samples, share: 1, rows_per_file: 100000, seconds_per_file: 0.5}
poll_seconds: 0.2
"""

Visit = dict[str, Any]


def visits(rows: int, seed: int, *, later: bool) -> list[Visit]:
    """Return visits; later ones are longer, and then it is the short ones that buy."""
    chance = random.Random(seed)
    found = []
    for number in range(rows):
        minutes = chance.gauss(14 if later else 10, 2)
        score = -1.2 * (minutes - 14) if later else 1.2 * (minutes - 10)
        found.append(
            {
                "shopper": seed * 1_000_000 + number,
                "minutes": round(minutes, 3),
                "pages": chance.randrange(1, 30),
                "device": chance.choice(["phone", "laptop"]),
                "bought": chance.random() < 1 / (1 + exp(-score)),
            }
        )
    return found


def write_visits(path: Path, found: Sequence[Visit]) -> None:
    """Write them as CSV."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(found[0]))
        writer.writeheader()
        writer.writerows({**visit, "bought": str(visit["bought"]).lower()} for visit in found)


def write_shop(folder: Path) -> None:
    """Write the project, with the visits of a first period."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "shoppers.odcs.yaml").write_text(CONTRACT)
    (folder / "shoppers.yaml").write_text(PIPELINE)
    (folder / "serve.yaml").write_text(ENDPOINT)
    write_visits(folder / "visits" / "first.csv", visits(3000, 1, later=False))


@dataclass(frozen=True)
class Asked:
    """What the endpoint answered to some visits.

    Attributes:
        version: Of the model.
        scores: The probability of buying, a visit each.
    """

    version: str
    scores: tuple[float, ...]


def infer(visit: Visit, request: str) -> dict[str, Any]:
    """Return a request of one visit."""
    kinds = {"minutes": "FP64", "pages": "INT64", "device": "BYTES"}
    inputs = [{"name": name, "datatype": kind, "shape": [1], "data": [visit[name]]} for name, kind in kinds.items()]
    return {"id": request, "inputs": inputs}


def auc(scores: Sequence[float], truth: Sequence[bool]) -> float:
    """Return the area under the ROC curve: how often a buyer has the higher score."""
    yes = [score for score, bought in zip(scores, truth, strict=True) if bought]
    no = [score for score, bought in zip(scores, truth, strict=True) if not bought]
    higher = sum((one > other) + 0.5 * (one == other) for one in yes for other in no)
    return higher / (len(yes) * len(no))
