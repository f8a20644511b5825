"""The reference of task functions: a page for each part of `tasks/`, of which mkdocstrings fills in the docstrings."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_INDEX = """\
# Task functions

A task function is plain Python: it takes references to what lies on disk and a section of the config, does one piece of
work, and returns a reference. It knows nothing of Prefect, so that it can be called, tested and timed by itself. These
pages are made of the docstrings. They show the modules of `tasks/` that hold a task function (`run_...`) or a config
class.

| part | task functions | config classes |
|---|---|---|
"""


def modules() -> Mapping[str, Sequence[str]]:
    """Return the parts of `tasks/` and, of each, the modules that hold a task function or a config class."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((_ROOT / "tasks").rglob("*.py")):
        if any(names(path)):
            module = ".".join(path.relative_to(_ROOT).with_suffix("").parts)
            found[module.split(".")[1]].append(module)
    return dict(sorted(found.items()))


def names(path: Path) -> tuple[list[str], list[str]]:
    """Return the task functions and the config classes that a module defines."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    runs = [each.name for each in body if isinstance(each, ast.FunctionDef) and each.name.startswith("run_")]
    classes = [each.name for each in body if isinstance(each, ast.ClassDef) and not each.name.startswith("_")]
    return runs, [name for name in classes if name.endswith("Config")]


def task_pages() -> Mapping[str, str]:
    """Return the pages in Markdown by their place in the site, the list of them first."""
    pages, rows = {}, []
    for part, found in modules().items():
        both = [names(_ROOT.joinpath(*module.split(".")).with_suffix(".py")) for module in found]
        runs, classes = ([name for each in of for name in each] for of in zip(*both, strict=True))
        rows.append(f"| [{_title(part)}]({part}.md) | {_listed(runs)} | {_listed(classes)} |")
        pages[f"reference/tasks/{part}.md"] = _page(part, found)
    return {"reference/tasks/index.md": _INDEX + "\n".join(rows) + "\n", **pages}


def nav() -> list[dict[str, str] | str]:
    """Return the part of the site's navigation that lists the pages."""
    return ["reference/tasks/index.md", *({_title(part): f"reference/tasks/{part}.md"} for part in modules())]


def _page(part: str, found: Sequence[str]) -> str:
    blocks = [
        f"## `{module}` {{ #{module} }}\n\n::: {module}\n    options: {{show_root_toc_entry: false}}"
        for module in found
    ]
    return "\n\n".join([f"# Task functions: {_title(part).lower()}", *blocks]) + "\n"


def _title(part: str) -> str:
    return part.replace("_", " ").capitalize()


def _listed(found: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in found)
