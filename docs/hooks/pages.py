"""What mkdocs calls while it builds the site: generated pages, and links that hold in the repository and in the site.

`mkdocs.yml` names this file. It must be run as `python -m mkdocs` from the repository's root, as `make docs` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from pydantic import BaseModel

from docs.hooks.cli_pages import cli_page
from docs.hooks.config_pages import config_page
from docs.hooks.repo_pages import relinked, repo_pages
from docs.hooks.task_pages import nav, task_pages
from pipelines.config import PipelineConfig
from pipelines.image_config import ImagePipelineConfig
from serving.config import ServeConfig

_PIPELINE = """\
Every key of a pipeline's YAML file: one of tables, or one of images. Most sections may be left out, and then have their
defaults. `headrace run --set train.seed=1` sets a key for one run. `headrace check` says which keys do not go together.
`headrace schema` writes the same as JSON Schema, by which editors complete keys.
"""
_SERVING = """\
Every key of the endpoint's YAML file (`headrace serve --config`), which may also be given as `--set KEY=VALUE`.
[Settings of the endpoint](../serving-config.md) explains how they go together.
"""


def generated_pages() -> Mapping[str, str]:
    """Return the pages that nobody writes by hand, in Markdown, by their place in the site."""
    pipeline: dict[str, type[BaseModel]] = {
        "A pipeline of tables": PipelineConfig,
        "A pipeline of images": ImagePipelineConfig,
    }
    return {
        "reference/command-line.md": cli_page(),
        "reference/pipeline-config.md": config_page("Keys of a pipeline's config", _PIPELINE, pipeline),
        "reference/endpoint-config.md": config_page(
            "Keys of the endpoint's config", _SERVING, {"The endpoint": ServeConfig}
        ),
        **task_pages(),
        **repo_pages(),
    }


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the pages of task functions in the navigation, below `Reference`."""
    reference: list[Any] = next(each["Reference"] for each in config.nav or [] if "Reference" in each)
    reference.append({"Task functions": nav()})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for place, markdown in generated_pages().items():
        files.append(File.generated(config, place, content=markdown))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Let links lead to pages of the site."""
    return relinked(markdown, page.file.src_uri)
