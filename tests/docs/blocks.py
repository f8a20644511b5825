"""The code blocks of the documentation, and what a comment before a block says of it.

```sh          commands, run in the page's own folder; ```console has their output between them, after `$ `
```yaml        a fragment of a pipeline's config, or of what the comment says: `serving`, `contract`
```python      run by itself, or after the page's commands
```json        parses; ```text and other languages are shown, not run

The comment is `<!-- test: one; another -->`, of these:

    serving, contract    what the YAML is a fragment of, where it is not a pipeline's config
    file NAME            the block is that file in the page's folder
    given WORD ...       what is there before the block, by its words in `tests/docs/given.py`
    exit N               how the block's last command ends
    after commands       the Python block needs what the page's commands made
    output               the text is what the command before it printed
    slow                 the page's commands take long
    skip because REASON  the block is looked at and not run; the reason is one of `REASONS`
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
COMMANDS = ("sh", "console")
RUN = (*COMMANDS, "yaml", "python", "json")
SHOWN = ("text", "sql", "dockerfile", "crontab", "ini", "html", "csv", "diff")
REASONS = (
    "it needs a GPU",
    "it needs other machines",
    "it needs root",
    "it needs Kubernetes",
    "it needs a cloud account",
    "it needs a container engine",
    "it installs packages",
    "it runs this test",
    "it takes an hour",
)
_WORDS = ("serving", "contract", "after commands", "output", "slow")
_WITH_VALUE = ("file", "given", "exit", "skip because")


@dataclass(frozen=True)
class Block:
    """A fenced block: where its first line is, its language, its text, and what is said of it."""

    page: str
    line: int
    language: str
    text: str
    said: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def given(self) -> list[str]:
        return self.said.get("given", "").split()

    @property
    def runs(self) -> bool:
        return "skip because" not in self.said


def pages() -> list[Path]:
    """Return README.md and every page of the documentation; decisions are no instructions."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in found if "adr" not in page.relative_to(ROOT).parts]


def every_block() -> list[Block]:
    return [block for page in pages() for block in blocks(page.relative_to(ROOT).as_posix(), page.read_text())]


def blocks(page: str, text: str) -> Iterator[Block]:
    """Yield a page's code blocks, in order.

    Raises:
        ValueError: A block is indented and has no language, a language or a comment is unknown, or a comment is
            followed by no block.
    """
    said: dict[str, str] = {}
    for token in MarkdownIt("commonmark").parse(text):
        line = (token.map or [0])[0] + 1
        if token.type == "html_block" and token.content.startswith("<!-- test:"):
            said |= _said(f"{page}:{line}", token.content)
        elif token.type == "code_block":
            raise ValueError(f"{page}:{line}: an indented block has no language; put ```sh, yaml, text ... around it")
        elif token.type == "fence":
            language = token.info.split(" ")[0].strip()
            if language not in {*RUN, *SHOWN}:
                raise ValueError(f"{page}:{line}: unknown language {language!r}; of {RUN} and {SHOWN}")
            yield Block(page, line + 1, language, token.content, said)
            said = {}
    if said:
        raise ValueError(f"{page}: after the comment {said} comes no block")


def _said(place: str, comment: str) -> dict[str, str]:
    said = {}
    for part in comment.strip().removeprefix("<!-- test:").removesuffix("-->").split(";"):
        words = part.strip()
        key = next((key for key in _WITH_VALUE if words.startswith(f"{key} ")), words)
        if key not in {*_WORDS, *_WITH_VALUE} or (key in _WITH_VALUE and key == words):
            raise ValueError(f"{place}: `{words}`: expected one of {_WORDS}, or one of {_WITH_VALUE} with what follows")
        said[key] = words.removeprefix(key).strip()
    reason = said.get("skip because")
    if reason is not None and reason not in REASONS:
        raise ValueError(f"{place}: `{reason}` is no reason to skip; of {REASONS}")
    return said
