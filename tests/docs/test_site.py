"""The site: its generated pages leave nothing out, its links hold here and there, and it asks no other host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from pydantic import BaseModel

from docs.hooks.cli_pages import commands
from docs.hooks.pages import generated_pages
from docs.hooks.repo_pages import places, relinked
from pipelines import bindings
from pipelines.bindings import Binding
from pipelines.cli import headrace
from pipelines.config import PipelineConfig
from pipelines.image_config import ImagePipelineConfig
from serving.config import ServeConfig
from tests.browser import chromium
from tests.docs.blocks import ROOT

_CONFIGS = [("pipeline", PipelineConfig), ("pipeline", ImagePipelineConfig), ("endpoint", ServeConfig)]
# What makes a browser fetch something.
_LOADS = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=\"?((?:https?:)?//[^\"\s>]+)")
_LOADS_OF_CSS = re.compile(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')]+)")


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return dict(generated_pages())


def classes(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for info in annotation.model_fields.values():
            yield from classes(info.annotation)
    for inner in get_args(annotation):
        yield from classes(inner)


def tables(page: str) -> Iterator[dict[str, str]]:
    """Yield each section's keys, and the rest of their rows."""
    for section in re.split(r"^#{2,3} ", page, flags=re.MULTILINE)[1:]:
        yield dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, flags=re.MULTILINE))


@pytest.mark.parametrize(("page", "config"), _CONFIGS)
def test_every_key_of_every_section_of_a_config_is_told(
    pages: dict[str, str], page: str, config: type[BaseModel]
) -> None:
    told = list(tables(pages[f"reference/{page}-config.md"]))
    for model in set(classes(config)):
        keys = {info.alias or name for name, info in model.model_fields.items()}
        section = next((section for section in told if section.keys() == keys), None)
        assert section is not None, f"no section has the keys of {model.__name__}: {sorted(keys)}"


@pytest.mark.parametrize("page", ["pipeline", "endpoint"])
def test_every_key_has_a_type_a_default_and_a_meaning(pages: dict[str, str], page: str) -> None:
    for section in tables(pages[f"reference/{page}-config.md"]):
        for key, row in section.items():
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)]
            assert len(cells) == 3, (key, row)
            assert all(cells), f"{key}: {row}\n  do: say what it means in the docstring of its class"


def test_types_and_defaults_are_those_of_the_code(pages: dict[str, str]) -> None:
    page = pages["reference/pipeline-config.md"]
    assert "| `batch_size` | integer > 0 | <code>1024</code> | Rows of a batch. |" in page
    assert '| `train` | [`train`](#train) | <code>{"model": {"name": "cnn"}}</code> |' in page
    assert "### `train.model: trees` { #train-model-trees }" in page
    anchors = re.findall(r"\{ #([^ ]+) \}", page)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= set(anchors)


def test_every_command_is_told_with_its_help(pages: dict[str, str]) -> None:
    page = pages["reference/command-line.md"]
    found = list(commands(headrace, headrace.make_context("headrace", [], resilient_parsing=True)))
    assert len(found) > 30
    for context in found:
        assert f"## {context.command_path} {{ #" in page
        assert all(option in page for param in context.command.params for option in param.opts if option[0] == "-")


def test_every_task_function_that_a_pipeline_runs_is_told(pages: dict[str, str]) -> None:
    told = "\n".join(page for place, page in pages.items() if place.startswith("reference/tasks/"))
    bound = [each for each in vars(bindings).values() if isinstance(each, Binding)]
    assert len(bound) > 20
    for binding in bound:
        function = binding._function
        assert f"::: {function.__module__}\n" in told
        assert f"`{function.__name__}`" in pages["reference/tasks/index.md"]


@pytest.mark.parametrize(
    ("place", "link", "led"),
    [
        ("index.md", "[a](concepts/gates.md#why)", "[a](concepts/gates.md#why)"),
        ("growing/object-store.md", "[a](../../ARCHITECTURE.md)", "[a](../project/architecture.md)"),
        ("project/architecture.md", "[a](docs/adr/0001.md)", "[a](../adr/0001.md)"),
        ("project/benchmarks/index.md", "[a](drift/README.md)", "[a](drift.md)"),
        ("index.md", "[a](https://example.org) [b](#here)", "[a](https://example.org) [b](#here)"),
        ("index.md", "[scale-out.md](scale-out.md)", "[Growing up](scale-out.md)"),
        ("index.md", "[a](../tasks/engine.py)", "a"),
        ("index.md", "```\n[a](../tasks/engine.py)\n```", "```\n[a](../tasks/engine.py)\n```"),
    ],
)
def test_links_lead_to_where_the_site_has_what_they_name(place: str, link: str, led: str) -> None:
    assert relinked(link, place) == led


def test_files_outside_the_folder_are_there() -> None:
    assert not [file for file in places() if not (ROOT / file).is_file()]


def built(folder: Path) -> Path:
    """Build a site of one page as `mkdocs.yml` says; return its folder."""
    source, site = folder / "docs", folder / "site"
    for name in ("stylesheets/site.css", "javascripts/iframe-worker.js", "images/icon.svg"):
        (source / name).parent.mkdir(parents=True)
        (source / name).write_bytes((ROOT / "docs" / name).read_bytes())
    (source / "index.md").write_text("# A page\n\nOf rows in quarantine.\n\n```yaml\ntrain: {seed: 1}\n```\n")
    build(load_config(str(ROOT / "mkdocs.yml"), docs_dir=str(source), site_dir=str(site), nav=["index.md"], hooks=[]))
    return site


def test_a_built_page_asks_no_other_host(tmp_path: Path) -> None:
    site = built(tmp_path)
    text = (site / "index.html").read_text()
    assert "A page" in text
    assert _LOADS.findall(text) == []
    sheets = list(site.rglob("*.css"))
    assert sheets
    assert [found for sheet in sheets for found in _LOADS_OF_CSS.findall(sheet.read_text())] == []


@pytest.mark.integration
@pytest.mark.slow
def test_the_search_works_in_a_folder_without_a_server(tmp_path: Path) -> None:
    site = built(tmp_path)
    with chromium() as browser:
        page = browser.new_page()
        page.goto((site / "index.html").as_uri())
        page.fill("input.md-search__input", "quarantine")
        found = page.wait_for_selector(".md-search-result__link", timeout=10_000)
        assert "quarantine" in found.inner_text()


def test_no_page_has_a_drawing_that_a_script_must_make(pages: dict[str, str]) -> None:
    assert [place for place, page in pages.items() if "```mermaid" in page] == []
