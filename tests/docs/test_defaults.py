"""The tables of settings say the defaults that the code has."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from pydantic import BaseModel

from serving.config import ServeConfig
from tests.docs.blocks import ROOT

_ROW = re.compile(r"^\| `([a-z_.]+)` \| ([^|]*) \|", re.MULTILINE)
# Defaults that a table gives in words.
_IN_WORDS = {"store", "limits.burst", "traces.endpoint"}


def table(page: str) -> dict[str, str]:
    """Return the second cell of each row of a page's tables whose first cell is a setting."""
    rows = _ROW.findall((ROOT / "docs" / page).read_text())
    return {key: cell.strip().strip("`") for key, cell in rows if key.split(".")[0] in ServeConfig.model_fields}


def default(key: str) -> object:
    """Return a key's default; `...` where one must be given."""
    model: type[BaseModel] = ServeConfig
    *sections, last = key.split(".")
    for section in sections:
        annotation = model.model_fields[section].annotation
        model = next(each for each in (annotation, *get_args(annotation)) if isinstance(each, type))
    field = model.model_fields[last]
    return ... if field.is_required() else field.default


@pytest.mark.parametrize("page", ["serving-config.md", "watching.md"])
def test_the_defaults_of_the_endpoint_are_right(page: str) -> None:
    said = {key: cell for key, cell in table(page).items() if key not in _IN_WORDS}
    assert len(said) > 8
    for key, cell in said.items():
        real = default(key)
        if real is ... or real is None:
            assert not cell or not re.fullmatch(r"[0-9.]+", cell), f"{page}: {key} has no default, and not {cell}"
        elif isinstance(real, str):
            assert cell == real, key
        else:
            assert float(cell) == pytest.approx(real), f"{page}: {key} is {real}"
