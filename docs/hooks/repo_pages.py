"""Files of the repository outside `docs/` that are pages of the site too, and the links that lead to them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"\[([^\]\[]*)\]\(([^()\s]+)\)")
_FENCE = re.compile(r"^(```|~~~)")


def places() -> Mapping[str, str]:
    """Return where the site has which file of the repository."""
    found = {f"{name.upper()}.md": f"project/{name}.md" for name in ("architecture", "changelog", "contributing")}
    found |= {"README.md": "index.md", "tasks/models/README.md": "project/models-inside.md"}
    found["benchmarks/README.md"] = "project/benchmarks/index.md"
    for path in sorted(_ROOT.glob("benchmarks/*/README.md")):
        found[f"benchmarks/{path.parent.name}/README.md"] = f"project/benchmarks/{path.parent.name}.md"
    return found


def repo_pages() -> Mapping[str, str]:
    """Return the pages in Markdown by their place in the site."""
    return {
        place: (_ROOT / file).read_text(encoding="utf-8") for file, place in places().items() if place != "index.md"
    }


def relinked(markdown: str, place: str) -> str:
    """Let relative links of a page lead to where the site has what they name; a link that leads out of it goes.

    Args:
        markdown: The page as it stands in the repository.
        place: Where the site has it.
    """
    own = next((file for file, each in places().items() if each == place and place != "index.md"), f"docs/{place}")
    lines, fenced = [], False
    for line in markdown.split("\n"):
        fenced ^= _FENCE.match(line) is not None
        lines.append(line if fenced else _LINK.sub(lambda link: _relinked(link, own, place), line))
    return "\n".join(lines)


def _relinked(link: re.Match[str], own: str, place: str) -> str:
    target, hash_sign, anchor = link[2].partition("#")
    if not target or "://" in target or target.startswith("mailto:"):
        return link[0]
    file = posixpath.normpath(posixpath.join(posixpath.dirname(own), target))
    led = file.removeprefix("docs/") if file.startswith("docs/") else places().get(file)
    if led is None:
        return link[1]
    text = _title(file) if link[1] == target else link[1]
    return f"[{text}]({posixpath.relpath(led, posixpath.dirname(place) or '.')}{hash_sign}{anchor})"


def _title(file: str) -> str:
    """Return the heading of a page, which says more than its file's name."""
    path = _ROOT / file
    heading = path.read_text(encoding="utf-8").partition("\n")[0] if path.is_file() else ""
    return heading.removeprefix("# ") if heading.startswith("# ") else posixpath.basename(file)
