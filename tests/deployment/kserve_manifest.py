"""Exits with an error unless every field of an InferenceService manifest is one that KServe's SDK knows.

Run by the environment of `make deployment`, which has that SDK: `python kserve_manifest.py MANIFEST`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kserve.models
import kubernetes.client
import yaml


def _unknown(value: Any, kind: str, at: str) -> Iterator[str]:
    """Yield the fields below `value` that its kind, in the SDK's own words, does not have."""
    inner = re.fullmatch(r"[Ll]ist\[(.*)\]", kind)
    if inner is not None:
        for index, item in enumerate(value):
            yield from _unknown(item, inner[1], f"{at}[{index}]")
        return
    model = getattr(kserve.models, kind, None) or getattr(kubernetes.client, kind, None)
    if model is None:
        return
    fields = {model.attribute_map[name]: of for name, of in model.openapi_types.items()}
    for key, item in value.items():
        if key in fields:
            yield from _unknown(item, fields[key], f"{at}.{key}")
        else:
            yield f"{at}.{key}: {kind} has no such field"


def main() -> None:
    """Judge the manifest."""
    document = yaml.safe_load(Path(sys.argv[1]).read_text())
    wrong = list(_unknown(document, "V1beta1InferenceService", "manifest"))
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
