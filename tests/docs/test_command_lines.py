"""Every command line of the documentation can be: its program knows each option and takes these arguments."""

from __future__ import annotations

import re

import pytest

from tests.docs.blocks import COMMANDS, Block, every_block, pages
from tests.docs.command_lines import require_known, require_possible, spoken
from tests.docs.reading_arguments import WrongCommandError
from tests.docs.statements import statements


@pytest.mark.parametrize("block", [pytest.param(b, id=b.place) for b in every_block() if b.language in COMMANDS])
def test_the_commands_of_a_block_can_be(block: Block) -> None:
    for line, statement in statements(block):
        try:
            require_possible(statement)
        except WrongCommandError as error:
            pytest.fail(f"{block.page}:{line}: {error}")


def test_commands_of_schedules_and_services_can_be() -> None:
    named = [command for block in every_block() for command in _started(block)]
    assert named
    for command in named:
        require_possible(command)


def _started(block: Block) -> list[str]:
    """Return what the lines of a crontab, or a service's file, start."""
    pattern = {"crontab": r"^(?:\S+ ){5}(.+)$", "ini": r"^ExecStart=(.+)$"}.get(block.language)
    return re.findall(pattern, block.text, re.MULTILINE) if pattern else []


def test_commands_named_in_passing_are_known() -> None:
    named = [(page.name, code) for page in pages() for code in spoken(page.read_text())]
    assert len(named) > 50
    for page, code in named:
        try:
            require_known(code)
        except WrongCommandError as error:
            pytest.fail(f"{page}: {error}")
