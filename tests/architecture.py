"""The laws of the house, read from syntax trees: which imports point where, and how large anything may be.

Nothing is imported to be judged, so a law holds for imports inside functions and under `TYPE_CHECKING` too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

ROOMS = ("data_contracts", "tasks", "pipelines", "serving")
JUDGED = (*ROOMS, "tests", "benchmarks")

# What a room may import of the other rooms; a prefix opens everything below it.
OPEN_ROOMS: dict[str, tuple[str, ...]] = {
    "data_contracts": (),
    "serving": (),
    "tasks": ("data_contracts", "serving.bundle"),
    "pipelines": ROOMS,
}
HEAVY = frozenset(
    {
        "dask",
        "distributed",
        "great_expectations",
        "onnx",
        "pandas",
        "prefect",
        "pyarrow",
        "pytorch_lightning",
        "sklearn",
        "torch",
    }
)
PICKLES = frozenset({"cloudpickle", "joblib", "pickle"})
# What `torch.load` raises on a torn file; the name alone reads nothing.
PICKLE_ERROR = "pickle.UnpicklingError"
# The only places of a room that may import a library; a place is a file or a folder.
ONLY_IN = {"prefect": "pipelines/", "great_expectations": "data_contracts/expectations/"}
# What only a process of its own imports, which the endpoint starts where it is asked to.
OWN_PROCESS = {"pyarrow": "serving/watch/sample_files.py"}
VAGUE_NAMES = frozenset({"util", "utils", "helper", "helpers", "manager", "managers"})

MOST_FILE_LINES = 300
MOST_FUNCTION_LINES = 40
MOST_PARAMETERS = 6

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file: its path relative to the project, with forward slashes, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def room(self) -> str:
        return PurePosixPath(self.path).parts[0]

    def at(self, node: ast.AST, what: str) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {what}"


def sources(root: Path) -> Iterator[Source]:
    """Yield every Python file of the judged folders, in order."""
    for folder in JUDGED:
        for path in sorted((root / folder).rglob("*.py")):
            yield Source(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))


def breaches(source: Source) -> list[str]:
    """Return what breaks a law in one file, each as `path:line: what`."""
    checks = (_rooms, _libraries, _loads, _names, _sizes)
    return [breach for check in checks for breach in check(source)]


def imported(source: Source) -> Iterator[tuple[ast.AST, str]]:
    """Yield every dotted name that a file imports, relative ones made absolute, `import_module("x")` included.

    `from a import b` gives `a.b`: whether `b` is a module cannot be seen, and a law on `a` holds for `a.b` anyway.
    """
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(source, node)
            yield from ((node, f"{origin}.{alias.name}".lstrip(".")) for alias in node.names)
        elif isinstance(node, ast.Call) and _last_name(node.func) in {"import_module", "__import__"}:
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield node, argument.value


def _origin(source: Source, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = PurePosixPath(source.path).parts[:-1]
    above = package[: len(package) - node.level + 1]
    return ".".join((*above, *filter(None, [node.module])))


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _rooms(source: Source) -> Iterator[str]:
    if source.room not in ROOMS:
        return
    for node, name in imported(source):
        room = name.split(".")[0]
        open_rooms = (source.room, *OPEN_ROOMS[source.room])
        if room in {*ROOMS, "tests", "benchmarks"} and not any(_below(name, one) for one in open_rooms):
            yield source.at(node, f"{source.room} imports {name}; of the rooms it may import {open_rooms}")


def _below(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _libraries(source: Source) -> Iterator[str]:
    for node, name in imported(source):
        library = name.split(".")[0]
        if library in PICKLES and name != PICKLE_ERROR:
            yield source.at(node, f"imports {library}; a pickle runs code when it is read")
        if source.room == "serving" and library in HEAVY and source.path != OWN_PROCESS.get(library):
            yield source.at(node, f"serving imports {library}; the endpoint runs without it")
        elif source.room in ROOMS and not source.path.startswith(ONLY_IN.get(library, "")):
            yield source.at(node, f"imports {library}; only {ONLY_IN[library]} does")


def _loads(source: Source) -> Iterator[str]:
    names = dict(_local_names(source))
    calls = (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))
    safe = {id(call.func) for call in calls if _keyword(call, "weights_only") is True}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and _keyword(node, "allow_pickle") not in {None, False}:
            yield source.at(node, "reads with allow_pickle; a pickle runs code when it is read")
        if isinstance(node, ast.expr) and id(node) not in safe and _dotted(node, names) == "torch.load":
            yield source.at(node, "torch.load without weights_only=True; a pickle runs code when it is read")


def _local_names(source: Source) -> Iterator[tuple[str, str]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(source, node)
            yield from ((alias.asname or alias.name, f"{origin}.{alias.name}") for alias in node.names)


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    return f"{_dotted(node.value, names)}.{node.attr}" if isinstance(node, ast.Attribute) else ""


def _keyword(call: ast.Call, name: str) -> object:
    """Return the constant given for a keyword, None where it is not given, and the node where it is no constant."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value.value if isinstance(keyword.value, ast.Constant) else keyword.value
    return None


def _names(source: Source) -> Iterator[str]:
    for part in PurePosixPath(source.path).with_suffix("").parts:
        if part in VAGUE_NAMES:
            yield f"{source.path}:1: a module named {part} says nothing; name it after what it does"


def _sizes(source: Source) -> Iterator[str]:
    lines = len(source.text.splitlines())
    if lines > MOST_FILE_LINES:
        yield f"{source.path}:{lines}: {lines} lines; at most {MOST_FILE_LINES}"
    for node in ast.walk(source.tree):
        if isinstance(node, _Function):
            length, parameters = function_lines(node), _parameters(node)
            if length > MOST_FUNCTION_LINES:
                yield source.at(node, f"{node.name} has {length} lines; at most {MOST_FUNCTION_LINES}")
            # A test's parameters are fixtures and cases, which no caller has to order.
            if source.room != "tests" and parameters > MOST_PARAMETERS:
                yield source.at(node, f"{node.name} has {parameters} parameters; at most {MOST_PARAMETERS}")


def function_lines(node: _Function) -> int:
    """Count a function's lines from `def` to its last, without decorators and without its docstring."""
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length


def _parameters(node: _Function) -> int:
    """Count what a caller can give; `self` and `cls` are not given."""
    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
    return len([one for one in every if one is not None and one.arg not in {"self", "cls"}])
