"""The statements of a shell block, and the simple commands in each."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator

from tests.docs.blocks import Block

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_PUNCTUATION = set("();<>|&")
# What stands before a command; `for NAME in ...` is left as a command of its own.
_KEYWORDS = {"do", "done", "if", "then", "fi", "while"}


def statements(block: Block) -> Iterator[tuple[int, str]]:
    """Yield each statement of a block with its line in the page; of a console block what follows `$ `.

    Raises:
        ValueError: The block ends within a statement.
    """
    begun: list[str] = []
    console = block.language == "console"
    for number, line in enumerate(block.text.splitlines(), block.line):
        if console and not begun and not line.startswith("$ "):
            continue
        begun.append(line.removeprefix("$ ") if console and not begun else line)
        text = "\n".join(begun)
        if _complete(text):
            if text.strip() and not text.lstrip().startswith("#"):
                yield number - len(begun) + 1, text
            begun = []
    if begun:
        raise ValueError(f"{block.place}: the block ends within a statement: {begun[0]!r}")


def _complete(text: str) -> bool:
    if text.rstrip().endswith("\\"):
        return False
    if text.count("'") % 2 == text.count('"') % 2 == 0 and not re.search(r"<<|\b(do|then)\b|\(\s*$", text):
        return True
    done = subprocess.run(["bash", "-n", "-c", text], capture_output=True, text=True, check=False)
    return done.returncode == 0 and "here-document" not in done.stderr


def simple_commands(statement: str) -> Iterator[list[str]]:
    """Yield the words of each simple command: no assignments before it, no redirections, no comment."""
    words: list[str] = []
    redirected = False
    lexer = shlex.shlex(statement.replace("\\\n", " "), posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    for word in lexer:
        if set(word) <= _PUNCTUATION | {"\n"}:
            if words and not set(word) <= {"<", ">"} and word not in {">&", "&>"}:
                yield words
                words = []
            redirected = "<" in word or ">" in word
        elif redirected:
            redirected = False
        elif words or not (_ASSIGNMENT.match(word) or word in _KEYWORDS or word == "$"):
            words.append(word)
    if words:
        yield words
