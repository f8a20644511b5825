"""A small dirty dataset with known defects, its contract and its pipeline, as a user would have them."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: 5b3c2d9e-customers
name: customers
version: 1.0.0
status: active
schema:
  - name: customers
    logicalType: object
    quality:
      - {id: enough_rows, type: library, metric: rowCount, mustBeGreaterThan: 100}
    properties:
      - {name: customer_id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: signed_up, logicalType: timestamp, required: true}
      - name: plan
        logicalType: string
        required: true
        quality:
          - {id: known_plan, type: library, metric: invalidValues, arguments: {validValues: [basic, plus, pro]},
             unit: percent, mustBeLessThan: 5}
        logicalTypeOptions: {pattern: "^(basic|plus|pro)$"}
      - {name: country, logicalType: string}
      - {name: age, logicalType: integer, logicalTypeOptions: {minimum: 18, maximum: 110}}
      - {name: monthly, logicalType: number, required: true, logicalTypeOptions: {minimum: 0}}
      - {name: calls, logicalType: integer, required: true, logicalTypeOptions: {minimum: 0}}
      - {name: autopay, logicalType: boolean}
      - {name: churned, logicalType: boolean, required: true}
"""

PIPELINE = """\
name: customers
model: churn
contract: customers.odcs.yaml
target: churned
source:
  path: customers.csv
preprocess:
  exclude: [customer_id]
train:
  model: {name: mlp, hidden: [16, 16]}
  rounds: 4
  steps_per_round: 20
  batch_size: 128
  machine: {threads: 1}
promote:
  gates:
    floor: {roc_auc: 0.6}
"""


@dataclass(frozen=True)
class Defects:
    """How many rows of each defect the file has."""

    rows: int
    bad_plan: int = 20
    bad_age: int = 10
    duplicates: int = 15
    broken: int = 3


def write_project(folder: Path, *, rows: int = 4000, seed: int = 0) -> Defects:
    """Write `customers.csv`, its contract and `customers.yaml` into a folder; returns what is wrong with the data."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "customers.odcs.yaml").write_text(CONTRACT)
    (folder / "customers.yaml").write_text(PIPELINE)
    return write_customers(folder / "customers.csv", rows=rows, seed=seed)


def write_customers(path: Path, *, rows: int, seed: int) -> Defects:
    """Write the dirty CSV."""
    chance = random.Random(seed)
    defects = Defects(rows)
    table = [_customer(number, chance) for number in range(rows)]
    for row in table[: defects.bad_plan]:
        row[2] = "gold"
    for row in table[100 : 100 + defects.bad_age]:
        row[4] = "7"
    table.extend(table[500 : 500 + defects.duplicates])
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["customer_id", "signed_up", "plan", "country", "age", "monthly", "calls", "autopay", "churned"]
        )
        writer.writerows(table)
        for _ in range(defects.broken):
            file.write("99999,2024-01-01T00:00:00Z,basic\n")
    return defects


def _customer(number: int, chance: random.Random) -> list[str]:
    plan = chance.choice(["basic", "plus", "pro"])
    calls = chance.randrange(12)
    monthly = round(chance.uniform(5, 90), 2)
    odds = 0.08 * calls + (0.4 if plan == "basic" else 0.0) + monthly / 300 - 0.5
    signed_up = datetime(2022, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(1_000_000))
    return [
        str(number),
        signed_up.strftime("%Y-%m-%dT%H:%M:%SZ"),
        plan,
        chance.choice(["AT", "CH", "DE", "FR", ""]),
        str(chance.randrange(18, 90)) if chance.random() < 0.9 else "NA",
        str(monthly),
        str(calls),
        chance.choice(["true", "false", ""]),
        str(chance.random() < odds + 0.3).lower(),
    ]
