"""The version of a piece of code: a digest of its source and of everything of ours that it imports.

A cache keyed on a function's own source serves stale results when a function it calls is edited. Here the imports
are followed through the syntax trees, so an edit anywhere below invalidates, and an edit elsewhere does not.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Lock

from tasks.storage import digest_file, digest_of

ROOMS = ("data_contracts", "tasks", "serving")
# A result may change with these libraries' releases; others (a progress bar, a web framework) cannot change one.
_LIBRARIES = (
    "great-expectations",
    "imbalanced-learn",
    "lightgbm",
    "numpy",
    "onnx",
    "onnxruntime",
    "pandas",
    "pillow",
    "pyarrow",
    "pytorch-lightning",
    "scikit-learn",
    "scipy",
    "spox",
    "torch",
)
# Where a statement holds statements.
_BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")
# Python 3.11's parser fails now and then when two threads are in it (https://github.com/python/cpython/issues/106905).
_READING = Lock()


@cache
def code_version(module: str) -> str:
    """Return the digest of a module's source, of all it imports from Headrace's rooms, and of the libraries' releases.

    Args:
        module: The module's dotted name, such as `tasks.data.validate`.
    """
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = source_file(name)
        if path is None or name in found:
            continue
        with _READING:
            found[name], imported = _read(path, name)
        waiting.extend(imported)
    return digest_of({"modules": found, "libraries": {name: _release(name) for name in _LIBRARIES}})


@cache
def _read(path: Path, module: str) -> tuple[str, tuple[str, ...]]:
    """Return a source file's digest and what it imports; most files stand below many task functions."""
    return digest_file(path), tuple(dict.fromkeys(imported_modules(path, module)))


def imported_modules(path: Path, module: str) -> Iterator[str]:
    """Yield the dotted names of the rooms' modules that a source file imports, packages on the way included."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in _imports(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        for name in names:
            parts = name.split(".")
            if parts[0] in ROOMS:
                yield from (".".join(parts[: end + 1]) for end in range(len(parts)))


def _imports(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the import statements below a node; expressions, which are most of a syntax tree, hold none."""
    for block in _BLOCKS:
        for child in getattr(node, block, ()):
            if isinstance(child, ast.Import | ast.ImportFrom):
                yield child
            else:
                yield from _imports(child)


@cache
def source_file(module: str) -> Path | None:
    """Return the source file of one of the rooms' modules, or None where the name is not a module."""
    room, *inside = module.split(".")
    spec = importlib.util.find_spec(room)
    if spec is None or spec.origin is None:
        return None
    base = Path(spec.origin).parent.joinpath(*inside)
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


@cache
def _release(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "absent"
