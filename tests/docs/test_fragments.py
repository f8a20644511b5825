"""The YAML, JSON and Python of the documentation would be accepted where it belongs."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tests.docs.blocks import Block, every_block
from tests.docs.fragments import require_accepted
from tests.docs.given import earlier_champion
from tests.docs.walking import by_page, require_json

_EVERY = every_block()


def _of(language: str) -> list[object]:
    return [pytest.param(block, id=block.place) for block in _EVERY if block.language == language]


@pytest.mark.parametrize("block", _of("yaml"))
def test_a_fragment_of_yaml_is_accepted(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path / "home"))
    if "flights@champion" in block.given:
        earlier_champion(tmp_path / "home")
    for other in by_page(_EVERY)[block.page]:
        if "file" in other.said:
            (tmp_path / other.said["file"]).write_text(other.text)
    try:
        require_accepted(block, tmp_path)
    except ValueError as error:
        pytest.fail(f"{block.place}: {error}")


@pytest.mark.parametrize("block", _of("json"))
def test_json_can_be_read(block: Block) -> None:
    require_json(block)


@pytest.mark.parametrize("block", _of("python"))
def test_python_runs(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What needs the page's commands is only compiled here, and runs with them."""
    compile(block.text, block.place, "exec")
    if "after commands" not in block.said:
        monkeypatch.chdir(tmp_path)
        path = tmp_path / "snippet.py"
        path.write_text(block.text)
        runpy.run_path(str(path), run_name="__main__")
