from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pipelines.command_line import called

MOST_LINES = 6


@dataclass(frozen=True)
class Said:
    """How a command ended: its exit code, and what it printed on either stream."""

    code: int
    out: str
    err: str

    def refused(self, code: int, *words: str) -> None:
        """Assert that it ended with this code and one clear sentence, in which these words stand in this order."""
        assert self.code == code, self.out + self.err
        lines = self.err.strip().splitlines()
        assert lines[0].startswith("error: ")
        assert "  do: " in self.err or "did you mean" in self.err
        assert len(lines) <= MOST_LINES
        assert "Traceback" not in self.err
        place = 0
        for word in words:
            place = self.err.index(word, place) + len(word)


Headrace = Callable[..., Said]


@pytest.fixture
def headrace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Headrace:
    """`headrace` in a folder and a home of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path / "home"))

    def call(*arguments: str) -> Said:
        return Said(*called(list(arguments), capsys, monkeypatch))

    return call


def write_table(path: Path, more: Mapping[str, list[str]] | None = None, *, rows: int = 60) -> Path:
    """Write a CSV file of `size`, more columns, and `kind`, which `size` tells a little of."""
    draw = random.Random(1)
    kinds = [draw.choice("ab") for _ in range(rows)]
    table = {"size": [f"{draw.gauss(kind == 'a', 1):.3f}" for kind in kinds], **(more or {}), "kind": kinds}
    lines = [",".join(table), *(",".join(row) for row in zip(*table.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
