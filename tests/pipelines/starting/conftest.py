from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.starting.request import Request, Started
from pipelines.starting.start import start
from tasks.engine import DaskConfig

Begin = Callable[..., Started]


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """`headrace init` in a folder of its own, on one thread."""
    monkeypatch.chdir(tmp_path)

    def call(source: str | Path, *targets: str, **options: object) -> Started:
        return start(Request(str(source), targets, **options), DaskConfig(threads=1))  # type: ignore[arg-type]

    return call


@pytest.fixture
def customers(tmp_path: Path) -> Path:
    """240 customers as somebody in Germany saved them: semicolons, decimal commas, dates with points, blanks as `?`."""
    draw = random.Random(7)
    lines = ["Kunden-Nr;E-Mail;Geburtsdatum;Alter in Jahren;Umsatz;Tarif;Seit;gekündigt"]
    for number in range(240):
        age, spent = draw.randint(18, 80), draw.uniform(0, 5000)
        plan = draw.choice(["Basis", "Gold", "Plus"])
        left = "ja" if spent + draw.gauss(0, 800) < 1500 else "nein"
        said = "?" if number % 40 == 7 else str(age)
        amount = f"{spent:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")
        day = f"{draw.randint(1, 28)}.{draw.randint(1, 12)}.20{draw.randint(18, 23)}"
        lines.append(f"K-{number:05};a{number}@example.com;1.5.{2024 - age};{said};{amount};{plan};{day};{left}")
    path = tmp_path / "Kunden 2024.csv"
    path.write_bytes("\n".join(lines).encode("cp1252"))
    return path
