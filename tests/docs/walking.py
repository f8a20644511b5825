"""Walking through a page as its reader does: whole, or only what takes no time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pipelines.check import check_pipeline
from pipelines.cli.serve import command as serve
from serving.config import ServeConfig
from serving.config_file import load_config
from tests.docs.blocks import COMMANDS, Block
from tests.docs.command_lines import parse_headrace
from tests.docs.given import GIVEN, QUICK
from tests.docs.page_shell import PageShell
from tests.docs.scene import Shared
from tests.docs.stand_ins import STAND_INS
from tests.docs.statements import simple_commands, statements

# They only look, or write a small file.
_BRIEF = ("check", "contract", "doctor", "gc", "models", "report", "runs", "schema", "completion", "keys")
_BRIEF_OF_OTHERS = ("cd", "echo", "export", "mkdir", "sed")
_OF_A_HOME = ("gc", "models", "report", "runs")
_SHELL_WORK = re.compile(r"[|<>;&$]")

# Runs `headrace` with these arguments; returns its exit code, its output and its errors.
Headrace = Callable[[list[str]], tuple[int, str, str]]


def has_commands(page: Sequence[Block]) -> bool:
    return any(block.runs and (block.language in COMMANDS or "after commands" in block.said) for block in page)


def takes_time(page: Sequence[Block]) -> bool:
    """Say whether walking through a page whole does more than a brief walk, which runs all the rest as it is."""
    run = [block for block in page if block.runs and block.language != "yaml"]
    whole = any(set(block.given) - QUICK or "after commands" in block.said for block in run)
    commands = [block for block in run if block.language in COMMANDS]
    return whole or not all(_brief(statement) for block in commands for _, statement in statements(block))


def walk(page: Sequence[Block], shell: PageShell, shared: Shared) -> int:
    """Do all that a page says; return how many of its blocks were run.

    Raises:
        AssertionError: A command ended otherwise than the page says.
    """
    lay_files(page, shell)
    done = 0
    for block in page:
        if not block.runs or block.language == "yaml":
            continue
        for word in block.given:
            GIVEN[word](shell, shared)
        if block.language in COMMANDS:
            for _, statement in statements(block):
                shell.do(statement, exits(block))
        elif "after commands" in block.said:
            snippet = shell.folder / ".reader" / f"line_{block.line}.py"
            snippet.write_text(shell.written(block.text))
            shell.do(f"python {snippet}")
        elif "output" in block.said:
            require_said(block, shell.said)
        else:
            continue
        done += 1
    return done


def walk_briefly(page: Sequence[Block], shell: PageShell, shared: Shared, headrace: Headrace) -> int:
    """Do what takes no time, and look at the settings of what does; return how many commands were run.

    Of each block the commands up to the first that takes its time are run.
    """
    lay_files(page, shell)
    done, left_out = 0, False
    for block in page:
        if not block.runs or (block.language not in COMMANDS and "output" not in block.said):
            continue
        goes_on = all(word in STAND_INS for word in block.given)
        for word in block.given:
            STAND_INS.get(word, _nothing)(shell, shared)
        if "output" in block.said:
            require_said(block, shell.said)
            continue
        for _, statement in statements(block):
            goes_on = goes_on and _brief(statement) and not (left_out and _needs_more(statement, shell.folder))
            left_out |= not goes_on
            if goes_on:
                _do_briefly(statement, exits(block), shell, headrace)
                done += 1
            else:
                require_settings(statement, shell.folder)
    return done


def _nothing(shell: PageShell, shared: Shared) -> None:
    pass


def _brief(statement: str) -> bool:
    return all(
        words[1:2] and words[1] in _BRIEF if words[0] == "headrace" else words[0] in _BRIEF_OF_OTHERS
        for words in simple_commands(statement)
    )


def _needs_more(statement: str, folder: Path) -> bool:
    """Say whether a command reads what one that was left out would have made."""
    home = folder / ".headrace"
    for words in simple_commands(statement):
        if words[0] == "headrace":
            config = parse_headrace(words[1:]).params.get("config")
            missing = config is not None and not (folder / config).is_file()
            if missing or (words[1] in _OF_A_HOME and not (home / "runs").is_dir()):
                return True
    return False


def _do_briefly(statement: str, ends: Sequence[int], shell: PageShell, headrace: Headrace) -> None:
    (words, *more) = simple_commands(statement)
    if more or words[0] != "headrace" or _SHELL_WORK.search(statement):
        shell.do(statement, tuple(ends))
        return
    code, shell.said, errors = headrace(words[1:])
    assert code in ends, f"{statement}\nended with {code}\n{shell.said}{errors}"


def require_settings(statement: str, folder: Path) -> None:
    """Check the configs that a command would run, with its `--set`, as far as they are there.

    Raises:
        ValueError: What the command would say before it does anything.
    """
    for words in simple_commands(statement):
        if words[0] != "headrace":
            continue
        context = parse_headrace(words[1:])
        given = context.params
        if context.command is serve:
            config = folder / given["config"] if given["config"] else None
            load_config(ServeConfig, config, {}, given["settings"], defaults={"store": str(folder)})
        for config in given.get("configs") or [given.get("config")]:
            if "overrides" in given and config and (folder / config).is_file():
                check_pipeline(folder / config, given["overrides"])


def lay_files(page: Sequence[Block], shell: PageShell) -> None:
    for block in page:
        if "file" in block.said:
            (shell.folder / block.said["file"]).write_text(shell.written(block.text))


def exits(block: Block) -> tuple[int, ...]:
    return tuple(map(int, block.said.get("exit", "0").split()))


def require_said(block: Block, said: str) -> None:
    assert block.text.split() == said.split(), f"{block.place}: the page shows\n{block.text}\nand it says\n{said}"


def require_json(block: Block) -> None:
    """Check a JSON block.

    Raises:
        ValueError: It is none.
    """
    json.loads(block.text)


def by_page(every: Sequence[Block]) -> Mapping[str, list[Block]]:
    pages: dict[str, list[Block]] = {}
    for block in every:
        pages.setdefault(block.page, []).append(block)
    return pages
